# SPDX-License-Identifier: BSD-3-Clause
"""What the model knows: plain objects in plain dictionaries, and how events look.

Nothing here is clever: lists are searched, counts are counted anew each time. The model is slow
and obvious; the program is neither.
"""
import hashlib

NS = 1_000_000  # of a millisecond
ANY = "whatever it is"  # what the model cannot know; compares equal to everything
IDS_A_COMMAND = 65536  # as the driver has it


class Refusal(Exception):
    """The request is refused with that code; nothing has changed."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def refuse_if(condition, code):
    if condition:
        raise Refusal(code)


class Thing:
    """An object with the fields it is made with."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class Mute(Thing):
    """until_ms 0: until it is lifted. by "": the program. by_rank: what lifting it needs."""


class User(Thing):
    """follows: a sorted list of names, known or not."""


class Member(Thing):
    """role, transport, leg ("0": none), sends: whether the leg can send."""


class Room(Thing):
    """members, silenced by user name, hands in the order of asking."""

    def listeners(self):
        return sum(m.role == "listener" for m in self.members.values())

    def speakers(self):
        return sum(m.role != "listener" for m in self.members.values())

    def muted(self):
        return sum(m.role != "listener" and m.silent for m in self.members.values())


def apply_silence(room, member, spared=False):
    """Whether nothing that the leg sends is forwarded, and until when. Who cannot send needs no
    mute; who sends and has no floor (any more) is silent for good."""
    silence = None if spared else room.silenced.get(member.user)
    member.silent = member.sends and (member.role == "listener" or silence is not None)
    member.silent_ns = 0
    if member.silent and member.role != "listener":
        member.silent_ns = silence.until_ns


def digest_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


class World:
    def __init__(self, limits):
        self.limits = limits
        self.wall_ms = self.mono_ms = self.number = 0
        self.seq = 0
        self.draining = False
        self.rooms = {}
        self.users = {}
        self.bans = {}
        self.tickets = {}
        self.entries = []
        self.reports = {}
        self.codes = {}  # of shares, by id
        self.begin({})

    # ---- a step ----

    def begin(self, actual):
        """actual: what the program did; only what it mints is taken from there."""
        self.actual = actual
        self.events, self.live, self.ops, self.audits = [], [], [], []

    def minted(self):
        """The program's answer, for ids and secrets."""
        answer = self.actual.get("answer") or [{}]
        return answer[0]

    def next_id(self):
        """Not the id that the program mints, but in the same order."""
        return self.number * IDS_A_COMMAND

    def event(self, room, type_, /, **fields):
        self.seq += 1
        event = {"seq": self.seq, "type": type_, "at_ms": self.wall_ms}
        if room is not None:
            room.room_seq += 1
            event.update(
                room=room.name,
                room_seq=room.room_seq,
                members=len(room.members),
                listeners=room.listeners(),
                speakers=room.speakers(),
            )
        event.update(fields)
        self.events.append(event)

    def audit(self, room, actor, action, member=None, reason=None):
        name = None if room is None else room.name
        self.audits.append(
            {"room": name, "actor": actor, "action": action, "member": member, "reason": reason}
        )

    # ---- finding ----

    def next_minted_leg(self):
        """The next leg that the program has put and the model has not."""
        done = {op["leg"] for op in self.ops if op["op"] == "leg_put"}
        puts = [op["leg"] for op in self.actual.get("ops", []) if op["op"] == "leg_put"]
        return next((leg for leg in puts if leg not in done), None)

    def room(self, name):
        refuse_if(name not in self.rooms, "no_such_room")
        return self.rooms[name]

    def member(self, room, user):
        refuse_if(user not in room.members, "no_such_member")
        return room.members[user]

    def member_count(self):
        return sum(len(room.members) for room in self.rooms.values())

    # ---- who may what ----

    def is_moderator(self, user):
        return user in self.users and self.users[user].moderator

    def rank(self, room, user):
        if self.is_moderator(user):
            return 3
        if user == room.host:
            return 2
        return 1 if user in room.cohosts and not self.is_shut_out(room, user) else 0

    def need_rank(self, room, user, rank):
        refuse_if(self.rank(room, user) < rank, "not_allowed")

    def is_banned(self, host, user):
        return (host, user) in self.bans

    def is_shut_out(self, room, user):
        return user in room.excluded or self.is_banned(room.host, user)

    # ---- time ----

    def deadline(self, wall_ms):
        """When that wall clock time is reached, by the monotonic clock as it runs now; in ns."""
        if wall_ms == 0:
            return 0
        if wall_ms <= self.wall_ms:
            return 1
        return (self.mono_ms + wall_ms - self.wall_ms) * NS

    def passed(self, deadline_ns):
        return deadline_ns != 0 and deadline_ns <= self.mono_ms * NS

    # ---- table operations ----

    def op(self, kind, **fields):
        self.ops.append({"op": kind, **fields})

    def op_leg_put(self, room, member):
        self.op(
            "leg_put",
            leg=member.leg,
            member=member.id,
            room=room.id,
            sends=member.sends,
            muted=member.silent,
            until_ns=member.silent_ns,
        )

    def op_mute(self, member):
        """The data plane hears whether a leg that can send is muted."""
        if member.leg != "0" and member.sends:
            self.op("leg_mute", leg=member.leg, muted=member.silent, until_ns=member.silent_ns)

    def op_leg_remove(self, leg):
        if leg != "0":
            self.op("leg_remove", leg=leg)
