#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lines of every kind of badness through a live events.sock.

usage: bad_events.py SOCKET
Each is answered with an error of its kind, on a connection that goes on working, and nothing has
changed at the end: status says the same as at the beginning. Exit code 0 or 1.
"""
import json
import socket
import sys

LINE_MAX = 65536
OPEN = '{"id":"%s","type":"room.open","actor":"ann","room":"%s"%s}'


def opened(more="", name="r", room="tea"):
    return (OPEN % (name, room, more)).encode()


def deep(levels):
    return b'{"id":"d","type":"room.open","actor":"ann","room":' + b"[" * levels + b"]" * levels + b"}"


def padded(size):
    """A request of exactly that many bytes, without the line's end; its type is unknown."""
    line = b'{"id":"p","type":"no.such","actor":"ann","x":""}'
    return line[:-2] + b"x" * (size - len(line)) + line[-2:]


# What, line, error code (any of).
BAD = (
    ("no JSON at all", b"hello", "invalid"),
    ("half of an object", b'{"id":"1","type":"status"', "invalid"),
    ("an array", b'["status"]', "invalid"),
    ("a string", b'"status"', "invalid"),
    ("a number", b"7", "invalid"),
    ("null", b"null", "invalid"),
    ("two objects on a line", b'{"id":"1","type":"status"}{"id":"2","type":"status"}', "invalid"),
    ("rubbish behind an object", b'{"id":"1","type":"status"} x', "invalid"),
    ("a key twice", b'{"id":"1","type":"status","type":"status"}', "invalid"),
    ("the id twice", b'{"id":"1","id":"2","type":"status"}', "invalid"),
    ("a NUL byte", b'{"id":"1","type":"sta\0tus"}', "invalid"),
    ("an escaped NUL", b'{"id":"1\\u0000","type":"status"}', "invalid"),
    ("invalid UTF-8", opened(',"title":"X"').replace(b"X", b"\xff\xfe"), "invalid"),
    ("an overlong UTF-8 form", b'{"id":"1","type":"room.open","actor":"ann","room":"t","title":"\xc0\xaf"}', "invalid"),
    ("half a surrogate", b'{"id":"1","type":"room.open","actor":"ann","room":"t","title":"\\ud800"}', "invalid"),
    ("a raw tab in a string", b'{"id":"1","type":"room.open","actor":"ann","room":"t","title":"\x01"}', "invalid"),
    ("nested 100 deep", deep(100), "invalid"),
    ("nested 10,000 deep", deep(10000), "invalid"),
    ("no type", b'{"id":"1","actor":"ann"}', "invalid"),
    ("no id", b'{"type":"room.open","actor":"ann","room":"tea"}', "invalid"),
    ("no actor", b'{"id":"1","type":"room.open","room":"tea"}', "invalid"),
    ("no room", b'{"id":"1","type":"room.open","actor":"ann"}', "invalid"),
    ("an unknown type", b'{"id":"1","type":"room.explode","actor":"ann","room":"tea"}', "invalid"),
    ("an unknown field", opened(',"colour":"red"'), "invalid"),
    ("a type that is a number", b'{"id":"1","type":7,"actor":"ann"}', "invalid"),
    ("an id that is a number", b'{"id":1,"type":"status"}', "invalid"),
    ("an empty id", b'{"id":"","type":"status"}', "invalid"),
    ("an id of 65 characters", opened(name="x" * 65), "invalid"),
    ("an id with a space", opened(name="a b"), "invalid"),
    ("an actor with a quote", b'{"id":"1","type":"room.open","actor":"a\\"b","room":"tea"}', "invalid"),
    ("a room with a slash", opened(room="../tea"), "invalid"),
    ("a title that is a number", opened(',"title":7'), "invalid"),
    ("a title of 257 bytes", opened(',"title":"%s"' % ("t" * 257)), "invalid"),
    ("no slots", opened(',"slots":0'), "invalid"),
    ("nine slots", opened(',"slots":9'), "invalid"),
    ("negative slots", opened(',"slots":-1'), "invalid"),
    ("half a slot", opened(',"slots":1.5'), "invalid"),
    ("slots beyond 64 bits", opened(',"slots":99999999999999999999999'), "invalid"),
    ("slots in words", opened(',"slots":"three"'), "invalid"),
    ("a number with an exponent without end", opened(',"slots":1e999'), "invalid"),
    ("a suite nobody knows", opened(',"group_suite":"NULL_CIPHER"'), "invalid"),
    ("a line of 64 KiB and one byte", padded(LINE_MAX + 1), "invalid"),
    ("a line of a megabyte", padded(1 << 20), "invalid"),
    ("a room that is not open",
     b'{"id":"1","type":"member.join","actor":"ann","room":"nowhere","role":"listener",'
     b'"address":"10.0.0.1","port":5004}', "no_such_room"),
    ("mute in a room that is not open",
     b'{"id":"1","type":"moderation.mute","actor":"ann","room":"nowhere","member":"bob"}',
     "no_such_room"),
    ("an SQL statement for a room",
     opened(room="x'; DROP TABLE rooms; --"), "invalid"),
)


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rb")

    def ask(self, line, end=b"\n"):
        self.socket.sendall(line + end)
        return self.answer()

    def answer(self):
        line = self.stream.readline()
        if not line:
            raise ConnectionError("closed by the server")
        return json.loads(line)


def state(client, number):
    status = client.ask(b'{"id":"state-%d","type":"status"}' % number)
    return {key: status[key] for key in ("ok", "rooms", "members", "seq")}


def check(results, what, good, detail=""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} - {what}{'' if good else f': {detail}'}")


def check_bad(results, path, before):
    client = Client(path)
    for number, (what, line, code) in enumerate(BAD):
        try:
            answer = client.ask(line)
            good = answer.get("ok") is False and answer["error"]["code"] == code
            check(results, what, good, answer)
            after = state(client, 2 * number)
            check(results, f"  and nothing has changed after {what}", after == before, after)
        except (OSError, ValueError, KeyError) as error:
            check(results, what, False, repr(error))
            client = Client(path)


def check_framing(results, path):
    """How bytes are cut into packets is nobody's business."""
    client = Client(path)
    for byte in b'{"id":"bytewise","type":"status"}\n':
        client.socket.sendall(bytes([byte]))
    check(results, "a request that comes byte by byte", client.answer().get("ok") is True)
    client.socket.sendall(b'{"id":"f1","type":"status"}\n{"id":"f2","type":"status"}\n{"id":"f3",')
    got = {client.answer()["id"], client.answer()["id"]}
    client.socket.sendall(b'"type":"status"}\n')
    got.add(client.answer()["id"])
    check(results, "two requests and a half at once", got == {"f1", "f2", "f3"}, got)
    answer = client.ask(padded(LINE_MAX))
    check(results, "a line of exactly 64 KiB is read, and refused for what it says",
          answer.get("id") == "p" and answer["error"]["code"] == "invalid", answer)
    half = Client(path)
    half.socket.sendall(b'{"id":"cut","type":"room.open","actor":"ann","room":"cut"')
    half.socket.close()
    check(results, "a connection that ends within a line harms nobody",
          client.ask(b'{"id":"after-cut","type":"status"}').get("ok") is True)


def main():
    path = sys.argv[1]
    results = []
    watcher = Client(path)
    before = state(watcher, 1000000)
    check_bad(results, path, before)
    check_framing(results, path)
    after = state(watcher, 1000001)
    check(results, "nothing has changed", after == before, after)
    print(f"{sum(results)} of {len(results)} passed")
    sys.exit(0 if all(results) else 1)


main()
