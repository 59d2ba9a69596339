# SPDX-License-Identifier: BSD-3-Clause
"""Which types were answered with what, and what the documentation promises and never happened."""

REFUSALS = {
    "room.open": "invalid not_allowed already_exists capacity unavailable",
    "room.schedule": "invalid not_allowed already_exists capacity unavailable",
    "share.create": "invalid not_allowed no_such_room rate_limited",
    "room.update": "invalid not_allowed no_such_room conflict",
    "room.close": "not_allowed no_such_room",
    "room.get": "no_such_room",
    "room.list": "invalid",
    "member.join": """invalid not_allowed no_such_room already_exists capacity conflict
        unavailable""",
    "member.token": "not_allowed no_such_room no_such_member conflict",
    "member.leave": "not_allowed no_such_room no_such_member",
    "member.list": "invalid no_such_room",
    "floor.request": "invalid no_such_room no_such_member conflict capacity rate_limited",
    "floor.cancel": "no_such_room no_such_member rate_limited",
    "floor.accept": "invalid no_such_room no_such_member conflict capacity rate_limited",
    "floor.grant": """invalid not_allowed no_such_room no_such_member conflict capacity
        rate_limited""",
    "floor.deny": "invalid not_allowed no_such_room no_such_member conflict rate_limited",
    "floor.invite": "invalid not_allowed no_such_room no_such_member conflict rate_limited",
    "floor.release": "no_such_room no_such_member conflict",
    "floor.list": "invalid no_such_room",
    "role.set": """invalid not_allowed no_such_room no_such_member conflict capacity
        rate_limited""",
    "pin.add": "invalid not_allowed no_such_room capacity rate_limited",
    "pin.remove": "not_allowed no_such_room no_such_thing rate_limited",
    "reaction.send": "invalid no_such_room no_such_member rate_limited",
    "reminder.set": "invalid no_such_room conflict capacity",
    "reminder.cancel": "no_such_room no_such_thing",
    "timeline.get": "",
    "audit.list": "invalid not_allowed no_such_room",
    "drain": "",
    "moderation.mute": """invalid not_allowed no_such_room no_such_member conflict
        rate_limited""",
    "moderation.unmute": """invalid not_allowed no_such_room no_such_member conflict
        rate_limited""",
    "moderation.remove": "invalid not_allowed no_such_room no_such_member rate_limited",
    "moderation.mute_all": "invalid not_allowed no_such_room rate_limited",
    "moderation.demote": """invalid not_allowed no_such_room no_such_member conflict
        rate_limited""",
    "moderation.report": "invalid not_allowed no_such_room already_exists rate_limited",
    "moderation.reports": "invalid not_allowed rate_limited",
    "moderation.resolve": "invalid not_allowed no_such_thing conflict rate_limited",
    "member.keys": "not_allowed no_such_room no_such_member conflict",
    "moderation.ban": "invalid not_allowed no_such_room already_exists rate_limited",
    "moderation.unban": "invalid not_allowed no_such_room no_such_thing rate_limited",
    "user.upsert": "invalid capacity",
    "user.get": "invalid no_such_user",
    "ticket.offer": "invalid not_allowed no_such_room conflict",
    "ticket.issue": """invalid not_allowed no_such_room no_such_thing already_exists conflict
        capacity""",
    "ticket.refund": "invalid no_such_thing conflict",
    "ticket.ledger": "invalid not_allowed no_such_room",
}
EVENTS = """room.opened room.updated room.closed member.joined member.left member.muted
    member.unmuted floor.requested floor.cancelled floor.granted floor.denied floor.released
    moderation.banned moderation.unbanned ticket.offered ticket.issued ticket.refunded
    room.scheduled room.live share.created
    floor.declined floor.invited floor.expired role.changed room.host_changed
    report.opened report.resolved pin.added pin.removed room.reactions reminder.due server.draining"""


class Coverage:
    def __init__(self):
        self.verdicts = {}  # (type, code): how often
        self.events = {}

    def count(self, kind, code):
        self.verdicts[kind, code] = self.verdicts.get((kind, code), 0) + 1

    def count_events(self, outcome):
        for event in outcome.get("events", []) + outcome.get("live", []):
            self.events[event["type"]] = self.events.get(event["type"], 0) + 1

    def print(self):
        kinds = sorted({kind for kind, _ in self.verdicts})
        for kind in kinds:
            counts = {code: n for (k, code), n in self.verdicts.items() if k == kind}
            cells = "  ".join(f"{code} {counts[code]}" for code in sorted(counts, key=order))
            print(f"  {kind:22} {cells}")
        events = "  ".join(f"{kind} {n}" for kind, n in sorted(self.events.items()))
        print(f"  events: {events}")

    def missing(self, long):
        """Sentences about what never happened; in a short run only types that never succeeded."""
        found = []
        for kind, codes in REFUSALS.items():
            for code in ["ok", *codes.split()] if long else ["ok"]:
                if (kind, code) not in self.verdicts:
                    found.append(f"{kind} was never answered with {code}")
        events = EVENTS.split() if long else []
        return found + [f"there was no event {e}" for e in events if e not in self.events]


def order(code):
    return "" if code == "ok" else code
