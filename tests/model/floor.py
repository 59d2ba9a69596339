# SPDX-License-Identifier: BSD-3-Clause
"""floor.request, cancel, accept, grant, deny, invite, release, list; and who expires."""
from rooms import page_of
from world import Thing, refuse_if

EXPIRE_A_STEP = 64


class Hand(Thing):
    """kind "request" or "invite"; by: who invites."""


class Floor:
    def hand_is(self, member, kind):
        """One that has expired counts for nothing."""
        hand = member.hand
        return hand is not None and hand.kind == kind and not self.w.passed(hand.until_ns)

    def queue(self, room, kind):
        members = [m for m in room.members.values() if m.hand and m.hand.kind == kind]
        return sorted(members, key=lambda m: m.hand.id)

    def asking(self, room):
        return self.queue(room, "request")

    def floor_fields(self, room, member, actor, reason):
        fields = {"actor": actor, "member": member.user, "role": member.role}
        if reason is not None:
            fields["reason"] = reason
        fields["hands"] = len(self.asking(room))
        if member.hand is not None:
            if member.hand.kind == "request":
                fields["message"] = member.hand.message
            fields["expires_ms"] = member.hand.until_ms or None
        return fields

    def floor_event(self, room, kind, actor, member, reason=None, **more):
        self.w.event(room, kind, **self.floor_fields(room, member, actor, reason), **more)

    def raise_hand(self, member, kind, until_ms, source, message="", by=""):
        """In place of what there was; a request goes on in its place."""
        w = self.w
        hand = Hand(kind=kind, message=message, by=by, until_ms=until_ms, source=source)
        hand.until_ns = w.deadline(until_ms)
        old = member.hand
        if old is not None and old.kind == kind:
            hand.id, hand.at_ms = old.id, old.at_ms
        else:
            hand.id, hand.at_ms = w.next_id(), w.wall_ms
        member.hand = hand

    def give_floor(self, room, member, actor, reason=None, **more):
        self.give_role(room, member, "speaker")
        leg = {} if member.webrtc else {"leg": member.leg}
        self.floor_event(room, "floor.granted", actor, member, reason, **leg, **more)

    def floor_answer(self, room, member, **more):
        return {"room": room.name, "member": member.user, "role": member.role, **more}

    @staticmethod
    def check_source(member, body):
        """What a keyed member will send; a browser agrees on it by SDP."""
        usual = {"ssrc": 0, "audio_level_id": 0, "payload_type": 111}
        said = any(body.get(name, value) != value for name, value in usual.items())
        refuse_if(member.webrtc and said, "invalid")
        return {name: body.get(name, value) for name, value in usual.items()}

    def expiry(self, duration_ms, fallback):
        lasts = duration_ms or self.w.limits[fallback]
        return self.w.wall_ms + lasts if lasts else 0

    def accept_invite(self, room, member):
        by = member.hand.by
        self.need_place(room, member, "speaker")
        self.give_floor(room, member, by, accepted=True)

    def floor_request(self, actor, name, body, page):
        room = self.w.room(name)
        member = self.w.member(room, actor)
        refuse_if(member.role != "listener", "conflict")
        source = self.check_source(member, body)
        if self.hand_is(member, "invite"):
            self.accept_invite(room, member)
        elif self.may_speak(room, actor):
            self.need_place(room, member, "speaker")
            self.give_floor(room, member, actor)
        else:
            until_ms = self.expiry(body.get("duration_ms"), "floor_request_ms")
            self.raise_hand(member, "request", until_ms, source, message=body.get("message", ""))
            self.floor_event(room, "floor.requested", actor, member)
        if member.hand is None:
            leg = self.leg_answer(member, page)
            return self.floor_answer(room, member, granted=True, **leg)
        position = self.asking(room).index(member)
        expires = member.hand.until_ms or None
        return self.floor_answer(
            room, member, granted=False, position=position, expires_ms=expires
        )

    def floor_cancel(self, actor, name, body):
        room = self.w.room(name)
        member = self.w.member(room, actor)
        answer = self.floor_answer(room, member)
        if member.hand is not None:
            kind = "floor.declined" if member.hand.kind == "invite" else "floor.cancelled"
            member.hand = None
            self.floor_event(room, kind, actor, member)
        return answer

    def floor_accept(self, actor, name, body, page):
        room = self.w.room(name)
        member = self.w.member(room, actor)
        refuse_if(not self.hand_is(member, "invite"), "conflict")
        self.check_source(member, body)
        self.accept_invite(room, member)
        return self.floor_answer(room, member, **self.leg_answer(member, page))

    def find_asking(self, room, actor, user):
        self.w.need_rank(room, actor, 1)
        member = self.w.member(room, user)
        refuse_if(not self.hand_is(member, "request"), "conflict")
        return member

    def grant(self, room, member, actor, action, reason):
        self.need_place(room, member, "speaker")
        self.w.audit(room, actor, action, member.user, reason)
        self.give_floor(room, member, actor, reason)

    def floor_grant(self, actor, name, body, page):
        room = self.w.room(name)
        member = self.find_asking(room, actor, body["member"])
        self.grant(room, member, actor, "floor.grant", body.get("reason"))
        return self.floor_answer(room, member, **self.leg_answer(member, page))

    def floor_deny(self, actor, name, body):
        room = self.w.room(name)
        member = self.find_asking(room, actor, body["member"])
        reason = body.get("reason")
        self.w.audit(room, actor, "floor.deny", member.user, reason)
        member.hand = None
        self.floor_event(room, "floor.denied", actor, member, reason)
        return self.floor_answer(room, member)

    def floor_invite(self, actor, name, body, page):
        w = self.w
        room = w.room(name)
        w.need_rank(room, actor, 1)
        member = w.member(room, body["member"])
        reason = body.get("reason")
        refuse_if(member.role != "listener", "conflict")
        if self.hand_is(member, "request"):
            self.grant(room, member, actor, "floor.invite", reason)
            leg = self.leg_answer(member, page)
            return self.floor_answer(room, member, granted=True, **leg)
        w.audit(room, actor, "floor.invite", member.user, reason)
        until_ms = self.expiry(body.get("duration_ms"), "floor_invite_ms")
        usual = {"ssrc": 0, "audio_level_id": 0, "payload_type": 111}
        self.raise_hand(member, "invite", until_ms, usual, by=actor)
        self.floor_event(room, "floor.invited", actor, member, reason)
        expires = member.hand.until_ms or None
        return self.floor_answer(room, member, granted=False, expires_ms=expires)

    def floor_release(self, actor, name, body):
        room = self.w.room(name)
        member = self.w.member(room, actor)
        refuse_if(member.role != "speaker", "conflict")
        self.give_role(room, member, "listener")
        self.floor_event(room, "floor.released", actor, member)
        return self.floor_answer(room, member)

    def describe_hand(self, member):
        hand = member.hand
        found = {
            "member": member.user,
            "member_id": member.id,
            "kind": hand.kind,
            "at_ms": hand.at_ms,
            "expires_ms": hand.until_ms or None,
        }
        found.update({"message": hand.message} if hand.kind == "request" else {"by": hand.by})
        return found

    def floor_list(self, actor, name, body):
        room = self.w.room(name)
        asking, invited = self.asking(room), self.queue(room, "invite")
        shown, more = page_of(asking, body, lambda m: str(m.hand.id))
        last = self.w.minted().get("next")  # the id of a hand is said nowhere else
        hands = [{**self.describe_hand(m), "position": asking.index(m)} for m in shown]
        limit = 0 if "after" in body else body.get("limit", 100)
        return {
            "hands": hands,
            "count": len(asking),
            "invites": [self.describe_hand(m) for m in invited[:limit]],
            "invited": len(invited),
            "next": last if more else None,
        }

    def floor_due(self):
        """Those of one room and kind that have expired, in the order of asking."""
        w = self.w
        for room in sorted(w.rooms.values(), key=lambda r: int(r.id)):
            for kind in ("request", "invite"):
                over = [m for m in self.queue(room, kind) if w.passed(m.hand.until_ns)]
                for member in over[:EXPIRE_A_STEP]:
                    member.hand = None
                    hands = len(self.asking(room))
                    w.event(room, "floor.expired", member=member.user, kind=kind, hands=hands)
                if over:
                    return True
        return False
