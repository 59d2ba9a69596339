#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What pages get of the real stentor-controlplane: requests by token, event streams, lists, metrics.

usage: test_web.py PROGRAM
"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Planes, wait_for  # noqa: E402

PROGRAM = sys.argv.pop(1)
DEADLINE = 20


def planes(**options):
    return Planes(PROGRAM, **{"http": "true", "http_port": 0, "answer_timeout_ms": 100, **options})


class Page:
    """A browser's side, of one member or of nobody."""

    def __init__(self, port, token=None):
        self.port, self.token = port, token

    def headers(self, **more):
        found = {"Content-Type": "application/json", **more}
        if self.token is not None:
            found["Authorization"] = "Bearer " + self.token
        return found

    def ask(self, method, path, body=None, **more):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, body=body, headers=self.headers(**more))
            response = connection.getresponse()
            return (response.status, {k.lower(): v for k, v in response.getheaders()},
                    response.read().decode())
        finally:
            connection.close()

    def event(self, **request):
        request.setdefault("id", f"p{time.monotonic_ns()}")
        status, headers, body = self.ask("POST", "/events", json.dumps(request))
        return status, json.loads(body)

    def stream(self, room, last=None):
        return Stream(self, room, last)


class Stream:
    def __init__(self, page, room, last):
        more = {} if last is None else {"Last-Event-ID": str(last)}
        self.connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=DEADLINE)
        self.connection.request("GET", "/events/" + room, headers=page.headers(**more))
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.connection.close()

    def next(self):
        """The next event: its fields with "id" and "event" of the stream; None at the end."""
        found = {}
        while line := self.response.readline():
            line = line.decode().rstrip("\n")
            if line == "" and "data" in found:
                return {**json.loads(found.pop("data")), "stream": found}
            if line == "" or line.startswith(":"):
                continue
            name, value = line.split(": ", 1)
            found[name] = value
        return None

    def types(self, count):
        return [self.next()["type"] for _ in range(count)]


class Room(unittest.TestCase):
    options = {}

    def setUp(self):
        self.planes = planes(**self.options)
        self.client = self.planes.start()
        self.port = self.planes.http_port()
        self.client.good(type="room.open", actor="ann", room="tea", open_floor=True)

    def tearDown(self):
        self.planes.__exit__(None, None, None)

    def join(self, member, role="listener", room="tea"):
        answer = self.client.good(type="member.join", actor="ann", room=room, role=role,
                                  member=member, transport="webrtc")
        return Page(self.port, answer["members"][0]["token"])


