# SPDX-License-Identifier: BSD-3-Clause
"""A fixed scenario of requests of all families, in rooms and of users that no other run has."""
import time


def scenario(run, known):
    """Requests one after the other; `known` has the answers so far, by id."""
    number = 0
    later = int(time.time() * 1000) + 3600000

    def of(name, key):
        """What the request of that number was answered."""
        return known[f"{run}.{name}"].get(key) or "1"

    def ask(kind, **fields):
        nonlocal number
        number += 1
        return {"id": f"{run}.{number}", "type": kind, **fields}

    room, host = f"{run}.tea", f"{run}.ann"
    here = {"room": room, "actor": host}
    yield ask("room.open", **here, title="Tea", topic="tea", speakers=[f"{run}.sue"], slots=2)
    yield ask("member.join", **here, role="host", transport="webrtc")
    yield ask("member.join", **here, role="listener", transport="webrtc",
              members=[{"member": f"{run}.m{i}"} for i in range(5)])
    port = 1024 + int(run[1:]) % 60000
    yield ask("member.join", **here, role="speaker", member=f"{run}.sue", address="10.1.0.1",
              port=port)
    yield ask("member.join", **here, role="listener", member=f"{run}.leo", address="10.2.0.1",
              port=port)
    yield ask("room.update", **here, title="Tea at five")
    yield ask("member.token", **here, member=f"{run}.m0")
    for i in range(3):
        yield ask("floor.request", room=room, actor=f"{run}.m{i}")
    yield ask("floor.grant", **here, member=f"{run}.m0", reason="first")
    yield ask("floor.deny", **here, member=f"{run}.m1")
    yield ask("floor.cancel", room=room, actor=f"{run}.m2")
    yield ask("moderation.mute", **here, member=f"{run}.sue", reason="loud")
    yield ask("moderation.unmute", **here, member=f"{run}.sue")
    yield ask("moderation.mute", **here, member=f"{run}.m0", duration_ms=3600000)
    yield ask("floor.release", room=room, actor=f"{run}.m0")
    yield ask("moderation.remove", **here, member=f"{run}.m3", reason="rude")
    yield ask("member.join", room=room, actor=f"{run}.m3", role="listener", transport="webrtc")
    yield ask("member.leave", room=room, actor=f"{run}.m4")
    yield ask("member.leave", **here, member=f"{run}.leo")
    yield ask("room.open", room=f"{run}.short", actor=host)
    yield ask("room.close", room=f"{run}.short", actor=host)
    # Cohosts, invitations, roles.
    yield ask("room.update", **here, cohosts=[f"{run}.m0"], access="followers")
    yield ask("floor.invite", **here, member=f"{run}.m1")
    yield ask("floor.accept", room=room, actor=f"{run}.m1")
    yield ask("floor.request", room=room, actor=f"{run}.m2", message="me too", duration_ms=600000)
    yield ask("floor.grant", **here, member=f"{run}.m2")
    yield ask("role.set", **here, member=f"{run}.m1", role="cohost")
    yield ask("moderation.demote", **here, member=f"{run}.m1", reason="tired")
    yield ask("moderation.mute_all", **here, reason="music")
    yield ask("pin.add", **here, text="read this", url="https://example.org/")
    pin = number
    yield ask("pin.add", **here, text="and this")
    yield ask("pin.remove", **here, pin=of(pin, "pin"))
    yield ask("share.create", **here)
    yield ask("share.create", **here, member=f"{run}.eve", duration_ms=60000)
    # People, reports, bans.
    yield ask("user.upsert", actor="app", user=f"{run}.fan", followers=7, follows=[host])
    yield ask("user.upsert", actor="app", user=host, followers=1000, host_grant=True)
    yield ask("moderation.report", room=room, actor=f"{run}.m1", member=f"{run}.sue",
              category="spam", text="buy this")
    report = number
    yield ask("moderation.resolve", **here, report=of(report, "report"), resolution="upheld")
    yield ask("moderation.report", room=room, actor=f"{run}.m2", member=f"{run}.m1",
              category="other")
    yield ask("moderation.ban", **here, member=f"{run}.m2", reason="enough")
    yield ask("moderation.ban", **here, member=f"{run}.stranger")
    yield ask("moderation.unban", **here, member=f"{run}.stranger")
    # A scheduled room with tickets and reminders.
    show = {"room": f"{run}.show", "actor": host}
    yield ask("room.schedule", **show, title="Show", access="ticketed", starts_ms=later)
    yield ask("ticket.offer", **show, price=500, currency="EUR", quantity=10)
    for buyer in ("ben", "bea"):
        yield ask("ticket.issue", room=show["room"], actor="app", user=f"{run}.{buyer}", price=500,
                  currency="EUR", reference=f"{run}.{buyer}", provider_fee=30)
    ticket = number
    yield ask("reminder.set", room=show["room"], actor=f"{run}.ben")
    yield ask("reminder.set", room=show["room"], actor=f"{run}.fan", before_ms=60000)
    yield ask("reminder.cancel", room=show["room"], actor=f"{run}.fan")
    yield ask("room.update", **show, starts_ms=later + 60000)
    yield ask("room.open", **show)
    for buyer in ("ben", "bea"):
        yield ask("member.join", room=show["room"], actor=f"{run}.{buyer}", role="listener",
                  transport="webrtc")
    yield ask("reaction.send", room=show["room"], actor=f"{run}.ben", emoji="\U0001f44f")
    yield ask("ticket.refund", actor="app", ticket=of(ticket, "ticket"), reason="ill")
    yield ask("drain", actor="app")
    yield ask("drain", actor="app", on=False)
