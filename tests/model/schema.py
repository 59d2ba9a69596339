# SPDX-License-Identifier: BSD-3-Clause
"""The fields of each type of request, after controlplane/README.md: what is a good line at all."""
import json
import re

ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")
DURATION_MAX = 366 * 24 * 3600 * 1000
PRICE_MAX = 10**9
TIME_MAX = (2**63 - 1) // 2000000
COMMON = ("id", "type", "actor", "room")


def integer(digits):
    if not -(1 << 63) <= int(digits) < 1 << 63:
        raise ValueError("too big")
    return int(digits)


def unique(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def parse(line):
    """The object of the line, or None."""
    try:
        root = json.loads(line, parse_int=integer, object_pairs_hook=unique)
    except ValueError:
        return None
    strict = "\\u0000" not in line and "[[[[[[" not in line  # all that the generator tries
    return root if isinstance(root, dict) and strict else None


def is_id(value):
    return isinstance(value, str) and ID.match(value) is not None


def text(low, high):
    return lambda v: isinstance(v, str) and low <= len(v.encode()) <= high


def uint(low, high):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def boolean(value):
    return isinstance(value, bool)


def choice(*names):
    return lambda v: isinstance(v, str) and v in names


def ids(most):
    return lambda v: isinstance(v, list) and len(v) <= most and all(is_id(i) for i in v)


def items(fields, most):
    def check(value):
        if not isinstance(value, list) or len(value) > most:
            return False
        return all(isinstance(i, dict) and fields_good(i, fields, ()) for i in value)

    return check


def fields_good(body, fields, required):
    known = all(name in fields and fields[name](value) for name, value in body.items())
    return known and all(name in body for name in required)


CATEGORIES = (
    "spam harassment hate violence sexual self_harm impersonation copyright other".split()
)
PAGE = {"after": is_id, "limit": uint(1, 500)}
REASON = {"reason": text(0, 256)}
ABOUT = {"member": is_id, **REASON}
SUITES = choice("AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES128_CM_HMAC_SHA1_80")
ROLES = choice("listener", "speaker", "host", "cohost")
ADMISSION = {
    "member": is_id,
    "address": text(1, 64),
    "port": uint(1, 65535),
    "suite": SUITES,
    "protection": choice("leg", "group"),
    "transport": choice("keyed", "webrtc"),
    "tx_key": text(1, 128),
    "rx_key": text(1, 128),
    "payload_type": uint(0, 127),
    "audio_level_id": uint(0, 14),
    "ssrc": uint(0, 0xFFFFFFFF),
    "duration_ms": uint(1, DURATION_MAX),
}
SOURCE = {
    "ssrc": uint(0, 0xFFFFFFFF),
    "payload_type": uint(0, 127),
    "audio_level_id": uint(0, 14),
}
ROOM = {
    "title": text(0, 256),
    "topic": text(0, 64),
    "slots": uint(1, 8),
    "duration_ms": uint(1, DURATION_MAX),
    "capacity": uint(1, 0xFFFFFFFF),
    "open_floor": boolean,
    "speakers": ids(256),
    "language": text(0, 35),
    "access": choice("open", "followers", "invited", "ticketed"),
    "cohosts": ids(16),
    "speakers_max": uint(1, 0xFFFFFFFF),
}
GROUP = {"group_suite": SUITES, "group_key": text(1, 128)}


class Type:
    """room: "needs", "takes" or None. actor: whether it must be given."""

    def __init__(self, fields=None, required=(), actor=True, room="needs", page=False, rated=None, abroad=False):
        self.fields = fields or {}
        self.required = required
        self.actor, self.room, self.page = actor, room, page
        self.abroad = abroad  # pages may ask it of rooms that they are not in
        self.rated = rated  # "moderation", "reactions": whose bucket it takes from


def moderate(fields, required=()):
    return Type(fields, required, page=True, rated="moderation")


TYPES = {
    "room.open": Type({**ROOM, **GROUP}),
    "room.schedule": Type({**ROOM, "starts_ms": uint(1, 2**63 - 1)}, required=["starts_ms"]),
    "room.update": Type(
        {
            **GROUP,
            "title": text(0, 256),
            "topic": text(0, 64),
            "open_floor": boolean,
            "capacity": uint(1, 0xFFFFFFFF),
            "slots": uint(1, 8),
            "language": text(0, 35),
            "speakers_max": uint(1, 0xFFFFFFFF),
            "access": ROOM["access"],
            "cohosts": ids(16),
            "starts_ms": uint(1, 2**63 - 1),
        },
        page=True,
    ),
    "room.close": Type(page=True),
    "room.get": Type(actor=False, page=True, abroad=True),
    "room.list": Type(
        {
            **PAGE,
            "state": choice("scheduled", "live"),
            "topic": text(0, 64),
            "language": text(0, 35),
            "min_members": uint(0, 0xFFFFFFFF),
            "max_members": uint(0, 0xFFFFFFFF),
            "sort": choice("id", "size"),
        },
        actor=False,
        room=None,
        page=True,
    ),
    "timeline.get": Type({"limit": uint(1, 100)}, room=None, page=True),
    "member.join": Type(
        {**ADMISSION, "role": ROLES, "members": items(ADMISSION, 2048), "share": text(1, 64)},
        required=["role"],
        page=True,
        abroad=True,
    ),
    "member.keys": Type({"member": is_id}),
    "member.token": Type({"member": is_id}),
    "member.leave": Type({"member": is_id}, page=True),
    "member.list": Type({**PAGE, "role": ROLES}, actor=False, page=True),
    "floor.request": moderate(
        {"message": text(0, 140), "duration_ms": uint(10_000, 24 * 3_600_000), **SOURCE}
    ),
    "floor.cancel": moderate({}),
    "floor.accept": moderate(SOURCE),
    "floor.grant": moderate(ABOUT, required=["member"]),
    "floor.deny": moderate(ABOUT, required=["member"]),
    "floor.invite": moderate(
        {**ABOUT, "duration_ms": uint(1000, 3_600_000)}, required=["member"]
    ),
    "floor.release": Type(page=True),
    "floor.list": Type(PAGE, actor=False, page=True),
    "role.set": moderate({**ABOUT, "role": ROLES}, required=["member", "role"]),
    "pin.add": moderate({"text": text(1, 512), "url": text(1, 512)}),
    "pin.remove": moderate({"pin": is_id}, required=["pin"]),
    "audit.list": Type(
        {
            **PAGE,
            "member": is_id,
            "by": is_id,
            "action": text(1, 64),
            "from_ms": uint(0, 2**63 - 1),
            "to_ms": uint(0, 2**63 - 1),
        },
        actor=False,
        room="takes",
        page=True,
    ),
    "drain": Type({"on": boolean}, room=None),
    "reaction.send": Type(
        {"emoji": text(1, 32), "count": uint(1, 10)},
        required=["emoji"],
        page=True,
        rated="reactions",
    ),
    "reminder.set": Type({"before_ms": uint(0, 24 * 3_600_000)}, page=True, abroad=True),
    "reminder.cancel": Type(page=True, abroad=True),
    "moderation.mute": moderate(
        {
            **ABOUT,
            "duration_ms": uint(1, DURATION_MAX),
            "until_ms": uint(1, (2**63 - 1) // 2000000),
            "undo": choice("hosts", "member"),
        },
        required=["member"],
    ),
    "moderation.unmute": moderate(ABOUT, required=["member"]),
    "moderation.mute_all": moderate({**REASON, "undo": choice("hosts", "member")}),
    "moderation.remove": moderate(ABOUT, required=["member"]),
    "moderation.demote": moderate(ABOUT, required=["member"]),
    "moderation.report": moderate(
        {"member": is_id, "category": choice(*CATEGORIES), "text": text(0, 1024)},
        required=["member", "category"],
    ),
    "moderation.reports": Type(
        {**PAGE, "member": is_id, "state": choice("open", "resolved")},
        actor=False,
        room="takes",
        page=True,
        rated="moderation",
    ),
    "moderation.resolve": Type(
        {"report": is_id, "resolution": choice("upheld", "dismissed"), "note": text(0, 256)},
        required=["report", "resolution"],
        room="takes",
        page=True,
        rated="moderation",
    ),
    "moderation.ban": moderate(ABOUT, required=["member"]),
    "moderation.unban": moderate(ABOUT, required=["member"]),
    "share.create": Type(
        {"member": is_id, "duration_ms": uint(1, 30 * 24 * 3600 * 1000)},
        page=True,
        rated="moderation",
    ),
    "user.upsert": Type(
        {
            "user": is_id,
            "followers": uint(0, 0xFFFFFFFF),
            "follows": ids(5000),
            "host_grant": boolean,
            "moderator": boolean,
        },
        required=["user"],
        room=None,
    ),
    "user.get": Type({"user": is_id}, required=["user"], actor=False, room=None),
    "ticket.offer": Type(
        {
            "price": uint(0, PRICE_MAX),
            "currency": text(3, 3),
            "quantity": uint(1, 10**6),
            "sale_from_ms": uint(1, TIME_MAX),
            "sale_until_ms": uint(0, TIME_MAX),
        },
        page=True,
    ),
    "ticket.issue": Type(
        {
            "user": is_id,
            "reference": text(1, 128),
            "price": uint(0, PRICE_MAX),
            "currency": text(3, 3),
            "provider_fee": uint(0, PRICE_MAX),
        },
        required=["user", "reference", "price", "currency"],
    ),
    "ticket.refund": Type({"ticket": is_id, "reference": text(1, 128), **REASON}, room=None),
    "ticket.ledger": Type(
        {**PAGE, "host": is_id, "currency": text(3, 3)}, actor=False, room="takes", page=True
    ),
}


def verdict(request, page):
    """Why the line is no request, or None. page: (member, room) whose page sends it."""
    if not is_id(request.get("id")):
        return "invalid"
    kind = TYPES.get(request["type"]) if isinstance(request.get("type"), str) else None
    if kind is None:
        return "invalid"
    for name, needed in (("actor", kind.actor), ("room", kind.room == "needs")):
        if name == "room" and kind.room is None:
            continue
        if name not in request and needed and page is None:
            return "invalid"
        if name in request and not is_id(request[name]):
            return "invalid"
    if page is not None:
        if not kind.page or request.get("actor", page[0]) != page[0]:
            return "not_allowed"
        own = request.get("room", page[1]) == page[1]
        if kind.room is not None and not own and not kind.abroad:
            return "not_allowed"
    body = {k: v for k, v in request.items() if k not in ("id", "type", "actor")}
    if kind.room is not None:
        body.pop("room", None)
    return None if fields_good(body, kind.fields, kind.required) else "invalid"