class Requests(Room):
    def test_the_actor_is_the_tokens(self):
        bob = self.join("bob")
        status, answer = bob.event(type="floor.request")
        self.assertEqual((status, answer["ok"]), (200, True), answer)
        status, answer = bob.event(type="floor.request", actor="bob", room="tea", id="x")
        self.assertEqual(status, 409, answer)
        for wrong in ({"actor": "ann"}, {"room": "other"}):
            status, answer = bob.event(type="floor.cancel", **wrong)
            self.assertEqual(status, 403, answer)
            self.assertEqual(answer["error"]["code"], "not_allowed")

    def test_what_is_not_for_pages(self):
        bob = self.join("bob")
        for kind in ("room.open", "room.close", "status", "subscribe", "member.token",
                     "leg.list", "explain"):
            status, answer = bob.event(type=kind)
            self.assertEqual(status, 403, answer)
        self.assertEqual(bob.event(type="moderation.mute", member="ann")[0], 403)

    def test_statuses(self):
        ann = self.join("ann", "host")
        self.assertEqual(ann.event(type="no.such.type")[0], 400)
        self.assertEqual(ann.event(type="moderation.mute")[0], 400)
        self.assertEqual(ann.event(type="moderation.mute", member="nobody")[0], 404)
        for body in (b"", b"{}", b"[]", b"{", b"\0", b'{"id":"1","id":"2","type":"status"}',
                     b"\xff\xfe", b"[" * 60000, b'{"type":"status","id":"1"}\n{"type":"status"}'):
            status, headers, text = ann.ask("POST", "/events", body)
            self.assertEqual(status, 400, body[:40])
            self.assertEqual(headers["content-type"], "application/json")
            self.assertEqual(json.loads(text)["error"]["code"], "invalid")
        for page in (Page(self.port), Page(self.port, "nonsense"), Page(self.port, "a" * 256)):
            status, headers, _ = page.ask("POST", "/events", b"{}")
            self.assertEqual((status, headers["www-authenticate"]), (401, "Bearer"))

    def test_a_repeated_id_is_done_once_and_is_ones_own(self):
        bob, eve = self.join("bob"), self.join("eve")
        first = bob.event(type="floor.request", id="1")
        self.assertEqual(bob.event(type="floor.request", id="1"), first)
        self.assertEqual(eve.event(type="floor.request", id="1")[0], 200)

    def test_a_removed_members_token_is_worth_nothing(self):
        bob = self.join("bob")
        self.assertEqual(bob.event(type="floor.request")[0], 200)
        self.client.good(type="moderation.remove", actor="ann", room="tea", member="bob")
        self.assertEqual(bob.event(type="floor.cancel")[0], 401)
        with bob.stream("tea") as stream:
            self.assertEqual(stream.status, 401)

    def test_rooms(self):
        status, headers, body = Page(self.port).ask("GET", "/rooms")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        self.assertEqual([room["room"] for room in json.loads(body)["rooms"]], ["tea"])
        self.assertEqual(json.loads(body)["scheduled"], [])

    def test_a_room_for_who_is_invited_is_not_listed(self):
        soon = {"actor": "ann", "starts_ms": int(time.time() * 1000) + 3600000}
        for access in ("invited", "followers"):
            self.client.good(type="room.open", actor="ann", room=f"now-{access}", access=access)
            self.client.good(type="room.schedule", room=f"soon-{access}", access=access, **soon)
        listed = json.loads(Page(self.port).ask("GET", "/rooms")[2])
        self.assertEqual([room["room"] for room in listed["rooms"]], ["tea", "now-followers"])
        self.assertEqual([room["room"] for room in listed["scheduled"]], ["soon-followers"])

    def test_a_page_comes_into_another_room_under_its_own_name(self):
        self.client.good(type="room.open", actor="ann", room="pub")
        bob = self.join("bob")
        for wrong in ({"address": "10.0.0.1", "port": 5}, {"transport": "webrtc", "member": "eve"},
                      {"members": [{"member": "bob"}], "transport": "webrtc"}):
            status, answer = bob.event(type="member.join", room="pub", role="listener", **wrong)
            self.assertEqual((status, answer["error"]["code"]), (403, "not_allowed"), answer)
        status, answer = bob.event(type="member.join", room="pub", role="listener",
                                   transport="webrtc")
        self.assertEqual(status, 200, answer)
        there = Page(self.port, answer["members"][0]["token"])
        self.assertEqual(there.event(type="room.get")[1]["room"]["you"]["member"], "bob")
        guest = self.join("guest-1234")
        status, answer = guest.event(type="member.join", room="pub", role="listener",
                                     transport="webrtc")
        self.assertEqual((status, answer["error"]["code"]), (404, "no_such_user"), answer)

    def test_what_everybody_may_know_of_a_room(self):
        status, headers, body = Page(self.port).ask("GET", "/rooms/tea")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        room = json.loads(body)["room"]
        self.assertEqual((room["room"], room["host"]), ("tea", "ann"))
        self.assertNotIn("slot", room)
        self.assertEqual(Page(self.port).ask("GET", "/rooms/nothing")[0], 404)


