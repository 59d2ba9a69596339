# SPDX-License-Identifier: BSD-3-Clause
"""pin.add, pin.remove, audit.list, drain."""
import re

from rooms import page_of
from world import Thing, refuse_if

PINS_MAX = 8
URL = re.compile(r"https?://[^/?#:@\x00-\x20\x7f][^\x00-\x20\x7f]*\Z", re.IGNORECASE)


class Pins:
    def pin_add(self, actor, name, body):
        w = self.w
        room = w.room(name)
        w.need_rank(room, actor, 1)
        refuse_if("text" not in body and "url" not in body, "invalid")
        refuse_if("url" in body and not URL.match(body["url"]), "invalid")
        refuse_if(len(room.pins) >= PINS_MAX, "capacity")
        pin = Thing(
            id=w.minted().get("pin"),
            room_id=room.id,
            actor=actor,
            at_ms=w.wall_ms,
            text=body.get("text", ""),
            url=body.get("url", ""),
        )
        room.pins[pin.id] = pin
        w.audit(room, actor, "pin.add")
        text, url = pin.text or None, pin.url or None
        w.event(room, "pin.added", actor=actor, pin=pin.id, text=text, url=url)
        return {"room": name, "pin": pin.id}

    def pin_remove(self, actor, name, body):
        w = self.w
        room = w.room(name)
        w.need_rank(room, actor, 1)
        refuse_if(body["pin"] not in room.pins, "no_such_thing")
        del room.pins[body["pin"]]
        w.audit(room, actor, "pin.remove")
        w.event(room, "pin.removed", actor=actor, pin=body["pin"])
        return {"room": name, "pin": body["pin"]}

    def need_sight(self, actor, room_name):
        """Platform moderators see all, hosts what is of their room, events.sock by itself all."""
        w = self.w
        if actor is None or w.is_moderator(actor):
            return
        refuse_if(room_name is None, "not_allowed")
        w.need_rank(w.room(room_name), actor, 1)

    def audit_list(self, actor, room_name, body):
        self.need_sight(actor, room_name)
        page_of([], body, None)
        refuse_if(body.get("from_ms", 0) > body.get("to_ms", 2**63 - 1), "invalid")
        return {}  # read from the database by the conductor

    def drain(self, actor, _, body):
        w = self.w
        on = body.get("on", True)
        if w.draining != on:
            w.draining = on
            w.audit(None, actor, "drain", None, "on" if on else "off")
            w.event(None, "server.draining", actor=actor, on=on)
        return {"draining": on}
