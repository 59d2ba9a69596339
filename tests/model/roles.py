# SPDX-License-Identifier: BSD-3-Clause
"""role.set, what a role does to the leg, and who inherits a room."""
from world import apply_silence, refuse_if

COHOSTS_MAX = 16


class Roles:
    def need_place(self, room, member, role):
        """Cohosts are at most so many, and so are those who hold the floor."""
        full = len(room.cohosts) == COHOSTS_MAX and member.user not in room.cohosts
        refuse_if(role == "cohost" and full, "capacity")
        if role != "listener" and member.role == "listener":
            self.need_floor(room, room.speakers())

    def need_floor(self, room, speakers):
        most = room.speakers_max or self.w.limits["room_speakers_max"]
        refuse_if(most and speakers >= most, "capacity")

    def give_role(self, room, member, role):
        """A keyed listener who is to speak gets another leg with fresh keys."""
        w = self.w
        if role == "listener":
            member.floor_ms = 0
        elif member.role == "listener":
            member.floor_ms = w.wall_ms
        replaces = role != "listener" and not member.webrtc and not member.sends
        member.role, member.hand = role, None
        if replaces:
            w.op_leg_remove(member.leg)
            member.leg, member.sends = w.next_minted_leg(), True
            apply_silence(room, member)
            w.op_leg_put(room, member)
            return
        if member.leg == "0":
            member.sends = role != "listener"
        apply_silence(room, member)
        w.op_mute(member)

    def leg_answer(self, member, page):
        answer = {"leg": None if member.leg == "0" else member.leg}
        if not page and not member.webrtc:
            minted = self.w.minted()
            answer.update(tx_key=minted.get("tx_key"), rx_key=minted.get("rx_key"))
        return answer

    def change_role(self, room, member, role, actor, reason):
        was = member.role
        if role == "cohost" and member.user not in room.cohosts:
            room.cohosts.append(member.user)
        elif role != "cohost" and member.user in room.cohosts:
            room.cohosts.remove(member.user)
        self.give_role(room, member, role)
        leg = {} if member.webrtc else {"leg": member.leg}
        self.w.event(
            room,
            "role.changed",
            actor=actor,
            member=member.user,
            role=role,
            was=was,
            reason=reason,
            **leg,
        )

    def need_room_for_host(self, room, member):
        """Who was host and is there becomes a cohost."""
        named = [c for c in room.cohosts if c != member.user]
        full = len(named) == COHOSTS_MAX and room.host not in room.cohosts
        refuse_if(room.host in room.members and full, "capacity")
        self.need_place(room, member, "host")

    def hand_over(self, room, member, actor, reason):
        was, before = room.host, room.members.get(room.host)
        room.host, room.host_left = member.user, False
        room.cohosts = [c for c in room.cohosts if c != member.user]
        if before is not None:
            room.cohosts = [c for c in room.cohosts if c != was] + [was]
            if before.role == "host":
                self.give_role(room, before, "cohost")
        self.give_role(room, member, "host")
        host = room.host
        self.w.event(room, "room.host_changed", actor=actor, host=host, was=was, reason=reason)

    def role_set(self, actor, name, body, page):
        w = self.w
        room = w.room(name)
        w.need_rank(room, actor, 2)
        member = w.member(room, body["member"])
        role, reason = body["role"], body.get("reason")
        refuse_if(member.role in (role, "host"), "conflict")
        if role == "host" and member.user != room.host:
            self.need_room_for_host(room, member)
            w.audit(room, actor, "role.set", member.user, reason)
            self.hand_over(room, member, actor, reason)
        else:
            self.need_place(room, member, role)
            w.audit(room, actor, "role.set", member.user, reason)
            self.change_role(room, member, role, actor, reason)
        return self.floor_answer(room, member, **self.leg_answer(member, page))

    # ---- inheritance ----

    def host_goes(self, room):
        room.host_left_ns = self.w.mono_ms * 10**6
        room.host_left = True

    def heir(self, room):
        """A cohost who is longest in the room, else the longest-standing speaker; nobody whom a
        host has silenced."""

        def able(member):
            mute = room.silenced.get(member.user)
            return mute is None or mute.by_rank == 0

        members = [m for m in room.members.values() if able(m)]
        cohosts = [m for m in members if m.role == "cohost"]
        if cohosts:
            return min(cohosts, key=lambda m: (m.joined_ms, int(m.id)))
        speakers = [m for m in members if m.role == "speaker"]
        return min(speakers, key=lambda m: (m.floor_ms, int(m.id)), default=None)

    def host_due(self):
        w = self.w
        grace_ns = w.limits["host_grace_ms"] * 10**6
        for room in sorted(w.rooms.values(), key=lambda r: int(r.id)):
            due = room.host_left and w.mono_ms * 10**6 >= room.host_left_ns + grace_ns
            heir = self.heir(room) if due and room.state == "live" else None
            if heir is not None:
                w.audit(room, "stentor", "room.host_changed", heir.user, "host left")
                self.hand_over(room, heir, None, "host left")
                return True
        return False
