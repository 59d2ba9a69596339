# SPDX-License-Identifier: BSD-3-Clause
"""What must hold whatever the rules are; looks only at what the program says, not at the model."""


class Broken(Exception):
    pass


def check(condition, sentence):
    if not condition:
        raise Broken(sentence)


class Follower:
    """A subscriber who believes only the events, and a data plane that believes only operations."""

    def __init__(self, limits):
        self.limits = limits
        self.seq = 0
        self.room_seq = {}  # of live and scheduled rooms, by name
        self.present = {}  # users by room name
        self.legs = {}  # leg_put as it is now, by leg
        self.room_ids = set()

    # ---- after each step ----

    def see(self, outcome):
        for event in outcome.get("events", []):
            self.see_event(event)
        for op in outcome.get("ops", []):
            self.see_op(op)

    def see_event(self, event):
        check(event["seq"] == self.seq + 1, f"seq {event['seq']} follows {self.seq}")
        self.seq += 1
        room = event.get("room")
        if "room_seq" not in event:
            return
        kind = event["type"]
        if room not in self.room_seq:
            first = kind in ("room.opened", "room.scheduled")
            check(first, f"{kind} of {room}, which is not there")
            self.room_seq[room], self.present[room] = 0, set()
        check(
            event["room_seq"] == self.room_seq[room] + 1,
            f"room_seq {event['room_seq']} of {room} follows {self.room_seq[room]}",
        )
        self.room_seq[room] += 1
        self.see_people(room, event)
        if kind == "room.closed":
            del self.room_seq[room], self.present[room]

    def see_people(self, room, event):
        present = self.present[room]
        for user in event.get("joined", []):
            check(user not in present, f"{user} joined {room} twice")
            present.add(user)
        for user in event["left"] if event["type"] == "member.left" else []:
            check(user in present, f"{user} left {room} without having joined")
            present.discard(user)
        if event["type"] == "room.closed":
            present.clear()
        check(
            event["members"] == len(present) == event["listeners"] + event["speakers"],
            f"{event['type']}: {event['members']} members in {room}, by the events {len(present)}",
        )

    def see_op(self, op):
        kind = op["op"]
        if kind == "room_put":
            self.room_ids.add(op["room"])
        elif kind == "room_remove":
            check(op["room"] in self.room_ids, "room_remove of a room that is not there")
            self.room_ids.discard(op["room"])
            left = [leg for leg, put in self.legs.items() if put["room"] == op["room"]]
            check(not left, f"the room is removed and has legs: {left}")
        elif kind == "leg_put":
            check(op["room"] in self.room_ids, "leg_put into a room that is not there")
            self.legs[op["leg"]] = dict(op)
        elif kind == "leg_remove":
            check(op["leg"] in self.legs, "leg_remove of a leg that is not there")
            del self.legs[op["leg"]]
        elif kind == "leg_mute":
            check(op["leg"] in self.legs, "leg_mute of a leg that is not there")
            self.legs[op["leg"]].update(muted=op["muted"], until_ns=op["until_ns"])

    # ---- of a whole state ----

    def look(self, state):
        check(state["seq"] == self.seq, f"the registry is at {state['seq']}, events at {self.seq}")
        legs, tokens = 0, 0
        check(len(state["rooms"]) <= self.limits["rooms_max"], "more rooms than rooms_max")
        check(state["members"] <= self.limits["members_max"], "more members than members_max")
        for room in state["rooms"]:
            legs += sum(m["leg"] != "0" for m in room["members"])
            tokens += sum(m["token"] is not None for m in room["members"])
            self.look_at_room(room)
        check(legs == state["legs"] == len(self.legs), "legs: registry, index and data plane differ")
        check(tokens == state["tokens"], "a token that is of no member")
        self.look_at_money(state)

    def look_at_room(self, room):
        name = room["room"]
        users = {m["member"] for m in room["members"]}
        check(room["counts_right"], f"{name}: the counts kept are not the counts")
        check(self.present.get(name) == users, f"{name}: who is there is not who joined and stayed")
        check(self.room_seq[name] == room["room_seq"], f"{name}: room_seq")
        gone = users & set(room["excluded"])
        check(not gone, f"{name}: removed, and in the room: {gone}")
        live = room["state"] == 1
        check(live == (room["room_id"] in self.room_ids), f"{name}: programmed although not live")
        check(live or not users, f"{name}: members before it has begun")
        quiet = {m["member_id"] for m in room["members"] if m["muted"] or not m["sends"]}
        here = {m["member_id"] for m in room["members"]}
        for holder in room["holders"]:
            check(holder in here, f"{name}: a slot is held by somebody who is not there")
            check(holder not in quiet, f"{name}: a slot is held by somebody muted")
        for member in room["members"]:
            self.look_at_member(room, member)

    def look_at_member(self, room, member):
        user = member["member"]
        if member["leg"] == "0":
            return
        put = self.legs.get(member["leg"])
        check(put is not None, f"{user}: the data plane does not have the leg")
        check(put["member"] == member["member_id"], f"{user}: the leg is somebody else's")
        for part in ("sends", "muted", "until_ns"):
            check(
                put[part] == member[part],
                f"{user}: {part} is {member[part]}, in the data plane {put[part]}",
            )
        if user in room["silenced"] and member["sends"]:
            check(put["muted"], f"{user}: is muted and can be heard")

    def look_at_money(self, state):
        """Each entry sums to zero, and so does a ticket that was refunded."""
        of_ticket = {}
        for entry in state["entries"]:
            parts = entry["provider_fee"] + entry["fee"] + entry["share"]
            check(entry["price"] == parts, f"entry {entry['id']} does not balance")
            sums = of_ticket.setdefault(entry["ticket_id"], [0, 0, 0, 0])
            for at, name in enumerate(("price", "provider_fee", "fee", "share")):
                sums[at] += entry[name]
        for ticket in state["tickets"]:
            sums = of_ticket.get(ticket["id"])
            check(sums is not None, f"ticket {ticket['id']} is not in the ledger")
            check(ticket["state"] == 0 or not any(sums), f"ticket {ticket['id']}: refunded in part")
            check(ticket["state"] == 1 or sums[0] == int(ticket["price"]), f"ticket {ticket['id']}: price")

    def reprogram(self, state):
        """After a restart a resync says everything again: the same legs, or fewer that are late."""
        before = set(self.legs)
        now = {m["leg"]: (r, m) for r in state["rooms"] for m in r["members"] if m["leg"] != "0"}
        check(before == set(now), "a restart makes or loses legs")
        for leg, (room, member) in now.items():
            old = self.legs[leg]
            check(old["sends"] == member["sends"], f"{member['member']}: sends, after a restart")
            over = 0 < old["until_ns"]
            check(old["muted"] == member["muted"] or over, f"{member['member']}: a mute got lost")
            old.update(muted=member["muted"], until_ns=member["until_ns"])
