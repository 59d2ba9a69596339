# SPDX-License-Identifier: BSD-3-Clause
"""Requests of those who keep order."""
from names import MODERATORS
from schema import CATEGORIES


class AskModeration:
    """A part of the generator."""

    def moderation_mute(self):
        body = self.about(self.pick([None, "speaker"]))
        draw = self.rng.random()
        if draw < 0.3:
            body["duration_ms"] = self.pick([1, 5000, 60_000])
        if 0.27 < draw < 0.5:
            body["until_ms"] = self.wall_ms + self.pick([-1, 0, 1, 10_000, 100_000])
        return body

    def moderation_unmute(self):
        body = self.about()
        rooms = [r for r in self.w.rooms.values() if r.silenced]
        if rooms and self.chance(0.7):
            room = self.pick(rooms)
            body.update(actor=self.chief(room), room=room.name, member=self.pick(room.silenced))
        return body

    def moderation_remove(self):
        return self.about()

    def moderation_mute_all(self):
        body = self.about()
        del body["member"]
        body["undo"] = self.pick([None, "hosts", "member"])
        return body

    def moderation_ban(self):
        body = self.about()
        if self.chance(0.1):
            body["member"] = self.pick(MODERATORS)
        elif self.w.bans and self.chance(0.1):
            body["member"] = self.pick(self.w.bans)[1]
        return body

    def moderation_unban(self):
        body = self.about()
        if self.w.bans and self.chance(0.8):
            host, user = self.pick(self.w.bans)
            rooms = [r for r in self.w.rooms.values() if r.host == host]
            if rooms:
                room = self.pick(rooms)
                body.update(actor=self.chief(room), room=room.name, member=user)
        return body

    def moderation_demote(self):
        return self.about(self.pick(["speaker", "speaker", "cohost"]))

    def moderation_report(self):
        room = self.room()
        # A few are reported by many.
        member = self.member(room) if self.chance(0.5) else self.pick(["u1", "u2"])
        return {
            "actor": self.anybody(),
            "room": self.name(room),
            "member": member,
            "category": self.pick(CATEGORIES),
            "text": self.pick([None, "", "rude", "x" * 1024]),
        }

    def moderation_reports(self):
        room = self.room()
        return {
            "actor": None if self.chance(0.3) else self.chief(room),
            "room": self.name(room) if self.chance(0.8) else None,
            "member": self.pick([None, None, "u1"]),
            "state": self.pick([None, "open", "resolved"]),
            **self.paging(),
        }

    def moderation_resolve(self):
        waiting = [r for r in self.w.reports.values() if r.state == 0 or self.chance(0.1)]
        report = self.pick(waiting)
        rooms = [r for r in self.w.rooms.values() if report and r.id == report.room_id]
        actor = self.chief(rooms[0]) if rooms else self.anybody()
        if report and not rooms and self.chance(0.5):
            actor = report.host
        body = {"actor": actor, "resolution": self.pick(["upheld", "dismissed", "dismissed"])}
        body["report"] = report.id if report and self.chance(0.95) else self.pick(["1", "x"])
        body["room"] = self.pick([None, None, report.room if report else "room0"])
        body["note"] = self.pick([None, "seen", "n" * 256])
        return body
