#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every field of every type of request, wrong in every way that its table excludes.

usage: bad_field.py CONTROLPLANE CATALOG
CATALOG is what the control plane's own tables say (controlplane/rooms/catalog.json of the build).
Each line is answered with `invalid` and a message that names the field (or quotes the number that no JSON parser takes), the connection is kept, and at
the end neither the state nor the log is any different.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Planes  # noqa: E402
from fold import asked  # noqa: E402

LINE_MAX = 65536
ANYTHING = ["null", "{}", "[[[[[[[[]]]]]]]]"]
BAD = {
    "id": ['""', '"a b"', '"' + "x" * 65 + '"', "7", "true", '["x"]', '"\u00e9"', '"../x"', '"x\'"'],
    "text": ["7", "true", '["x"]'],
    "uint": ["-1", "1.5", '"1"', "1e999", "99999999999999999999", "true", "-0.0", "[1]"],
    "bool": ["1", "0", '"true"', "[true]"],
    "choice": ['"nonsense"', "0", '""', '["open"]'],
    "ids": ['"x"', "7", "[7]", '[""]', '["a b"]', "[null]", '[["x"]]'],
    "list": ['"x"', "7", "[7]", "[[]]", '["x"]', "[null]"],
}
# No JSON at all: whatever the field is.
BROKEN = [b'"\\u0000"', b'"x\0"', b'"\xff\xfe"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\x01"',
          b"01", b"+1", b"0x10", b"NaN", b"Infinity", b"'x'", b"tru", b"{", b"]", b'"x']


def filler(field):
    kind = field["kind"]
    if kind == "uint":
        return str(field["min"])
    if kind == "text":
        return json.dumps("x" * max(1, field["min"]))
    if kind == "choice":
        return json.dumps(field["choices"][0])
    return {"id": '"x"', "bool": "true", "ids": "[]", "list": "[]"}[kind]


def bad_values(field):
    values = ANYTHING + BAD[field["kind"]]
    if field["kind"] == "uint":
        values = values + [str(n) for n in (field["min"] - 1, field["max"] + 1)]
    if field["kind"] == "text":
        values = values + ['"' + "x" * (field["max"] + 1) + '"']
        if field["min"] > 0:
            values = values + ['"' + "x" * (field["min"] - 1) + '"']
    if field["kind"] in ("ids", "list"):
        item = '"x"' if field["kind"] == "ids" else "{}"
        many = "[" + ",".join([item] * (field["max"] + 1)) + "]"
        if len(many) < LINE_MAX - 1000:
            values = values + [many]
    return values


def members(kind):
    """What a request of that type has to have, as name and text."""
    found = {"id": '"i"', "type": json.dumps(kind["type"])}
    if kind["actor"]:
        found["actor"] = '"ann"'
    if kind["room"] == "needed":
        found["room"] = '"tea"'
    found.update((f["name"], filler(f)) for f in kind["fields"] if f["required"])
    return found


def line(found, *more):
    return b"{" + b",".join([f'"{k}":'.encode() + (v if isinstance(v, bytes) else v.encode())
                             for k, v in found.items()] + list(more)) + b"}"


def common(kind):
    """Wrong in what all requests have; the line and what the message must say."""
    found = members(kind)
    for name in ("id", "actor", "room"):
        for value in BAD["id"] + ANYTHING:
            if name in found:
                yield line({**found, name: value}), name if value != ANYTHING[2] else ""
    for name in found:
        if name != "type":
            yield line({k: v for k, v in found.items() if k != name}), name
        yield line(found, f'"{name}":{found[name]}'.encode()), ""
    yield line({**found, "nonsense": "1"}), "nonsense"
    yield line(found) + b"{}", ""
    yield line({**found, "nonsense": '"' + "x" * (LINE_MAX - len(line(found)) - 14) + '"'}), "nonsense"
    yield line({**found, "nonsense": '"' + "x" * (LINE_MAX - len(line(found)) - 13) + '"'}), "longer"


def of_field(kind, field):
    found = members(kind)
    for value in bad_values(field):
        yield line({**found, field["name"]: value}), field["name"] if value != ANYTHING[2] else ""
    for value in BROKEN:
        yield line({**found, field["name"]: value}), ""
    twice = f'"{field["name"]}":{filler(field)}'.encode()
    yield line({k: v for k, v in found.items() if k != field["name"]}, twice, twice), ""


def lines(catalog):
    for kind in catalog:
        yield from common(kind)
        for field in kind["fields"]:
            yield from of_field(kind, field)


def settle(client):
    """A little of everything, to be there afterwards."""
    good = client.good
    tea = {"room": "tea", "actor": "ann"}
    good(type="room.open", **tea, speakers=["sue"])
    good(type="member.join", **tea, role="host", transport="webrtc")
    good(type="member.join", **tea, role="listener", transport="webrtc",
         members=[{"member": m} for m in ("x", "bob", "eve")])
    good(type="floor.request", room="tea", actor="bob")
    good(type="moderation.mute", **tea, member="eve")
    good(type="pin.add", **tea, text="read")
    good(type="moderation.report", room="tea", actor="bob", member="eve", category="spam")
    good(type="user.upsert", actor="app", user="x", followers=3)


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        catalog = json.load(file)
    wrong = count = 0
    with Planes(sys.argv[1], answer_timeout_ms="100") as planes:
        client = planes.start()
        settle(client)
        before = asked(client), client.good(type="status")["seq"]
        bad = planes.connect()
        for text, says in lines(catalog):
            bad.socket.sendall(text + b"\n")
            answer = bad.receive()
            count += 1
            if answer["ok"] or answer["error"]["code"] != "invalid" or \
                    not (says in answer["error"]["message"] or "near '" in answer["error"]["message"]):
                print(f"{text[:300]}\n    {answer}, it should say {says!r}")
                wrong += 1
        after = asked(client), client.good(type="status")["seq"]
        assert before == after, f"something has changed: {before}, {after}"
        good = client.good(type="user.get", actor="app", user="x")
        assert good["followers"] == 3, good
    print(f"{count} lines of {len(catalog)} types, {wrong} not answered as they should be")
    sys.exit(1 if wrong or count < 3000 else 0)


main()
