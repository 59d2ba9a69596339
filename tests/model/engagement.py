# SPDX-License-Identifier: BSD-3-Clause
"""reaction.send, reminder.set, reminder.cancel, and what the clock makes of them."""
from world import Thing, refuse_if

WINDOW_MS = 500
GRID_MS = 50
SPREAD_S = 60


class Engagement:
    # ---- reactions ----

    def reaction_send(self, actor, name, body):
        w = self.w
        emoji, count = body["emoji"], body.get("count", 1)
        refuse_if(emoji not in w.limits["reactions"], "invalid")
        room = w.room(name)
        w.member(room, actor)
        room.reactions[emoji] = room.reactions.get(emoji, 0) + count
        room.fresh[emoji] = room.fresh.get(emoji, 0) + count
        if room.flush_ms is None:
            room.flush_ms = -(-(w.mono_ms + WINDOW_MS) // GRID_MS) * GRID_MS
            room.flush_place = w.number
        return {"room": name, "emoji": emoji, "count": count}

    def reaction_due(self):
        """All rooms whose half second is over are told in one step."""
        w = self.w
        over = [r for r in w.rooms.values() if r.flush_ms is not None and r.flush_ms <= w.mono_ms]
        for room in sorted(over, key=lambda r: (r.flush_ms, r.flush_place)):
            live = {
                "type": "room.reactions",
                "at_ms": w.wall_ms,
                "room": room.name,
                "counts": room.fresh,
                "total": dict(room.reactions),
                "window_ms": WINDOW_MS,
            }
            w.live.append(live)
            room.fresh, room.flush_ms = {}, None
        return bool(over)

    # ---- reminders ----

    def reminder_set(self, actor, name, body):
        w = self.w
        room = w.room(name)
        refuse_if(room.state != "scheduled", "conflict")
        old = room.reminders.get(actor)
        full = len(room.reminders) >= w.limits["room_members_max"]
        refuse_if(old is None and full, "capacity")
        before_ms = body.get("before_ms", 0)
        reminder = Thing(id=old.id if old else w.minted().get("reminder"), user=actor)
        reminder.before_ms = before_ms
        if all(r.user == actor for r in self.group(room, before_ms)):
            room.begun.pop(before_ms, None)  # it begins anew, whatever was in it before
        room.reminders[actor] = reminder
        self.split_many(room, before_ms)
        return {"room": name, "reminder": reminder.id, "due_ms": room.starts_ms - before_ms}

    def group(self, room, before_ms):
        found = [r for r in room.reminders.values() if r.before_ms == before_ms]
        return sorted(found, key=lambda r: int(r.id))

    def split_many(self, room, before_ms):
        """Once they are many they are told in as many events as there are seconds of them."""
        if len(self.group(room, before_ms)) > self.w.limits["reminder_spread_min"]:
            room.split.add(before_ms)

    def reminder_cancel(self, actor, name, body):
        room = self.w.room(name)
        refuse_if(actor not in room.reminders, "no_such_thing")
        reminder = room.reminders.pop(actor)
        return {"room": name, "reminder": reminder.id}

    def reminder_due(self):
        """One event of those who are due at the same time; many are spread over a minute."""
        for room in sorted(self.w.rooms.values(), key=lambda r: int(r.id)):
            befores = sorted({r.before_ms for r in room.reminders.values()}, reverse=True)
            for before_ms in befores:
                if self.remind(room, before_ms):
                    return True
        return False

    def remind(self, room, before_ms):
        w = self.w
        live = room.state == "live"
        due_ms = room.opened_ms if live else room.starts_ms - before_ms
        group = self.group(room, before_ms)
        if not live and due_ms > w.wall_ms:
            return False
        # As many as there are when it begins: they get fewer, and stay spread.
        if room.begun.get(before_ms, (None,))[0] != due_ms:
            many = len(group) > w.limits["reminder_spread_min"]
            room.begun[before_ms] = (due_ms, many and not live)
        second = min(int(r.id) % SPREAD_S for r in group)
        if room.begun[before_ms][1] and due_ms + second * 1000 > w.wall_ms:
            return False
        if before_ms in room.split:
            group = [r for r in group if int(r.id) % SPREAD_S == second]
        for reminder in group:
            del room.reminders[reminder.user]
        w.event(
            room,
            "reminder.due",
            reminders=[{"reminder": r.id, "user": r.user} for r in group],
            due_ms=due_ms,
            starts_ms=room.opened_ms if live else room.starts_ms,
        )
        return True
