# SPDX-License-Identifier: BSD-3-Clause
"""The log of events folded into a state, and the same state as the program says it is.

What the log tells and what the program answers after a restart have to be the same: an event
without its effect, or an effect without its event, is a difference.
"""


class Room:
    def __init__(self, event):
        self.host = event["actor"]
        self.title = event["title"]
        self.topic = event["topic"]
        self.sequence = 0
        self.members = {}  # by name: role
        self.hands = set()
        self.silenced = set()

    def state(self):
        speaking = {m for m, role in self.members.items() if role != "listener"}
        return {"title": self.title, "topic": self.topic, "room_seq": self.sequence,
                "members": dict(self.members), "hands": set(self.hands),
                "muted": self.silenced & speaking}


class Fold:
    """Events must be given in the order of their sequence numbers."""

    def __init__(self):
        self.sequence = 0
        self.rooms = {}
        self.marks = {}  # by type and id of a request: how many events carry it

    def apply(self, event):
        assert event["seq"] == self.sequence + 1, f"after {self.sequence} comes {event}"
        self.sequence += 1
        for text in ("title", "reason", "message", "text", "reference"):
            mark = event["type"], event.get(text)
            self.marks[mark] = self.marks.get(mark, 0) + 1
        if event["type"] == "room.opened":
            assert event["room"] not in self.rooms, f"opened twice: {event}"
            self.rooms[event["room"]] = Room(event)
        room = self.rooms.get(event.get("room"))
        if room is not None:
            self.apply_to_room(room, event)
        if event["type"] == "room.closed":
            del self.rooms[event["room"]]

    def apply_to_room(self, room, event):
        assert event["room_seq"] == room.sequence + 1, f"after {room.sequence} comes {event}"
        room.sequence += 1
        handler = getattr(self, "on_" + event["type"].replace(".", "_"), None)
        if handler is not None:
            handler(room, event)
        if event["type"] != "room.closed":
            assert event["members"] == len(room.members), f"members: {event}: {room.members}"

    def on_room_updated(self, room, event):
        room.title, room.topic = event["title"], event["topic"]

    def on_member_joined(self, room, event):
        for member in event["joined"]:
            assert member not in room.members, f"joined twice: {event}"
            room.members[member] = event["role"]

    def on_member_left(self, room, event):
        for member in event["left"]:
            del room.members[member]
            room.hands.discard(member)

    def on_member_muted(self, room, event):
        room.silenced.add(event["member"])

    def on_member_unmuted(self, room, event):
        room.silenced.remove(event["member"])

    def on_floor_requested(self, room, event):
        room.hands.add(event["member"])

    def on_floor_cancelled(self, room, event):
        room.hands.remove(event["member"])

    on_floor_denied = on_floor_cancelled

    def on_floor_granted(self, room, event):
        room.hands.discard(event["member"])
        room.members[event["member"]] = event["role"]

    on_floor_released = on_floor_granted

    def state(self):
        return {name: room.state() for name, room in self.rooms.items()}


def pages(client, key, **request):
    """All of a list."""
    after = {}
    while True:
        answer = client.good(limit=500, **request, **after)
        yield from answer[key]
        if answer["next"] is None:
            return
        after = {"after": answer["next"]}


def asked(client):
    """The state as the program answers it."""
    rooms = {}
    for room in pages(client, "rooms", type="room.list"):
        name = room["room"]
        members = list(pages(client, "members", type="member.list", room=name))
        hands = {h["member"] for h in pages(client, "hands", type="floor.list", room=name)}
        rooms[name] = {
            "title": room["title"], "topic": room["topic"], "room_seq": room["room_seq"],
            "members": {m["member"]: m["role"] for m in members},
            "muted": {m["member"] for m in members if m["muted"] and m["role"] != "listener"},
            "hands": hands}
        assert len(members) == room["members"], f"{room}: {members}"
    return rooms


def difference(a, b):
    """In words, or None."""
    for name in sorted(set(a) | set(b)):
        if name not in a or name not in b:
            return f"room {name} is only in {'the log' if name in a else 'the program'}"
        for key, value in a[name].items():
            if b[name][key] != value:
                return f"room {name}, {key}: log {value}, program {b[name][key]}"
    return None
