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
        self.invited = set()
        self.silenced = set()
        self.pins = set()

    def state(self):
        speaking = {m for m, role in self.members.items() if role != "listener"}
        return {"title": self.title, "topic": self.topic, "room_seq": self.sequence,
                "host": self.host, "members": dict(self.members), "hands": set(self.hands),
                "invited": set(self.invited), "muted": self.silenced & speaking,
                "pins": set(self.pins)}


class Fold:
    """Events must be given in the order of their sequence numbers."""

    def __init__(self):
        self.sequence = 0
        self.rooms = {}
        self.reports = {}  # open ones by id: whom they are about
        self.ledger = set()
        self.draining = False
        self.marks = {}  # by type and id of a request: how many events carry it

    def apply(self, event):
        assert event["seq"] == self.sequence + 1, f"after {self.sequence} comes {event}"
        self.sequence += 1
        for text in ("title", "reason", "message", "text", "reference"):
            mark = event["type"], event.get(text)
            self.marks[mark] = self.marks.get(mark, 0) + 1
        if event["type"] == "room.scheduled" or event["type"] == "room.opened" and not event["scheduled"]:
            assert event["room"] not in self.rooms, f"opened twice: {event}"
            self.rooms[event["room"]] = Room(event)
        handler = getattr(self, "all_" + event["type"].replace(".", "_"), None)
        if handler is not None:
            handler(event)
        if "room_seq" in event:
            self.apply_to_room(self.rooms[event["room"]], event)
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

    def all_report_opened(self, event):
        self.reports[event["report"]] = event["member"]

    def all_report_resolved(self, event):
        del self.reports[event["report"]]

    def all_ticket_issued(self, event):
        self.ledger.add((event["ticket"], "issue"))

    def all_ticket_refunded(self, event):
        self.ledger.add((event["ticket"], "refund"))

    def all_server_draining(self, event):
        self.draining = event["on"]

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
            room.invited.discard(member)

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
        room.invited.discard(event["member"])
        room.members[event["member"]] = event["role"]

    on_floor_released = on_floor_granted
    on_role_changed = on_floor_granted

    def on_floor_invited(self, room, event):
        room.hands.discard(event["member"])
        room.invited.add(event["member"])

    def on_floor_declined(self, room, event):
        room.invited.remove(event["member"])

    def on_floor_expired(self, room, event):
        (room.hands if event["kind"] == "request" else room.invited).remove(event["member"])

    def on_room_host_changed(self, room, event):
        if event["was"] in room.members:
            room.members[event["was"]] = "cohost"
        room.host = event["host"]
        self.on_floor_granted(room, {"member": event["host"], "role": "host"})

    def on_pin_added(self, room, event):
        room.pins.add(event["pin"])

    def on_pin_removed(self, room, event):
        room.pins.remove(event["pin"])

    def state(self):
        rooms = {name: room.state() for name, room in self.rooms.items()}
        rooms["-"] = {"reports": dict(self.reports), "ledger": set(self.ledger),
                      "draining": self.draining}
        return rooms


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
    listed = [room for state in ("live", "scheduled")
              for room in pages(client, "rooms", type="room.list", state=state)]
    for room in listed:
        name = room["room"]
        members = list(pages(client, "members", type="member.list", room=name))
        hands = {h["member"] for h in pages(client, "hands", type="floor.list", room=name)}
        floor = client.good(type="floor.list", room=name)
        pins = client.good(type="room.get", room=name)["room"]["pins"]
        rooms[name] = {
            "title": room["title"], "topic": room["topic"], "room_seq": room["room_seq"],
            "members": {m["member"]: m["role"] for m in members},
            "muted": {m["member"] for m in members if m["muted"] and m["role"] != "listener"},
            "host": room["host"], "hands": hands, "pins": {pin["pin"] for pin in pins},
            "invited": {i["member"] for i in floor["invites"]}}
        assert len(members) == room["members"], f"{room}: {members}"
    rooms["-"] = {
        "reports": {r["report"]: r["member"]
                    for r in pages(client, "reports", type="moderation.reports")},
        "ledger": {(e["ticket"], e["kind"])
                   for e in pages(client, "entries", type="ticket.ledger")},
        "draining": client.good(type="status")["draining"]}
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
