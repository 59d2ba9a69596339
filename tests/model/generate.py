# SPDX-License-Identifier: BSD-3-Clause
"""Random commands for a small world, so that people get into each other's way all the time."""
import json

from ask_floor import AskFloor
from ask_moderation import AskModeration
from ask_people import AskPeople
from ask_rooms import AskRooms
from ask_tickets import AskTickets
from names import MODERATORS, ROOMS, USERS

ODD = [None, "", "a b", "é", -1, 2**63, True, [], {}, 0.5, "x" * 65]
YEAR_MS = 365 * 24 * 3_600_000
START_MS = 1_700_000_000_000


class Generator(AskRooms, AskFloor, AskPeople, AskModeration, AskTickets):
    """rng decides everything; w is the model's world, which may be some commands behind."""

    def __init__(self, rng, world, types):
        self.rng, self.w = rng, world
        self.wall_ms, self.mono_ms = START_MS, 1_000_000
        self.count = 0
        self.weights = {k: v for k, v in self.kinds().items() if k in types}

    def kinds(self):
        """How often each type is asked for."""
        return {
            "room.open": 2.5,
            "room.schedule": 4,
            "room.update": 2.5,
            "room.close": 1.2,
            "room.get": 0.5,
            "room.list": 1,
            "timeline.get": 1.5,
            "member.join": 20,
            "member.token": 1,
            "member.keys": 1.5,
            "member.leave": 2,
            "member.list": 1,
            "share.create": 2,
            "floor.request": 7,
            "floor.cancel": 1.5,
            "floor.accept": 3,
            "floor.invite": 4,
            "floor.grant": 5,
            "floor.deny": 2.5,
            "floor.release": 2.5,
            "floor.list": 1,
            "role.set": 4,
            "moderation.mute": 4,
            "moderation.unmute": 3,
            "moderation.mute_all": 0.8,
            "moderation.demote": 2.5,
            "moderation.remove": 1,
            "moderation.ban": 1.2,
            "moderation.unban": 2,
            "moderation.report": 3,
            "moderation.reports": 1,
            "moderation.resolve": 3,
            "pin.add": 4,
            "pin.remove": 1,
            "audit.list": 0.7,
            "drain": 0.15,
            "reaction.send": 3,
            "reminder.set": 6,
            "reminder.cancel": 1.2,
            "user.upsert": 4,
            "user.get": 1,
            "ticket.offer": 2,
            "ticket.issue": 4,
            "ticket.refund": 2,
            "ticket.ledger": 1,
        }

    # ---- who and what ----

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, things):
        things = list(things)
        return self.rng.choice(things) if things else None

    def anybody(self):
        return self.pick(USERS + MODERATORS)

    def room(self):
        """Mostly one that is there."""
        if self.w.rooms and self.chance(0.93):
            return self.w.rooms[self.pick(self.w.rooms)]
        return None

    def member(self, room, role=None):
        if room is None or not self.chance(0.9):
            return self.anybody()
        users = [m.user for m in room.members.values() if role in (None, m.role)]
        return self.pick(users) or self.anybody()

    def chief(self, room):
        """Mostly somebody who may."""
        if room is None or not self.chance(0.8):
            return self.anybody()
        if room.cohosts and self.chance(0.3):
            return self.pick(room.cohosts)
        return self.pick(MODERATORS) if self.chance(0.15) else room.host

    def name(self, room):
        return room.name if room is not None else self.pick(ROOMS + ["nowhere"])

    # ---- time ----

    def advance(self):
        rng = self.rng
        step = rng.choice([0, 0, 1, 7, 100, 1000, 1000, 5000, 30_000])
        if self.chance(0.002):
            step = rng.choice([3_600_000, 24 * 3_600_000])
        self.wall_ms += step
        self.mono_ms += step
        if self.chance(0.002):  # somebody sets the clock
            self.wall_ms += rng.choice([-3_600_000, -5000, 5000, 3_600_000, YEAR_MS, -YEAR_MS])

    def command(self, **fields):
        self.count += 1
        return {"n": self.count, "at_ms": self.wall_ms, "mono_ms": self.mono_ms, **fields}

    def commands(self):
        """The next one, or some that belong together."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.06:
            self.advance()
            if self.chance(0.2):
                return [self.command(do="due")]
            return [self.command(do="expire"), self.command(do="due")]
        if draw < 0.062:
            return self.restart()
        if draw < 0.12:
            return [self.session()]
        if draw < 0.13:
            lines = [self.line() for _ in range(rng.randint(1, 6))]
            # Reactions are in no transaction, and who took back a reminder may be told in more
            # events than needed: both are no state.
            lines = [x for x in lines if "reaction.send" not in x and "reminder.set" not in x]
            return [self.command(do="revert", lines=lines)]
        if draw < 0.16:
            return [self.hold()]
        if draw < 0.165:
            return [self.command(line=self.malformed())]
        if draw < 0.28:
            return [self.from_page()]
        return [self.command(line=self.line())]

    def restart(self):
        if self.chance(0.3):  # of the machine, too
            self.mono_ms = 5_000 + self.rng.randint(0, 1000)
        self.wall_ms += self.rng.choice([0, 500, 10_000])
        return [self.command(do="reload"), self.command(do="dump", restarted=True)]

    def session(self):
        room = self.room()
        user = self.member(room)
        if self.chance(0.35):
            left = self.chance(0.5)
            return self.command(do="session_end", room=self.name(room), member=user, left=left)
        member = room.members.get(user) if room else None
        speaks = member is not None and member.role != "listener"
        if self.chance(0.15):
            speaks = not speaks
        return self.command(do="session", room=self.name(room), member=user, speaks=speaks)

    def hold(self):
        room = self.room()
        user = None if self.chance(0.1) else self.member(room)
        slot = self.rng.randint(0, 3)
        return self.command(do="hold", room=self.name(room), member=user, slot=slot)

    # ---- requests ----

    def malformed(self):
        return self.pick(
            [
                "",
                "{",
                "[]",
                "null",
                '{"id":"1"}',
                '{"id":"1","type":"no.such"}',
                '{"id":"1","type":7}',
                '{"id":"1","id":"2","type":"room.list"}',
                '{"id":"a b","type":"room.list"}',
                '{"id":"1","type":"room.list"} x',
                '{"id":"1","type":"room.list","limit":1e2}',
                '{"id":"1","type":"room.open","actor":"a","room":"\\u0000"}',
                '{"id":"1","type":"room.list","room":"room1"}',
                '{"id":"1","type":"room.list","x":[[[[[[[[]]]]]]]]}',
            ]
        )

    def request(self, kind=None):
        if self.w.draining:  # not for long
            self.weights["drain"] = 3
        names = list(self.weights)
        kind = kind or self.rng.choices(names, [self.weights[n] for n in names])[0]
        self.weights["drain"] = 0.15
        body = getattr(self, kind.replace(".", "_"))()
        request = {"id": str(self.count + 1), "type": kind}
        request.update((k, v) for k, v in body.items() if v is not None)
        if self.chance(0.015):
            self.spoil(request)
        return request

    def line(self):
        return json.dumps(self.request())

    def spoil(self, request):
        """One field is wrong, missing or too much."""
        draw = self.rng.random()
        fields = [f for f in request if f not in ("id", "type")]
        if draw < 0.2 or not fields:
            request["unheard_of"] = 1
        elif draw < 0.4:
            del request[self.pick(fields)]
        else:
            request[self.pick(fields)] = self.pick(ODD)

    def from_page(self):
        """By the page of a member who is in the room."""
        rooms = [r for r in self.w.rooms.values() if r.members]
        if not rooms:
            return self.command(line=self.line())
        room = self.pick(rooms)
        user = self.pick(room.members)
        if self.chance(0.3):
            user = room.host if room.host in room.members else user
        request = self.request()
        if not self.chance(0.02):
            request.pop("actor", None)
        if not self.chance(0.02):
            request.pop("room", None)
        return self.command(line=json.dumps(request), page=[user, room.name])

    def paging(self):
        body = {}
        if self.chance(0.3):
            body["limit"] = self.rng.randint(1, 4)
        if self.chance(0.2):
            body["after"] = self.pick(["0", "-1", str(self.rng.randint(0, self.count) * 65536 - 1), "x", "99999999999999999999"])
        return body

    def reason(self):
        return self.pick([None] * 4 + ["why not", "", "ü" * 128, "ü" * 129])

    def about(self, role=None):
        room = self.room()
        return {
            "actor": self.chief(room),
            "room": self.name(room),
            "member": self.member(room, role),
            "reason": self.reason(),
        }
