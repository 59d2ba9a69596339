# SPDX-License-Identifier: BSD-3-Clause
"""Requests about rooms, members and the floor."""
from names import ROOMS, USERS

KEYS = [bytes([i]) * 28 for i in range(40)]


class AskRooms:
    """A part of the generator."""

    def wish(self):
        rng = self.rng
        return {
            "title": self.pick([None, "Tea", "T" * 256]),
            "topic": self.pick([None, "food", "t" * 64]),
            "language": self.pick([None, None, "", "de", "pt-BR", "x", "d e"]),
            "access": self.pick([None] * 4 + ["open", "followers", "invited", "ticketed", "ticketed"]),
            "slots": self.pick([None, 1, 8]),
            "duration_ms": self.pick([None] * 6 + [60_000, 3_600_000]),
            "capacity": self.pick([None, None, 3, 6, 100]),
            "speakers_max": self.pick([None, 1, 2, 3, 50]),
            "open_floor": self.pick([None, None, None, True, False]),
            "speakers": self.pick([None, rng.sample(USERS, 2)]),
            "cohosts": self.pick([None, rng.sample(USERS, 2), ["u1", "u1", "u2"]]),
        }

    def eligible(self):
        """Mostly somebody who may host."""
        users = [u for u in self.w.users.values() if u.host_grant or u.followers > 600]
        return self.pick(users).name if users and self.chance(0.7) else self.anybody()

    def free_name(self):
        """Mostly one that no room has."""
        free = [name for name in ROOMS if name not in self.w.rooms]
        return self.pick(free) if free and self.chance(0.8) else self.pick(ROOMS)

    def room_open(self):
        planned = [r for r in self.w.rooms.values() if r.state == "scheduled"]
        if planned and self.chance(0.3):
            room = self.pick(planned)
            body = {"actor": self.chief(room), "room": room.name}
            if self.chance(0.3):
                body["duration_ms"] = 600_000
            if self.chance(0.05):
                body["title"] = "other"
            return body
        return {
            "actor": self.eligible(),
            "room": self.free_name(),
            **self.wish(),
            "group_suite": self.pick([None, None, "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"]),
            "group_key": None if self.chance(0.97) else "00" * 28,
        }

    def room_schedule(self):
        away = [-1, 0, 1, 10_000, 60_000, 600_000, 3_600_000, 7_200_000, 86_400_000]
        body = {"actor": self.eligible(), "room": self.free_name(), **self.wish()}
        body["starts_ms"] = self.wall_ms + self.pick(away)
        if self.chance(0.05):
            body["starts_ms"] = self.wall_ms + 14 * 24 * 3_600_000 + self.pick([0, 1])
        return body

    def share_create(self):
        room = self.room()
        actor = self.member(room) if self.chance(0.5) else self.chief(room)
        return {
            "actor": actor,
            "room": self.name(room),
            "member": self.pick([None, self.anybody()]),
            "duration_ms": self.pick([None, 1, 60_000, 86_400_000]),
        }

    def room_update(self):
        room = self.planned() if self.chance(0.2) else self.room()
        body = {
            "actor": self.chief(room),
            "room": self.name(room),
            "title": self.pick([None, "Coffee", ""]),
            "topic": self.pick([None, "drink"]),
            "language": self.pick([None, None, "fr", "-"]),
            "speakers_max": self.pick([None, None, None, 1, 3, 9]),
            "slots": None if self.chance(0.9) else self.rng.randint(1, 8),
            "group_suite": None if self.chance(0.97) else "AEAD_AES_128_GCM",
        }
        if self.chance(0.5):
            body["open_floor"] = self.pick([None, True, False, False])
            body["capacity"] = self.pick([None, None, 1, 4, 8, 1000])
            body["access"] = self.pick([None] * 4 + ["open", "followers", "invited", "ticketed"])
            if self.chance(0.3):
                body["cohosts"] = self.rng.sample(USERS, self.rng.randint(0, 3))
            if self.chance(0.3):
                body["starts_ms"] = self.wall_ms + self.pick([0, 5000, 100_000, 3_600_000])
        return body

    def room_close(self):
        room = self.room()
        return {"actor": self.chief(room), "room": self.name(room)}

    def room_get(self):
        return {"room": self.name(self.room())}

    def room_list(self):
        return {
            "state": self.pick([None, "live", "scheduled"]),
            "topic": self.pick([None, None, None, "food", ""]),
            "language": self.pick([None, None, None, "de", ""]),
            "min_members": self.pick([None, None, 1, 3]),
            "max_members": self.pick([None, None, 0, 2, 5]),
            "sort": self.pick([None, "id", "size"]),
            **self.paging(),
        }

    # members

    def member_join(self):
        rng = self.rng
        room = self.room()
        actor = self.anybody() if self.chance(0.75) else self.chief(room)
        role = rng.choice(["listener"] * 12 + ["speaker"] * 8 + ["host", "host", "cohost"])
        if role == "host" and room is not None and self.chance(0.8):
            actor = room.host
        if role == "speaker" and room is not None and room.named and self.chance(0.4):
            actor = self.pick(room.named)
        if role == "cohost" and room is not None and room.cohosts:
            actor = self.pick(room.cohosts)
        body = {"actor": actor, "room": self.name(room), "role": role, **self.admission()}
        if self.chance(0.1):
            body["share"] = self.share_code(room)
        if self.chance(0.08):
            body["members"] = [self.item() for _ in range(rng.randint(0, 5))]
            if self.chance(0.9):
                for name in ("address", "port", "tx_key", "rx_key", "member"):
                    body.pop(name, None)
        elif self.chance(0.3):
            body["member"] = self.anybody()
        return body

    def share_code(self, room):
        """Mostly one of this room."""
        if room is not None and room.shares and self.chance(0.8):
            return self.w.codes.get(self.pick(room.shares))
        return self.pick([*self.w.codes.values(), "none"])

    def item(self):
        body = {k: v for k, v in self.admission().items() if v is not None}
        body["member"] = self.anybody()
        if self.chance(0.3):
            body.pop("transport", None)
        return body

    def admission(self):
        if self.chance(0.55):
            spoiled = self.chance(0.03)
            return {
                "transport": "webrtc",
                "duration_ms": self.duration(),
                "port": 5004 if spoiled else None,
            }
        return {
            "transport": self.pick([None, "keyed"]),
            "address": self.pick(["10.0.0.1"] * 8 + ["2001:db8::1"] * 4 + ["224.0.0.1", "::", "x"]),
            "port": self.pick([5004] * 20 + [None]),
            "suite": self.pick([None, None, "AEAD_AES_256_GCM", "AES128_CM_HMAC_SHA1_80"]),
            "protection": self.pick([None] * 8 + ["leg", "group"]),
            "tx_key": self.key(),
            "rx_key": self.key(),
            "payload_type": self.pick([None] * 6 + [111, 96, 97]),
            "audio_level_id": self.pick([None] * 6 + [0, 1]),
            "ssrc": self.pick([None, None, 77]),
            "duration_ms": self.duration(),
        }

    def duration(self):
        return self.pick([None] * 12 + [1, 10_000, 600_000])

    def key(self):
        return self.rng.choice(KEYS).hex() if self.chance(0.1) else None

    def member_token(self):
        room = self.room()
        user = self.member(room)
        actor = user if self.chance(0.5) else self.chief(room)
        return {"actor": actor, "room": self.name(room), "member": self.pick([None, user, user])}

    def member_keys(self):
        body = self.member_token()
        keyed = [(r, m) for r in self.w.rooms.values() for m in r.members.values() if not m.webrtc]
        if keyed and self.chance(0.6):
            room, member = self.pick(keyed)
            actor = member.user if self.chance(0.5) else self.chief(room)
            body = {"actor": actor, "room": room.name, "member": member.user}
        return body

    def member_leave(self):
        return self.member_token()

    def member_list(self):
        role = self.pick([None, None, "listener", "speaker", "host", "cohost"])
        return {"room": self.name(self.room()), "role": role, **self.paging()}
