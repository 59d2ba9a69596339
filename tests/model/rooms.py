# SPDX-License-Identifier: BSD-3-Clause
"""room.open, room.update, room.close, room.list, room.schedule."""
import re

from world import Room, refuse_if

KEY_BYTES = {"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44, "AES128_CM_HMAC_SHA1_80": 30}


def page_of(things, body, key):
    """Those behind `after`, at most `limit`; and where to go on."""
    after = body.get("after")
    refuse_if(after is not None and not after.isdigit(), "invalid")
    refuse_if(after is not None and int(after) >= 1 << 64, "invalid")
    behind = [t for t in things if after is None or int(key(t)) > int(after)]
    page = behind[: body.get("limit", 100)]
    more = len(behind) > len(page)
    return page, key(page[-1]) if more else None


class Rooms:
    """A part of the model; self.w is the world."""

    def capacity(self, wanted):
        most = self.w.limits["room_members_max"]
        return most if wanted is None or wanted > most else wanted

    @staticmethod
    def check_group_key(body):
        """The generator writes keys in hex."""
        if "group_key" in body:
            refuse_if("group_suite" not in body, "invalid")
            size = KEY_BYTES[body["group_suite"]]
            refuse_if(len(body["group_key"]) != 2 * size, "invalid")

    def need_to_admit(self):
        """Nobody new comes in while the box drains."""
        refuse_if(self.w.draining, "unavailable")

    @staticmethod
    def check_language(body):
        refuse_if(not re.match(r"([A-Za-z0-9-]{2,35})?\Z", body.get("language", "")), "invalid")

    def cohost_list(self, names, host):
        """Each once, and without the host."""
        return list(dict.fromkeys(n for n in names if n != host))

    def make_room(self, actor, name, body):
        """Everything but when it begins and ends."""
        w = self.w
        minted = w.minted()
        room = Room(
            name=name,
            id=minted.get("room_id") or str(w.next_id()),
            ssrc=minted.get("ssrc"),
            host=actor,
            title=body.get("title", ""),
            topic=body.get("topic", ""),
            language=body.get("language", ""),
            access=body.get("access", "open"),
            slots=body.get("slots", 3),
            capacity=self.capacity(body.get("capacity")),
            speakers_max=self.speakers_max(body.get("speakers_max", 0)),
            open_floor=body.get("open_floor", False),
            named=list(body.get("speakers", [])),
            cohosts=self.cohost_list(body.get("cohosts", []), actor),
            group="group_suite" in body,
            state="live",
            starts_ms=0,
            opened_ms=0,
            end_ms=0,
            end_ns=0,
            room_seq=0,
            profiles=[(111, 0)],
            members={},
            silenced={},
            excluded={},  # by user: whether a ban did it
            used_keys=set(),
            offer=None,
            pins={},
            shares={},
            reminders={},
            to_tell=None,  # followers who are still to be told; None: nobody is
            told_parts=0,
            host_left=False,
            host_left_ns=0,
            reactions={},
            fresh={},  # reactions that nobody has been told of
            flush_ms=None,
            holders={},  # users by the slot that they hold
            split=set(),  # groups of reminders that have been many
            begun={},  # groups of reminders by before_ms: when they were due, whether spread
        )
        w.rooms[name] = room
        return room

    def announce_room(self, room, kind, actor):
        fields = {"scheduled": room.starts_ms != 0} if kind == "room.opened" else {}
        self.w.event(
            room,
            kind,
            actor=actor,
            title=room.title,
            topic=room.topic,
            language=room.language,
            access=room.access,
            starts_ms=room.starts_ms or None,
            **fields,
        )

    def begin_telling(self, room):
        """Those who follow the host now; of a room for the invited nobody is told."""
        if room.access != "invited":
            room.to_tell = [u.name for u in self.w.users.values()]

    def answer_open(self, room):
        answer = {
            "room": room.name,
            "room_id": room.id,
            "state": "live",
            "slots": room.slots,
            "ssrc": room.ssrc,
        }
        if room.group:
            answer["group_key"] = self.w.minted().get("group_key")
        return answer

    def go_live(self, room, actor):
        w = self.w
        room.opened_ms = w.wall_ms
        room.end_ns = w.deadline(room.end_ms)
        self.begin_telling(room)
        w.audit(room, actor, "room.open")
        w.op("room_put", room=room.id)
        self.announce_room(room, "room.opened", actor)
        return self.answer_open(room)

    def room_open(self, actor, name, body):
        w = self.w
        room = w.rooms.get(name)
        duration = body.get("duration_ms", 0)
        hosts = room and actor in [room.host, *room.cohosts] and not w.is_shut_out(room, actor)
        if hosts and room.state == "scheduled":
            self.need_to_admit()
            refuse_if(set(body) - {"duration_ms"}, "invalid")
            if not duration and room.end_ms:
                duration = room.end_ms - room.starts_ms
            room.state = "live"
            room.end_ms = w.wall_ms + duration if duration else 0
            room.ssrc = w.minted().get("ssrc")
            return self.go_live(room, actor)
        refuse_if(not self.may_host(actor), "not_allowed")
        self.need_to_admit()
        refuse_if(room, "already_exists")
        refuse_if(len(w.rooms) >= w.limits["rooms_max"], "capacity")
        self.check_language(body)
        self.check_group_key(body)
        room = self.make_room(actor, name, body)
        room.end_ms = w.wall_ms + duration if duration else 0
        return self.go_live(room, actor)

    def check_start(self, starts_ms):
        w = self.w
        refuse_if(starts_ms <= w.wall_ms, "invalid")
        refuse_if(starts_ms > w.wall_ms + w.limits["schedule_max_ms"], "invalid")

    def room_schedule(self, actor, name, body):
        w = self.w
        refuse_if(not self.may_host(actor), "not_allowed")
        self.need_to_admit()
        self.check_start(body["starts_ms"])
        refuse_if(name in w.rooms, "already_exists")
        refuse_if(len(w.rooms) >= w.limits["rooms_max"], "capacity")
        mine = [r for r in w.rooms.values() if r.host == actor and r.state == "scheduled"]
        refuse_if(len(mine) >= w.limits["schedules_per_host_max"], "capacity")
        self.check_language(body)
        room = self.make_room(actor, name, body)
        room.state, room.starts_ms = "scheduled", body["starts_ms"]
        if "duration_ms" in body:
            room.end_ms = room.starts_ms + body["duration_ms"]
        w.audit(room, actor, "room.schedule")
        self.announce_room(room, "room.scheduled", actor)
        return {
            "room": name,
            "room_id": room.id,
            "state": "scheduled",
            "starts_ms": room.starts_ms,
        }

    def describe(self, room):
        return {
            "room": room.name,
            "room_id": room.id,
            "title": room.title,
            "topic": room.topic,
            "host": room.host,
            "state": room.state,
            "language": room.language,
            "access": room.access,
            "starts_ms": room.starts_ms if room.state == "scheduled" else None,
            "cohosts": room.cohosts,
            "slots": room.slots,
            "members": len(room.members),
            "listeners": room.listeners(),
            "speakers": room.speakers(),
            "muted": room.muted(),
            "hands": len(self.asking(room)),
            "capacity": room.capacity,
            "open_floor": room.open_floor,
            "opened_ms": room.opened_ms or None,
            "ends_ms": room.end_ms or None,
            "room_seq": room.room_seq,
        }

    def may_update(self, room, actor, body):
        """Who comes in, and when, is the host's; what it is about is a cohost's as well."""
        doors = {"open_floor", "access", "capacity", "cohosts", "starts_ms"}
        self.w.need_rank(room, actor, 2 if doors & set(body) else 1)

    def check_update(self, room, body):
        self.check_language(body)
        refuse_if(body.get("slots", room.slots) != room.slots, "conflict")
        refuse_if("group_key" in body or "group_suite" in body, "conflict")
        refuse_if("starts_ms" in body and room.state == "live", "conflict")
        sold = room.offer is not None and room.offer.issued > 0
        refuse_if(sold and body.get("access", "ticketed") != "ticketed", "conflict")
        if "starts_ms" in body:
            self.check_start(body["starts_ms"])

    def speakers_max(self, wanted):
        most = self.w.limits["room_speakers_max"]
        return most if most and wanted > most else wanted

    def room_update(self, actor, name, body):
        w = self.w
        room = w.room(name)
        self.may_update(room, actor, body)
        self.check_update(room, body)
        room.title = body.get("title", room.title)
        room.topic = body.get("topic", room.topic)
        room.language = body.get("language", room.language)
        room.open_floor = body.get("open_floor", room.open_floor)
        room.access = body.get("access", room.access)
        if "capacity" in body:
            room.capacity = self.capacity(body["capacity"])
        if "speakers_max" in body:
            room.speakers_max = self.speakers_max(body["speakers_max"])
        if "starts_ms" in body:
            if room.end_ms:  # as long as it was to be
                room.end_ms += body["starts_ms"] - room.starts_ms
            room.starts_ms = body["starts_ms"]
        if "cohosts" in body:
            self.change_cohosts(room, self.cohost_list(body["cohosts"], room.host), actor)
        if "access" in body:
            self.change_door(room)
        w.audit(room, actor, "room.update")
        self.announce_room(room, "room.updated", actor)
        return self.describe(room)

    def change_cohosts(self, room, names, actor):
        """Those who are in the room change with the list."""
        old = list(room.cohosts)
        for user in old:
            member = room.members.get(user)
            if user not in names and member and member.role == "cohost":
                self.change_role(room, member, "speaker", actor, None)
        room.cohosts = names
        for user in list(names):
            member = room.members.get(user)
            if user not in old and member and member.role != "cohost":
                self.need_place(room, member, "cohost")
                self.change_role(room, member, "cohost", actor, None)

    def change_door(self, room):
        """Nothing is for sale at an open one; what others than hosts gave away opens no shut one."""
        if room.access != "ticketed":
            room.offer = None
        if room.access in ("invited", "ticketed"):
            for share in list(room.shares.values()):
                if self.w.rank(room, share.actor) < 1:
                    del room.shares[share.id]

    def end_room(self, room, actor, reason):
        w = self.w
        for member in room.members.values():
            w.op_leg_remove(member.leg)
        room.members.clear()
        w.event(room, "room.closed", actor=actor, reason=reason)
        if room.state == "live":
            w.op("room_remove", room=room.id)
        del w.rooms[room.name]

    def room_close(self, actor, name, body):
        room = self.w.room(name)
        self.w.need_rank(room, actor, 2)
        self.w.audit(room, actor, "room.close")
        self.end_room(room, actor, "closed" if room.state == "live" else "cancelled")
        return {"room": name}

    def room_get(self, actor, name, body):
        self.w.room(name)
        return {}  # the conductor fills it in
