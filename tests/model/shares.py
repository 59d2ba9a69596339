# SPDX-License-Identifier: BSD-3-Clause
"""share.create, and who gets in by which door."""
from world import Thing, digest_of, refuse_if

WEEK_MS = 7 * 24 * 3600 * 1000
SHARES_MAX = 1000  # of a room


class Share(Thing):
    """member "": whoever has the code."""


class Shares:
    def share_create(self, actor, name, body):
        w = self.w
        room = w.room(name)
        if w.rank(room, actor) < 1:
            refuse_if(room.access in ("invited", "ticketed"), "not_allowed")
            refuse_if(actor not in room.members, "not_allowed")
        refuse_if(len(room.shares) >= SHARES_MAX, "capacity")
        minted = w.minted()
        code = minted.get("code")
        share = Share(
            id=minted.get("share"),
            room_id=room.id,
            actor=actor,
            member=body.get("member", ""),
            expires_ms=w.wall_ms + body.get("duration_ms", WEEK_MS),
            digest=digest_of(code) if code else None,
        )
        w.codes[share.id] = code  # what the one who asked knows
        room.shares[share.id] = share
        w.event(
            room,
            "share.created",
            actor=actor,
            share=share.id,
            member=share.member or None,
            expires_ms=share.expires_ms,
        )
        url = f"{w.limits['public_url']}/room/{name}#share={code}"
        return {
            "room": name,
            "share": share.id,
            "code": code,
            "url": url,
            "expires_ms": share.expires_ms,
        }

    def share_due(self):
        """An expired share is dropped, without an event."""
        dropped = False
        for room in self.w.rooms.values():
            for share in list(room.shares.values()):
                if share.expires_ms <= self.w.wall_ms:
                    del room.shares[share.id]
                    dropped = True
        return dropped

    # ---- the door ----

    def follows_hosts(self, room, user):
        known = self.w.users.get(user)
        hosts = [room.host, *room.cohosts]
        return known is not None and any(host in known.follows for host in hosts)

    def is_invited(self, room, user, code):
        digest = digest_of(code) if code is not None else None
        for share in room.shares.values():
            if share.expires_ms <= self.w.wall_ms:
                continue
            if share.member == user:
                return True
            if share.digest == digest and share.member == "":
                return True
        return False

    def policy_enter(self, room, actor, user, code):
        if self.w.rank(room, user) >= 1 or user in room.named:
            return
        if room.access == "ticketed":
            refuse_if(self.ticket_of(room, user) is None, "not_allowed")
            return
        if self.is_invited(room, user, code) or actor != user or room.access == "open":
            return
        follows = room.access == "followers" and self.follows_hosts(room, user)
        refuse_if(not follows, "not_allowed")

    def policy_join(self, room, actor, user, role, code):
        w = self.w
        if actor != user:
            w.need_rank(room, actor, 1)
        refuse_if(w.is_shut_out(room, user), "not_allowed")
        refuse_if(role == "host" and user != room.host, "not_allowed")
        cohost = user in room.cohosts and user != room.host
        refuse_if(role == "cohost" and not cohost, "not_allowed")
        free = w.rank(room, actor) >= 1 or self.may_speak(room, user)
        refuse_if(role == "speaker" and not free, "not_allowed")
        self.policy_enter(room, actor, user, code)

    def may_speak(self, room, user):
        hosts = [room.host, *room.cohosts]
        return room.open_floor or user in hosts or user in room.named

    @staticmethod
    def share_state(share):
        return vars(share)
