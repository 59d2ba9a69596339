# SPDX-License-Identifier: BSD-3-Clause
"""moderation.mute, unmute, mute_all, demote, remove, ban, unban."""
from world import Mute, Thing, apply_silence, refuse_if


class Moderation:
    def silence_member(self, room, user):
        """What the room's mutes mean for the membership, if there is one."""
        if user in room.members:
            apply_silence(room, room.members[user])
            self.w.op_mute(room.members[user])

    @staticmethod
    def silence_quietly(room, user):
        """Nothing changes for the data plane."""
        if user in room.members:
            apply_silence(room, room.members[user])

    def silence(self, room, user, mute, actor, reason):
        w = self.w
        mute.until_ns = 0 if mute.held else w.deadline(mute.until_ms)
        room.silenced[user] = mute
        self.silence_member(room, user)
        held = {"hold": True} if mute.held else {}
        w.event(
            room,
            "member.muted",
            actor=actor,
            member=user,
            until_ms=None if mute.held else mute.until_ms or None,
            undo="member" if mute.by_rank == 0 else "hosts",
            reason=reason,
            **held,
        )

    def unsilence(self, room, user, actor, reason):
        del room.silenced[user]
        self.silence_member(room, user)
        self.w.event(room, "member.unmuted", actor=actor, member=user, reason=reason)

    def moderation_mute(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user, reason = body["member"], body.get("reason")
        rank = 0 if user == actor else w.rank(room, actor)
        if user != actor:
            w.need_rank(room, actor, 1)
            refuse_if(w.rank(room, user) >= rank, "not_allowed")
        w.member(room, user)
        refuse_if("duration_ms" in body and "until_ms" in body, "invalid")
        until_ms = body.get("until_ms", 0)
        if "duration_ms" in body:
            until_ms = w.wall_ms + body["duration_ms"]
        refuse_if(until_ms != 0 and until_ms <= w.wall_ms, "invalid")
        # A mute never weakens.
        refuse_if(user in room.silenced and room.silenced[user].by_rank > rank, "conflict")
        undo = body.get("undo", "hosts")
        mute = Mute(until_ms=until_ms, by=actor, by_rank=0 if undo == "member" else rank, held=False)
        mute.held_rank = 0
        w.audit(room, actor, "moderation.mute", user, reason)
        self.silence(room, user, mute, actor, reason)
        return {"room": name, "member": user}

    def moderation_unmute(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user, reason = body["member"], body.get("reason")
        if user != actor:
            w.need_rank(room, actor, 1)
        if user not in room.silenced:
            w.member(room, user)
            refuse_if(True, "conflict")
        rank = 0 if user == actor else w.rank(room, actor)
        refuse_if(rank < room.silenced[user].by_rank, "not_allowed")
        w.audit(room, actor, "moderation.unmute", user, reason)
        self.unsilence(room, user, actor, reason)
        return {"room": name, "member": user}

    def moderation_mute_all(self, actor, name, body):
        w = self.w
        room = w.room(name)
        w.need_rank(room, actor, 1)
        rank, reason = w.rank(room, actor), body.get("reason")
        by_rank = rank if body.get("undo", "member") == "hosts" else 0
        muted = []
        for member in sorted(room.members.values(), key=lambda m: int(m.id)):
            user = member.user
            if member.role not in ("speaker", "cohost") or user == room.host:
                continue
            if user in room.silenced or w.rank(room, user) >= rank:
                continue
            muted.append(user)
            w.audit(room, actor, "moderation.mute_all", user, reason)
            mute = Mute(until_ms=0, by=actor, by_rank=by_rank, held=False, held_rank=0)
            self.silence(room, user, mute, actor, reason)
        if not muted:
            w.audit(room, actor, "moderation.mute_all", None, reason)
        return {"room": name, "members": muted, "muted": len(muted)}

    def shut_out(self, room, user, banned, reason):
        """They may not come back: not by invitation, not by a link of their own, not as a cohost."""
        if room.excluded.get(user, True):  # one by removal stays one
            room.excluded[user] = banned
        shares = room.shares.values()
        room.shares = {s.id: s for s in shares if user not in (s.member, s.actor)}
        if user in room.cohosts:
            room.cohosts.remove(user)
        if user in room.members:
            self.leave_all(room, [room.members[user]], reason)

    def moderation_remove(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user, reason = body["member"], body.get("reason")
        w.need_rank(room, actor, 1)
        refuse_if(w.rank(room, user) >= w.rank(room, actor), "not_allowed")
        w.member(room, user)
        w.audit(room, actor, "moderation.remove", user, reason)
        self.shut_out(room, user, False, "removed")
        if user == room.host:
            self.inherit_now(room)
        return {"room": name, "member": user}

    def inherit_now(self, room):
        """Whose room it was is not to come back: there is no grace time."""
        heir = self.heir(room) if self.w.limits["host_grace_ms"] else None
        if heir is None:
            room.host_left = True
            return
        self.w.audit(room, "stentor", "room.host_changed", heir.user, "host removed")
        self.hand_over(room, heir, None, "host removed")

    def moderation_demote(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user, reason = body["member"], body.get("reason")
        w.need_rank(room, actor, 1)
        refuse_if(w.rank(room, user) >= w.rank(room, actor), "not_allowed")
        member = w.member(room, user)
        refuse_if(member.role in ("listener", "host"), "conflict")
        w.audit(room, actor, "moderation.demote", user, reason)
        self.change_role(room, member, "listener", actor, reason)
        return {"room": name, "member": user, "role": "listener"}

    def rooms_of(self, host):
        rooms = [r for r in self.w.rooms.values() if r.host == host]
        return sorted(rooms, key=lambda r: int(r.id))

    def moderation_ban(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user, reason = body["member"], body.get("reason")
        w.need_rank(room, actor, 2)
        refuse_if(user in (actor, room.host) or w.rank(room, user) == 3, "not_allowed")
        refuse_if(w.is_banned(room.host, user), "already_exists")
        host = room.host
        w.audit(room, actor, "moderation.ban", user, reason)
        w.bans[host, user] = Thing(
            id=str(w.next_id()),
            host=host,
            user=user,
            actor=actor,
            reason=reason or "",
            at_ms=w.wall_ms,
        )
        w.event(room, "moderation.banned", actor=actor, member=user, host=host, reason=reason)
        left = []
        for each in self.rooms_of(host):
            if user in each.members:
                left.append(each.name)
            self.shut_out(each, user, True, "banned")
        return {"room": name, "member": user, "host": host, "rooms": left}

    def moderation_unban(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user, reason = body["member"], body.get("reason")
        w.need_rank(room, actor, 2)
        host = room.host
        # A ban by who had the room before may be on record in this room only.
        here = room.excluded.get(user, False)
        refuse_if(not w.is_banned(host, user) and not here, "no_such_thing")
        w.audit(room, actor, "moderation.unban", user, reason)
        w.bans.pop((host, user), None)
        for each in [room, *self.rooms_of(host)]:
            if each.excluded.get(user, False):
                del each.excluded[user]
        w.event(room, "moderation.unbanned", actor=actor, member=user, host=host, reason=reason)
        return {"room": name, "member": user, "host": host}
