# SPDX-License-Identifier: BSD-3-Clause
"""A fixed scenario of requests of all families, in rooms and of users that no other run has."""


def scenario(run, known):
    """Requests one after the other; `known` has the answers so far, by id."""
    number = 0

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
