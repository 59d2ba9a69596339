# SPDX-License-Identifier: BSD-3-Clause
"""Random durable requests of all families, from a seed.

Most are allowed, some are not. Free texts (title, reason, message) are the request's id, so that what
became of a request can be found in the log. Requests of a user whose effect no event tells
(user.upsert, reminder.*) always go over the same connection, so that their order is known.
"""

HOSTS = [f"h{i}" for i in range(4)]
USERS = HOSTS + [f"u{i}" for i in range(20)]
ROOMS = [f"r{i}" for i in range(6)]
DAY_MS = 86400000
WEEK_MS = 7 * DAY_MS


class Workload:
    def __init__(self, random, now_ms, prefix="q"):
        self.random = random
        self.prefix = prefix
        self.now_ms = now_ms
        self.count = 0
        self.known = {}  # kind of record: its ids, the newest last

    def next(self, connection, connections):
        """A request for that connection."""
        self.count += 1
        name, = self.random.choices(list(KINDS), [weight for _, weight in KINDS.values()])
        room = self.random.choice(ROOMS)
        host = HOSTS[int(room[1:]) % len(HOSTS)]
        request = {"id": f"{self.prefix}{self.count}", "type": name, "room": room, "actor": host}
        if self.random.random() < 0.05:
            request["actor"] = self.user()
        KINDS[name][0](self, request, [u for i, u in enumerate(USERS)
                                     if i % connections == connection])
        return request

    def user(self):
        return self.random.choice(USERS)

    def record(self, kind):
        ids = self.known.get(kind)
        return self.random.choice(ids[-20:]) if ids else "1"

    def learn(self, request, answer):
        """Ids that were answered are used later."""
        for kind in ("pin", "share", "report", "ticket"):
            if isinstance(answer.get(kind), str):
                self.known.setdefault(kind, []).append(answer[kind])


def schedule(w, request, own):
    number = w.random.randrange(6)
    request.update(room=f"s{number}", title=request["id"], actor=HOSTS[number % len(HOSTS)],
                   access="ticketed" if number < 3 else "open", starts_ms=w.now_ms + w.random.randrange(DAY_MS, WEEK_MS))


def open_room(w, request, own):
    request.update(title=request["id"], open_floor=w.random.random() < 0.3, speakers=["u1", "u2"])


def close(w, request, own):
    if w.random.random() < 0.5:
        request.update(room=f"s{w.random.randrange(6)}")


def update(w, request, own):
    request.update(title=request["id"])


def join(w, request, own):
    role = "host" if w.random.random() < 0.1 else w.random.choice(["listener", "speaker"])
    request["role"] = role
    if role == "host":
        request["transport"] = "webrtc"
    elif w.random.random() < 0.4:
        request.update(member=w.user(), transport="webrtc")
    elif w.random.random() < 0.5:
        request.update(member=request["id"], address=f"10.{w.count >> 16}.{w.count >> 8 & 255}."
                       f"{w.count & 255}", port=5004)
    else:
        request.update(members=[{"member": f"{request['id']}.{i}"} for i in range(5)],
                       transport="webrtc")


def of_member(w, request, own):
    request["member"] = w.user()


def leave(w, request, own):
    request["actor"] = request["member"] = w.user()


def self_act(w, request, own):
    request["actor"] = w.user()


def decide(w, request, own):
    request.update(member=w.user(), reason=request["id"])


def set_role(w, request, own):
    request.update(member=w.user(), reason=request["id"],
                   role=w.random.choice(["listener", "speaker", "cohost"]))


def all_of_room(w, request, own):
    request.update(reason=request["id"])


def report(w, request, own):
    request.update(actor=w.user(), member=w.user(), category="spam", text=request["id"])


def resolve(w, request, own):
    del request["room"]
    request.update(report=w.record("report"), resolution=w.random.choice(["upheld", "dismissed"]))


def pin(w, request, own):
    request.update(text=request["id"])


def unpin(w, request, own):
    request.update(pin=w.record("pin"))


def share(w, request, own):
    if w.random.random() < 0.5:
        request.update(member=w.user())


def sell(w, request, own):
    number = w.random.randrange(3)
    request.update(room=f"s{number}", actor=HOSTS[number], price=500, currency="EUR", quantity=w.random.randrange(5, 1000))


def issue(w, request, own):
    request.update(room=f"s{w.random.randrange(3)}", user=w.user(), price=500, currency="EUR",
                   reference=request["id"], provider_fee=w.random.randrange(0, 50))


def refund(w, request, own):
    del request["room"]
    request.update(ticket=w.record("ticket"), reason=request["id"])


def remind(w, request, own):
    request.update(room=f"s{w.random.randrange(6)}", actor=w.random.choice(own))


def upsert(w, request, own):
    del request["room"]
    request.update(actor="app", user=w.random.choice(own), followers=w.count,
                   follows=sorted({w.user() for _ in range(3)}))


def drain(w, request, own):
    del request["room"]
    request.update(actor="app", on=w.random.random() < 0.1)


# Each of these, accepted, is exactly one event of that type that carries the request's id.
MARKED = {
    "room.open": "room.opened", "room.update": "room.updated", "room.schedule": "room.scheduled",
    "floor.deny": "floor.denied", "moderation.mute": "member.muted",
    "moderation.unmute": "member.unmuted", "moderation.ban": "moderation.banned",
    "moderation.unban": "moderation.unbanned", "moderation.demote": "role.changed",
    "pin.add": "pin.added", "role.set": "role.changed", "ticket.refund": "ticket.refunded",
}
# What each is made of, and how often it is asked for.
KINDS = {
    "room.open": (open_room, 20), "room.schedule": (schedule, 8), "room.update": (update, 15),
    "room.close": (close, 3), "member.join": (join, 80), "member.leave": (leave, 8),
    "member.token": (of_member, 6), "floor.request": (self_act, 30),
    "floor.cancel": (self_act, 6), "floor.grant": (decide, 20), "floor.deny": (decide, 6),
    "floor.invite": (of_member, 15), "floor.accept": (self_act, 15),
    "floor.release": (self_act, 6), "role.set": (set_role, 15), "moderation.mute": (decide, 25),
    "moderation.unmute": (decide, 15), "moderation.mute_all": (all_of_room, 3),
    "moderation.demote": (decide, 6), "moderation.remove": (decide, 2),
    "moderation.ban": (decide, 2), "moderation.unban": (decide, 4),
    "moderation.report": (report, 15), "moderation.resolve": (resolve, 12), "pin.add": (pin, 10),
    "pin.remove": (unpin, 8), "share.create": (share, 8), "ticket.offer": (sell, 8),
    "ticket.issue": (issue, 25), "ticket.refund": (refund, 10), "reminder.set": (remind, 10),
    "reminder.cancel": (remind, 4), "user.upsert": (upsert, 20), "drain": (drain, 1),
}
