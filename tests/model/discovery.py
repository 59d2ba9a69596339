# SPDX-License-Identifier: BSD-3-Clause
"""room.list, timeline.get."""
from rooms import page_of
from world import Refusal, refuse_if

SCORES = {"host": 8, "cohost": 6, "speaker": 4, "listener": 1}
ROLES = ["host", "cohost", "speaker", "listener"]


class Discovery:
    def room_list(self, actor, _, body):
        def fits(room):
            return (
                room.state == body.get("state", "live")
                and body.get("topic", room.topic) == room.topic
                and body.get("language", room.language) == room.language
                and body.get("min_members", 0) <= len(room.members)
                and len(room.members) <= body.get("max_members", 2**32 - 1)
            )

        rooms = [r for r in self.w.rooms.values() if fits(r)]
        rooms.sort(key=lambda r: int(r.id))
        if body.get("sort", "id") == "size":
            refuse_if("after" in body, "invalid")
            rooms.sort(key=lambda r: -len(r.members))
            shown = rooms[: body.get("limit", 100)]
            return {"rooms": [self.describe(room) for room in shown], "next": None}
        page, last = page_of(rooms, body, lambda r: r.id)
        return {"rooms": [self.describe(room) for room in page], "next": last}

    def is_shown(self, room, actor):
        """Nobody is shown a room they may not enter, of those for the invited or banned from."""
        if room.access == "invited":
            try:
                self.policy_join(room, actor, actor, "listener", None)
            except Refusal:
                return False
        return not self.w.is_shut_out(room, actor)

    def timeline_get(self, actor, _, body):
        user = self.w.users.get(actor)
        follows = user.follows if user else []
        bubbles = []
        for room in self.w.rooms.values():
            if room.state == "live":
                who = [(m.user, m.role) for m in room.members.values() if m.user in follows]
            else:
                who = [(room.host, "host")] if room.host in follows else []
            if who and self.is_shown(room, actor):
                who.sort(key=lambda pair: (ROLES.index(pair[1]), pair[0]))
                bubbles.append((room, who))

        def order(bubble):
            room, who = bubble
            if room.state == "scheduled":
                return (1, room.starts_ms, 0, int(room.id))
            score = sum(SCORES[role] for _, role in who)
            return (0, -score, -len(room.members), int(room.id))

        bubbles.sort(key=order)
        shown = bubbles[: body.get("limit", 20)]
        return {"bubbles": [self.describe_bubble(*bubble) for bubble in shown]}

    def describe_bubble(self, room, who):
        live = room.state == "live"
        when = {"opened_ms": room.opened_ms} if live else {"starts_ms": room.starts_ms}
        return {
            "room": room.name,
            "title": room.title,
            "topic": room.topic,
            "language": room.language,
            "state": room.state,
            "host": room.host,
            "access": room.access,
            "members": len(room.members),
            "listeners": room.listeners(),
            "speakers": room.speakers(),
            **when,
            "score": sum(SCORES[role] for _, role in who),
            "who": [{"user": user, "role": role} for user, role in who[:5]],
            "followed": len(who),
        }