class Streams(Room):
    options = {"http_streams_max": 8}

    def test_events_come_with_their_numbers_and_again_on_demand(self):
        bob = self.join("bob")
        with bob.stream("tea") as stream:
            begin = stream.next()
            self.assertEqual(stream.response.getheader("Content-Type"), "text/event-stream")
            self.assertEqual(begin["type"], "stream.begin")
            for name in ("c1", "c2", "c3"):
                self.join(name)
            events = [stream.next() for _ in range(3)]
        self.assertEqual([event["joined"] for event in events], [["c1"], ["c2"], ["c3"]])
        for event in events:
            self.assertEqual(event["stream"]["id"], str(event["seq"]))
        with bob.stream("tea", events[0]["seq"]) as stream:
            self.assertEqual(stream.next()["type"], "stream.begin")
            self.assertEqual([stream.next()["seq"] for _ in range(2)],
                             [event["seq"] for event in events[1:]])
            self.join("c4")
            self.assertEqual(stream.next()["joined"], ["c4"])

    def test_whose_business_it_is_not_does_not_hear_of_it(self):
        bob, ann = self.join("bob"), self.join("ann", "host")
        with bob.stream("tea") as stream, ann.stream("tea") as desk:
            self.client.good(type="moderation.report", actor="eve", room="tea", member="bob",
                             category="spam")
            bob.event(type="share.create")
            self.client.good(type="user.upsert", actor="app", user="cid", follows=["ann"])
            self.join("c1")
            self.assertEqual(stream.types(2), ["stream.begin", "member.joined"])
            self.assertEqual(desk.types(4), ["stream.begin", "report.opened", "share.created",
                                             "member.joined"])

    def test_only_the_rooms_own(self):
        bob = self.join("bob")
        with bob.stream("tea") as stream:
            stream.next()
            self.client.good(type="room.open", actor="ann", room="other", open_floor=True)
            self.join("c1", room="other")
            self.join("c2")
            self.assertEqual(stream.next()["joined"], ["c2"])
        with bob.stream("other") as stream:
            self.assertEqual(stream.status, 403)

    def test_a_removed_member_is_told_and_then_it_ends(self):
        bob, eve = self.join("bob"), self.join("eve")
        with bob.stream("tea") as stream, eve.stream("tea") as other:
            stream.next()
            other.next()
            self.client.good(type="moderation.remove", actor="ann", room="tea", member="bob")
            event = stream.next()
            self.assertEqual((event["type"], event["left"]), ("member.left", ["bob"]))
            self.assertIsNone(stream.next())
            self.assertEqual(other.next()["left"], ["bob"])
            self.join("c1")
            self.assertEqual(other.next()["joined"], ["c1"])

    def test_a_closed_room_ends_it(self):
        bob = self.join("bob")
        with bob.stream("tea") as stream:
            stream.next()
            self.client.good(type="room.close", actor="ann", room="tea")
            self.assertEqual(stream.next()["type"], "room.closed")
            self.assertIsNone(stream.next())

    def test_who_may(self):
        with Page(self.port).stream("tea") as stream:
            self.assertEqual(stream.status, 401)
        with self.join("bob").stream("nothing") as stream:
            self.assertEqual(stream.status, 403)

    def test_an_unknown_position_is_a_gap(self):
        with self.join("bob").stream("tea", 10**12) as stream:
            self.assertEqual(stream.next()["type"], "stream.gap")

    def test_no_more_than_configured_and_places_are_free_again(self):
        bob = self.join("bob")
        streams = [bob.stream("tea") for _ in range(8)]
        try:
            self.assertEqual([stream.status for stream in streams], [200] * 8)
            with bob.stream("tea") as ninth:
                self.assertEqual(ninth.status, 503)
        finally:
            for stream in streams:
                stream.__exit__(None, None, None)
        # Whose client has left is noticed with the next event, or the next heartbeat.
        self.join("c1")

        def again():
            with bob.stream("tea") as stream:
                return stream.status == 200
        wait_for("a stream may be opened again", again)

    def test_the_program_ends_with_streams_open(self):
        bob = self.join("bob")
        with bob.stream("tea") as stream:
            stream.next()
            self.assertEqual(self.planes.kill(number=signal.SIGTERM), 0)
            self.assertIsNone(stream.next())


class Rate(Room):
    options = {"moderation_per_second": 1, "moderation_burst": 2}

    def test_who_asks_too_often_is_told_when_to_come_again(self):
        ann, bob = self.join("ann", "host"), self.join("bob")
        mute = {"type": "moderation.mute", "member": "bob"}
        self.assertEqual(bob.event(id="kept", **mute)[0], 200)  # themself
        for number in range(50):
            again = {"id": f"a{number}", **mute}
            status, headers, body = bob.ask("POST", "/events", json.dumps(again))
            if status == 429:
                break
        error = json.loads(body)["error"]
        self.assertEqual((status, headers["retry-after"], error["code"]),
                         (429, "1", "rate_limited"))
        self.assertLessEqual(error["retry_after_ms"], 1000)
        # A repeated id is no request; others, and other types, are not bob's business.
        self.assertEqual(bob.event(id="kept", **mute)[0], 200)
        self.assertEqual(bob.event(type="member.list")[0], 200)
        self.assertEqual(ann.event(**mute)[0], 200)
        # The refusal is not kept: the same id gets in when there is place, and the mute is ann's.
        wait_for("bob's turn", lambda: bob.event(**again)[0] == 409)


class OpenListening(Room):
    options = {"open_listening": "true"}

    def test_everybody_may_follow(self):
        with Page(self.port).stream("tea") as stream:
            self.assertEqual(stream.status, 200)
            stream.next()
            self.join("c1")
            self.assertEqual(stream.next()["joined"], ["c1"])
            self.client.good(type="room.close", actor="ann", room="tea")
            stream.next()
            self.assertIsNone(stream.next())
        with Page(self.port).stream("tea") as stream:
            self.assertEqual(stream.status, 404)


