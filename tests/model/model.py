# SPDX-License-Identifier: BSD-3-Clause
"""The model: what the rooms should do, command by command, in the order of the specification."""
import copy

import schema
from discovery import Discovery
from engagement import Engagement
from floor import Floor
from members import Members
from moderation import Moderation
from people import People
from pins import Pins
from rate import Rates
from reports import Reports
from roles import Roles
from rooms import Rooms
from shares import Shares
from tickets import Tickets
from world import Refusal, World, apply_silence


# Which handlers want to know whether a page asks.
PAGE_MATTERS = (
    "member.join",
    "member.list",
    "floor.request",
    "floor.accept",
    "floor.grant",
    "floor.invite",
    "role.set",
)


class Model(
    People,
    Rooms,
    Discovery,
    Members,
    Shares,
    Floor,
    Roles,
    Moderation,
    Reports,
    Pins,
    Tickets,
    Engagement,
):
    def __init__(self, limits):
        self.w = World(limits)
        self.rates = Rates(self.w)

    # ---- commands ----

    def play(self, command, actual):
        """What the program must have done; actual is what it did."""
        w = self.w
        w.number, w.wall_ms, w.mono_ms = command["n"], command["at_ms"], command["mono_ms"]
        if "line" in command:
            w.begin(actual)
            return self.outcome(lambda: self.request(command))
        what = command["do"]
        if what == "expire":
            return {"steps": self.steps(self.ending, actual)}
        if what == "due":
            return {"steps": self.steps(self.due, actual)}
        if what == "session":
            w.begin(actual)
            room = w.rooms.get(command["room"])
            start = lambda: self.session_begin(room, command["member"], command["speaks"])
            return self.outcome(start)
        if what == "session_end":
            w.begin(actual)
            room = w.rooms.get(command["room"])
            return self.outcome(lambda: self.session_end(room, command["member"], command["left"]))
        if what == "hold":
            return self.hold_slot(command)
        if what == "reload":
            self.reload()
            return {}
        if what == "revert":
            return {"same": True}
        return {"state": self.state()}

    def outcome(self, act):
        w = self.w
        try:
            answer = act()
        except Refusal as refusal:
            return {"code": refusal.code}
        self.free_slots()
        told = {"code": "ok", "events": w.events, "live": w.live, "ops": w.ops, "audit": w.audits}
        if answer is not None:
            told["answer"] = [answer]
        return told

    def hold_slot(self, command):
        """The data plane says who is heard: a leg that can be, or nobody."""
        room = self.w.rooms.get(command["room"])
        user, slot = command["member"], command["slot"]
        member = room.members.get(user) if room else None
        heard = member is not None and member.leg != "0" and member.sends and not member.silent
        if room and slot < room.slots and (user is None or heard):
            room.holders = {s: u for s, u in room.holders.items() if u != user and s != slot}
            if heard:
                room.holders[slot] = user
        return {"held": heard}

    def free_slots(self):
        """Who is silent, gone, or has another leg holds none."""
        fresh = {op["member"] for op in self.w.ops if op["op"] == "leg_put"}

        def keeps(member):
            able = member and member.leg != "0" and member.sends and not member.silent
            return able and member.id not in fresh

        for room in self.w.rooms.values():
            held = room.holders.items()
            room.holders = {s: u for s, u in held if keeps(room.members.get(u))}

    def steps(self, step, actual):
        """Steps of the clock until there is nothing to do."""
        done = actual.get("steps", [])
        told = []
        while True:
            self.w.begin(done[len(told)] if len(told) < len(done) else {})
            if not step():
                return told
            told.append(self.outcome(dict))

    def request(self, command):
        page = command.get("page")
        request = schema.parse(command["line"])
        code = "invalid" if request is None else schema.verdict(request, page)
        if code is not None:
            raise Refusal(code)
        kind = schema.TYPES[request["type"]]
        actor = page[0] if page else request.get("actor")
        room = request.get("room", page[1] if page and kind.room else None)
        body = {k: v for k, v in request.items() if k not in schema.COMMON}
        self.rates.count(kind, actor)
        handle = getattr(self, request["type"].replace(".", "_"))
        if request["type"] in PAGE_MATTERS:
            return handle(actor, room, body, page is not None)
        if request["type"] == "room.update" and "cohosts" in body:
            return self.all_or_nothing(lambda: handle(actor, room, body))
        return handle(actor, room, body)

    def all_or_nothing(self, act):
        """What it changed before it is refused is taken back."""
        before = copy.deepcopy(self.w.__dict__)
        try:
            return act()
        except Refusal:
            self.w.__dict__.update(before)
            raise

    # ---- the clock ----

    def ending(self):
        """What ends without a data plane to say so: rooms, mutes, memberships, seats."""
        w = self.w
        for room in sorted(w.rooms.values(), key=lambda r: int(r.id)):
            if w.passed(room.end_ns):
                self.end_room(room, None, "expired")
                return True
            for user in sorted(room.silenced):
                if w.passed(room.silenced[user].until_ns):
                    self.unsilence(room, user, None, "expired")
                    return True
            over = [m for m in self.by_id(room) if w.passed(m.end_ns)]
            if over:
                self.leave_all(room, over, "expired")
                return True
        seats = [(m, r) for r in w.rooms.values() for m in r.members.values()]
        for member, room in sorted(seats, key=lambda pair: int(pair[0].id)):
            if member.webrtc and member.leg == "0" and w.passed(member.seat_ns):
                reason = "expired" if member.seat == "new" else member.seat
                self.leave_all(room, [member], reason)
                return True
        return False

    @staticmethod
    def by_id(room):
        return sorted(room.members.values(), key=lambda m: int(m.id))

    def due(self):
        """One step of what is due, in the order of the specification."""
        return (
            self.floor_due()
            or self.host_due()
            or self.share_due()
            or self.schedule_due()
            or self.reminder_due()
            or self.announcement_due()
            or self.reaction_due()
        )

    def schedule_due(self):
        w = self.w
        for room in sorted(w.rooms.values(), key=lambda r: int(r.id)):
            late = w.wall_ms - room.starts_ms >= w.limits["schedule_late_ms"]
            if room.state == "scheduled" and late:
                self.end_room(room, None, "not_started")
                return True
        return False

    def announcement_due(self):
        w = self.w
        for room in sorted(w.rooms.values(), key=lambda r: int(r.id)):
            if room.to_tell is None:
                continue
            if room.access == "invited":
                room.to_tell = None
                return True
            followers = [u for u in room.to_tell if room.host in w.users[u].follows]
            part = room.told_parts
            room.told_parts += 1
            room.to_tell = None  # a small world: all of them are one part
            w.event(
                room,
                "room.live",
                host=room.host,
                title=room.title,
                topic=room.topic,
                part=part,
                followers=followers,
                last=True,
            )
            return True
        return False

    def reload(self):
        """The program starts anew: deadlines follow from the wall clock as it is now."""
        w = self.w
        self.rates = Rates(w)
        for room in w.rooms.values():
            if room.state == "live":  # what has not begun does not end
                room.end_ns = w.deadline(room.end_ms)
            room.host_left_ns = w.mono_ms * 10**6
            room.holders = {}
            room.reactions, room.fresh, room.flush_ms, room.begun = {}, {}, None, {}
            room.split = set()
            for before_ms in {r.before_ms for r in room.reminders.values()}:
                self.split_many(room, before_ms)
            for mute in room.silenced.values():
                mute.until_ns = 0 if mute.held else w.deadline(mute.until_ms)
            for member in room.members.values():
                member.end_ns = w.deadline(member.end_ms)
                if member.hand is not None:
                    member.hand.until_ns = w.deadline(member.hand.until_ms)
                self.reload_member(room, member)

    def reload_member(self, room, member):
        w = self.w
        name = "join_timeout_ms" if member.seat == "new" else "reconnect_grace_ms"
        kept = w.limits[name]
        if member.webrtc and member.leg == "0":
            member.seat_ns = (w.mono_ms + kept) * 1_000_000 if kept else 0
        apply_silence(room, member)

    # ---- the whole state, as the driver writes it ----

    def state(self):
        w = self.w
        members = [m for r in w.rooms.values() for m in r.members.values()]
        return {
            "seq": w.seq,
            "draining": w.draining,
            "members": len(members),
            "tokens": sum(m.token is not None for m in members),
            "legs": sum(m.leg != "0" for m in members),
            "sessions": sum(m.leg != "0" and m.webrtc for m in members),
            "rooms": [self.room_state(r) for r in sorted(w.rooms.values(), key=lambda r: int(r.id))],
            "users": [self.user_state(u) for u in w.users.values()],
            "bans": [vars(b) for b in w.bans.values()],
            "tickets": [self.ticket_state(t) for t in w.tickets.values()],
            "entries": w.entries,
            "reports": [self.report_state(r) for r in w.reports.values()],
        }

    def room_state(self, room):
        return {
            "room": room.name,
            "room_id": room.id,
            "host": room.host,
            "title": room.title,
            "topic": room.topic,
            "open_floor": room.open_floor,
            "capacity": room.capacity,
            "opened_ms": room.opened_ms,
            "end_ms": room.end_ms,
            "end_ns": room.end_ns,
            "room_seq": room.room_seq,
            "slots": room.slots,
            "speakers": room.named,
            "state": ("scheduled", "live").index(room.state),
            "access": ("open", "followers", "invited", "ticketed").index(room.access),
            "language": room.language,
            "speakers_max": room.speakers_max,
            "starts_ms": room.starts_ms,
            "told_parts": room.told_parts,
            "host_left": room.host_left,
            "host_left_ns": room.host_left_ns if room.host_left else 0,
            "cohosts": room.cohosts,
            "reactions": room.reactions,
            "holders": [room.members[u].id for _, u in sorted(room.holders.items())],
            "pins": [vars(p) for p in room.pins.values()],
            "reminders": [self.reminder_state(r) for r in self.reminders_of(room)],
            "shares": [self.share_state(s) for s in room.shares.values()],
            "offer": [self.offer_state(room.offer)] if room.offer else [],
            "counts_right": True,
            "excluded": room.excluded,
            "silenced": {
                user: {
                    "until_ms": mute.until_ms,
                    "until_ns": mute.until_ns,
                    "by": mute.by,
                    "by_rank": mute.by_rank,
                    "held": mute.held,
                    "held_rank": mute.held_rank,
                }
                for user, mute in room.silenced.items()
            },
            "members": [self.member_state(m) for m in self.by_id(room)],
        }

    @staticmethod
    def reminders_of(room):
        return sorted(room.reminders.values(), key=lambda r: int(r.id))

    @staticmethod
    def reminder_state(reminder):
        return {"id": reminder.id, "user": reminder.user, "before_ms": str(reminder.before_ms)}

    @staticmethod
    def hand_state(hand):
        names = ("kind", "message", "by", "at_ms", "until_ms", "until_ns")
        return {**{name: getattr(hand, name) for name in names}, **hand.source}

    def member_state(self, member):
        seats = {"new": 0, "left": 1, "lost": 2}
        return {
            "member": member.user,
            "member_id": member.id,
            "role": member.role,
            "leg": member.leg,
            "sends": member.sends,
            "muted": member.silent,
            "until_ns": member.silent_ns,
            "webrtc": member.webrtc,
            "token": member.token,
            "joined_ms": member.joined_ms,
            "end_ms": member.end_ms,
            "end_ns": member.end_ns,
            "seat_ns": member.seat_ns if member.leg == "0" else 0,
            "seat": seats[member.seat] if member.leg == "0" else 0,
            "floor_ms": member.floor_ms,
            "hand": [self.hand_state(member.hand)] if member.hand else [],
        }
