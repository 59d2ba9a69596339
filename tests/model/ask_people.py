# SPDX-License-Identifier: BSD-3-Clause
"""Requests about people, and what they are shown."""
from names import MODERATORS, USERS

STRANGERS = ["s0", "s1", "s2"]  # nobody tells of them, some follow them


class AskPeople:
    """A part of the generator."""

    def user_upsert(self):
        rng = self.rng
        user = self.pick(MODERATORS) if self.chance(0.15) else self.anybody()
        body = {"actor": self.anybody(), "user": user}
        if self.chance(0.5):
            body["followers"] = self.pick([0, 600, 601, 700, 5000])
        if self.chance(0.6):
            body["follows"] = rng.sample(USERS + STRANGERS, rng.randint(0, 6))
        if self.chance(0.02):
            body["follows"] = [f"f{i}" for i in range(13)]
        if self.chance(0.05):
            body["follows"] = ["u1", "u1"]
        if self.chance(0.2):
            body["host_grant"] = self.chance(0.5)
        if user in MODERATORS:
            body["moderator"] = self.chance(0.8)
        elif self.chance(0.05):
            body["moderator"] = False
        return body

    def user_get(self):
        return {"user": self.pick(USERS + MODERATORS + STRANGERS)}

    def timeline_get(self):
        return {"actor": self.anybody(), "limit": self.pick([None, None, 1, 2])}

    def audit_list(self):
        room = self.room()
        return {
            "actor": None if self.chance(0.2) else self.chief(room),
            "room": self.name(room) if self.chance(0.7) else None,
            "from_ms": self.pick([None, 5]),
            "to_ms": self.pick([None, None, 4, 6]),
            **self.paging(),
        }

    def drain(self):
        """Seldom on for long."""
        return {"actor": self.anybody(), "on": False if self.w.draining else self.pick([None, True])}
