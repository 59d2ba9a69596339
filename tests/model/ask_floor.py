# SPDX-License-Identifier: BSD-3-Clause
"""Requests for the floor, about roles, and what people do with a room."""


class AskFloor:
    """A part of the generator."""

    def source(self):
        """What a keyed member will send; wrong for a browser."""
        if self.chance(0.95):
            return {}
        return {"ssrc": 99, "payload_type": self.pick([None, 111, 96]), "audio_level_id": 1}

    def floor_request(self):
        room = self.room()
        return {
            "actor": self.member(room, "listener"),
            "room": self.name(room),
            "message": self.pick([None, "me", "me too", "\u00fc" * 70, "\u00fc" * 71]),
            "duration_ms": self.pick([None, None, 10_000, 60_000]),
            **self.source(),
        }

    def with_hand(self, kind):
        """A member who asks or is invited, and their room."""
        found = [
            (room, m)
            for room in self.w.rooms.values()
            for m in room.members.values()
            if m.hand is not None and m.hand.kind == kind
        ]
        return self.pick(found)

    def floor_cancel(self):
        found = self.with_hand(self.pick(["request", "request", "invite"]))
        if found is None or self.chance(0.3):
            room = self.room()
            return {"actor": self.member(room, "listener"), "room": self.name(room)}
        return {"actor": found[1].user, "room": found[0].name}

    def floor_accept(self):
        found = self.with_hand("invite")
        body = self.floor_cancel()
        if found is not None and self.chance(0.85):
            body = {"actor": found[1].user, "room": found[0].name}
        return {**body, **self.source()}

    def floor_release(self):
        room = self.room()
        return {"actor": self.member(room, "speaker"), "room": self.name(room)}

    def floor_grant(self):
        """Mostly to somebody who asks."""
        body = self.about("listener")
        found = self.with_hand("request")
        if found is not None and self.chance(0.7):
            room, member = found
            body.update(actor=self.chief(room), room=room.name, member=member.user)
        return body

    def floor_deny(self):
        return self.floor_grant()

    def floor_invite(self):
        body = self.floor_grant() if self.chance(0.2) else self.about("listener")
        body["duration_ms"] = self.pick([None, 1000, 60_000])
        return body

    def floor_list(self):
        return {"room": self.name(self.room()), **self.paging()}

    def role_set(self):
        role = self.pick(["listener", "speaker", "speaker", "cohost", "cohost", "host"])
        return {**self.about(self.pick([None, "listener", "speaker"])), "role": role}

    # what people do with a room

    def pin_add(self):
        room = self.room()
        return {
            "actor": self.chief(room),
            "room": self.name(room),
            "text": self.pick([None, "read this", "\u00fc" * 256]),
            "url": self.pick([None, "https://example.org/", "ftp://x", "http://a b", "HTTP://x:1"]),
        }

    def pin_remove(self):
        rooms = [r for r in self.w.rooms.values() if r.pins]
        room = self.pick(rooms) if rooms and self.chance(0.8) else self.room()
        pins = list(room.pins) if room else []
        body = {"actor": self.chief(room), "room": self.name(room)}
        body["pin"] = self.pick(pins) if pins and self.chance(0.9) else self.pick(["1", "x"])
        return body

    def reaction_send(self):
        room = self.room()
        return {
            "actor": self.member(room),
            "room": self.name(room),
            "emoji": self.pick(self.w.limits["reactions"] + ["x"]),
            "count": self.pick([None, 1, 10]),
        }

    def planned(self):
        rooms = [r for r in self.w.rooms.values() if r.state == "scheduled"]
        return self.pick(rooms) if rooms and self.chance(0.85) else self.room()

    def reminder_set(self):
        return {
            "actor": self.anybody(),
            "room": self.name(self.planned()),
            "before_ms": self.pick([None, None, 0, 5000, 60_000, 86_400_000]),
        }

    def reminder_cancel(self):
        rooms = [r for r in self.w.rooms.values() if r.reminders]
        room = self.pick(rooms) if rooms and self.chance(0.8) else self.planned()
        users = list(room.reminders) if room else []
        actor = self.pick(users) if users and self.chance(0.9) else self.anybody()
        return {"actor": actor, "room": self.name(room)}