class SlowReader(Room):
    options = {"http_response_timeout_ms": 1000, "log_max": 100000}

    def test_is_cut_and_can_resume(self):
        bob = self.join("bob")
        request = (f"GET /events/tea HTTP/1.1\r\nHost: localhost\r\n"
                   f"Authorization: Bearer {bob.token}\r\n\r\n").encode()
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.port))
        with client:
            client.sendall(request)
            rounds = 0
            # Events until the connection's buffers, the kernel's too, are full.
            while self.streams() == 1 and rounds < 200:
                rounds += 1
                for number in range(200):
                    self.client.send(type="room.update", actor="ann", room="tea",
                                     title=f"{number} " + "x" * 240)
                for _ in range(200):
                    self.client.receive()
            wait_for("the stream is cut", lambda: self.streams() == 0)
            got = b""
            client.settimeout(DEADLINE)
            try:
                while piece := client.recv(1 << 20):
                    got += piece
            except ConnectionError:
                pass
        ids = [int(number) for number in re.findall(rb"\nid: (\d+)\n", got)]
        self.assertEqual(ids, sorted(ids))
        with bob.stream("tea", ids[-2]) as stream:
            self.assertEqual(stream.next()["type"], "stream.begin")
            self.assertEqual(stream.next()["seq"], ids[-2] + 1)

    def streams(self):
        _, _, text = Page(self.port).ask("GET", "/metrics", Accept="text/plain")
        return int(re.search(r"^stentor_http_streams (\d+)$", text, re.M).group(1))


class Metrics(Room):
    def test_both_formats(self):
        page = Page(self.port)
        for accept, kind, end in (
                ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
                 "application/openmetrics-text; version=1.0.0; charset=utf-8", True),
                ("*/*", "application/openmetrics-text; version=1.0.0; charset=utf-8", True),
                ("text/plain", "text/plain; version=0.0.4; charset=utf-8", False)):
            status, headers, text = page.ask("GET", "/metrics", Accept=accept)
            self.assertEqual((status, headers["content-type"]), (200, kind))
            self.assertEqual(text.endswith("\n# EOF\n"), end)
            self.assertEqual(text.count("# EOF"), end)

    def test_promtool_has_nothing_to_say(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("promtool is not installed")
        _, _, text = Page(self.port).ask("GET", "/metrics", Accept="text/plain")
        done = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_histograms_are_cumulative(self):
        page = Page(self.port)
        for _ in range(5):
            page.ask("GET", "/rooms")
        _, _, text = page.ask("GET", "/metrics")
        name = "stentor_http_request_duration_seconds"
        buckets = re.findall(rf'^{name}_bucket{{route="rooms",le="([^"]+)"}} (\d+)$', text, re.M)
        counts = [int(count) for _, count in buckets]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual((buckets[-1][0], counts[-1]), ("+Inf", 5))
        self.assertIn(f'{name}_count{{route="rooms"}} 5\n', text)
        total = float(re.search(rf'^{name}_sum{{route="rooms"}} (\S+)$', text, re.M).group(1))
        self.assertTrue(0 < total < 5)
        self.assertIn('stentor_http_requests_total{route="rooms",class="2xx"} 5\n', text)

    def test_no_series_per_listener(self):
        page = Page(self.port)
        _, _, before = page.ask("GET", "/metrics")
        self.client.good(type="member.join", actor="ann", room="tea", role="listener", members=[
            {"member": f"l{i}", "address": "10.0.0.1", "port": 1 + i} for i in range(250)])

        def counted():
            _, _, text = page.ask("GET", "/metrics")
            return 'stentor_room_listeners{room="tea"} 250\n' in text and text
        after = wait_for("the listeners are counted", counted)
        self.assertEqual(len(after.splitlines()), len(before.splitlines()))

    def test_a_storm_is_answered(self):
        page = Page(self.port)
        start = time.monotonic()
        for _ in range(300):
            self.assertEqual(page.ask("GET", "/metrics")[0], 200)
        self.assertLess(time.monotonic() - start, 10)


class ManyRooms(Room):
    options = {"metrics_rooms_max": 2}

    def test_the_rest_is_summed(self):
        for number in range(5):
            self.client.good(type="room.open", actor="ann", room=f"r{number}")
            for member in range(number + 1):
                self.join(f"m{member}", room=f"r{number}")
        _, _, text = Page(self.port).ask("GET", "/metrics")
        found = dict(re.findall(r'^stentor_room_listeners{room="([^"]+)"} (\d+)$', text, re.M))
        self.assertEqual(found, {"r4": "5", "r3": "4", "(others)": "6"})


if __name__ == "__main__":
    unittest.main()
