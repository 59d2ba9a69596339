#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The floor with both real programs on null ports: what expires, who inherits, legs that are replaced.

usage: test_floor.py CONTROLPLANE DATAPLANE
"""
import http.client
import json
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import DEADLINE_SECONDS, Planes, wait_for  # noqa: E402

CONTROLPLANE, DATAPLANE = sys.argv.pop(1), sys.argv.pop(1)
DATAPLANE_SPEAKERS = 256  # of a room; ctl/config.h


class Stage(Planes):
    """A room, tea, whose host is ann."""

    def __init__(self, **options):
        super().__init__(CONTROLPLANE, DATAPLANE, answer_timeout_ms=500, **options)

    def begin(self, dataplane=True, **room):
        if dataplane:
            self.start("dataplane")
        client = self.start()
        if dataplane:
            self.wait_link(client)
        client.good(type="room.open", actor="ann", room="tea", **room)
        return client

    def wait_link(self, client):
        wait_for("the planes are connected",
                 lambda: client.good(type="status")["dataplane"]["connected"])

    def watch(self):
        watcher = self.connect()
        watcher.good(type="subscribe", **{"from": 0})
        return watcher


def next_event(watcher, kind):
    """The next of that type; every wait of a client has a deadline."""
    while True:
        event = watcher.receive()
        if event["type"] == kind:
            return event


def ask(client, kind, actor, **more):
    return client.good(type=kind, actor=actor, room="tea", **more)


def join(client, name, role="listener", port=None, actor="ann"):
    place = {"address": "10.0.0.1", "port": port} if port else {"transport": "webrtc"}
    return ask(client, "member.join", actor, member=name, role=role, **place)["members"][0]


def member(client, name):
    members = client.good(type="member.list", room="tea", limit=500)["members"]
    return next(m for m in members if m["member"] == name)


def legs(client):
    return {leg["leg"] for leg in client.good(type="leg.list", room="tea", limit=500)["legs"]}


class Expiry(unittest.TestCase):
    def test_what_was_asked_and_offered_ends_in_time_also_over_a_restart(self):
        with Stage() as stage:
            c = stage.begin(dataplane=False)
            for name in ("bob", "eve", "carl"):
                join(c, name)
            begun = time.monotonic()
            ask(c, "floor.request", "bob", duration_ms=10000, message="before I forget")
            ask(c, "floor.invite", "ann", member="eve", duration_ms=1000)
            ask(c, "floor.request", "carl")
            watcher = stage.watch()
            event = next_event(watcher, "floor.expired")
            self.assertEqual((event["member"], event["kind"], event["hands"]), ("eve", "invite", 2))
            self.assertGreaterEqual(time.monotonic() - begun, 1.0)
            c.refused("conflict", type="floor.accept", actor="eve", room="tea")
            c = stage.restart()
            hands = c.good(type="floor.list", room="tea")["hands"]
            self.assertEqual([(h["member"], h["message"], h["position"]) for h in hands],
                             [("bob", "before I forget", 0), ("carl", "", 1)])
            # Nobody is asked twice when nobody has begun anew: the place in the queue stays.
            watcher = stage.watch()
            event = next_event(watcher, "floor.expired")
            self.assertEqual(event["member"], "eve")  # from the log
            event = next_event(watcher, "floor.expired")
            self.assertEqual((event["member"], event["kind"], event["hands"]), ("bob", "request", 1))
            self.assertGreaterEqual(time.monotonic() - begun, 10.0)
            self.assertFalse(member(c, "bob")["hand"])
            self.assertTrue(member(c, "carl")["hand"])


class Inheritance(unittest.TestCase):
    def test_the_room_of_a_host_who_left_is_inherited(self):
        with Stage(host_grace_s=1) as stage:
            c = stage.begin(dataplane=False)
            join(c, "ann", "host")
            join(c, "bob", "speaker")
            join(c, "eve")
            watcher = stage.watch()
            begun = time.monotonic()
            ask(c, "member.leave", "ann")
            event = next_event(watcher, "room.host_changed")
            self.assertEqual((event["actor"], event["host"], event["was"]), (None, "bob", "ann"))
            self.assertGreaterEqual(time.monotonic() - begun, 1.0)
            self.assertEqual(member(c, "bob")["role"], "host")
            c.refused("not_allowed", type="room.close", actor="ann", room="tea")
            ask(c, "floor.invite", "bob", member="eve")

    def test_the_grace_time_begins_anew_after_a_restart(self):
        with Stage(host_grace_s=1) as stage:
            c = stage.begin(dataplane=False)
            join(c, "ann", "host")
            join(c, "bob", "speaker")
            ask(c, "member.leave", "ann")
            c = stage.restart()
            event = next_event(stage.watch(), "room.host_changed")
            self.assertEqual(event["host"], "bob")
            # It is so after the next one too.
            c = stage.restart()
            self.assertEqual(c.good(type="room.get", room="tea")["room"]["host"], "bob")

    def test_who_comes_back_keeps_the_room(self):
        with Stage(host_grace_s=1) as stage:
            c = stage.begin(dataplane=False)
            join(c, "ann", "host")
            join(c, "bob", "speaker")
            join(c, "eve")
            ask(c, "member.leave", "ann")
            join(c, "ann", "host")
            # An invitation of a second that begins now ends behind the grace time.
            ask(c, "floor.invite", "ann", member="eve", duration_ms=2500)
            watcher = stage.watch()
            seen = []
            while not seen or seen[-1] != "floor.expired":
                seen.append(watcher.receive()["type"])
            self.assertNotIn("room.host_changed", seen)


class Legs(unittest.TestCase):
    def test_a_keyed_listener_speaks_under_keys_of_its_own(self):
        with Stage() as stage:
            c = stage.begin()
            before = join(c, "bob", port=5004)
            ask(c, "floor.request", "bob", ssrc=77, audio_level_id=2)
            answer = ask(c, "floor.grant", "ann", member="bob")
            self.assertTrue(answer["programmed"])
            self.assertNotEqual(answer["leg"], before["leg"])
            self.assertNotEqual(answer["tx_key"], before["tx_key"])
            self.assertIsNone(before["rx_key"])
            self.assertNotIn(answer["rx_key"], (None, answer["tx_key"], before["tx_key"]))
            self.assertEqual(legs(c), {answer["leg"]})
            now = member(c, "bob")
            self.assertEqual((now["role"], now["leg"], now["ssrc"]), ("speaker", answer["leg"], 77))
            keys = ask(c, "member.keys", "bob")
            self.assertEqual((keys["tx_key"], keys["rx_key"]),
                             (answer["tx_key"], answer["rx_key"]))
            # The database knows of the leg, the data plane of its keys.
            c = stage.restart()
            stage.wait_link(c)
            keys = wait_for("the keys are read back", lambda: self.found(c))
            self.assertEqual((keys["tx_key"], keys["rx_key"]),
                             (answer["tx_key"], answer["rx_key"]))
            self.assertEqual(legs(c), {answer["leg"]})

    def found(self, c):
        keys = ask(c, "member.keys", "bob")
        return keys if keys["tx_key"] else None

    def test_what_the_data_plane_refuses_has_not_been(self):
        with Stage(room_speakers_max=1000) as stage:
            c = stage.begin()
            for first in range(0, DATAPLANE_SPEAKERS, 64):
                ask(c, "member.join", "ann", role="speaker", members=[
                    {"member": f"s{i}", "address": "10.0.0.2", "port": 1000 + i}
                    for i in range(first, first + 64)])
            before = join(c, "bob", port=5004)
            there = legs(c)
            keys = ask(c, "member.keys", "bob")
            ask(c, "floor.request", "bob", message="still here")
            watcher = stage.watch()
            told = c.refused("capacity", id="G", type="floor.grant", actor="ann", room="tea",
                             member="bob")
            self.assertIn("the data plane refused", told)
            now = member(c, "bob")
            self.assertEqual((now["role"], now["leg"], now["hand"]),
                             ("listener", before["leg"], True))
            self.assertEqual(c.good(type="floor.list", room="tea")["hands"][0]["message"],
                             "still here")
            self.assertEqual(legs(c), there)
            again = ask(c, "member.keys", "bob")
            self.assertEqual({**again, "id": 0}, {**keys, "id": 0})
            event = next_event(watcher, "role.changed")
            self.assertEqual((event["member"], event["role"], event["was"], event["reason"]),
                             ("bob", "listener", "speaker", "refused"))
            # Repeated it is the refusal; with a place there it is granted.
            c.refused("capacity", id="G", type="floor.grant", actor="ann", room="tea", member="bob")
            ask(c, "member.leave", "s0")
            self.assertTrue(ask(c, "floor.grant", "ann", member="bob")["programmed"])
            # And it is on the disk as it is.
            c = stage.restart()
            self.assertEqual(member(c, "bob")["role"], "speaker")

    def test_a_data_plane_that_dies_gets_the_leg_when_it_is_back(self):
        with Stage() as stage:
            c = stage.begin()
            join(c, "bob", port=5004)
            stage.kill("dataplane")
            wait_for("the control plane has noticed",
                     lambda: not c.good(type="status")["dataplane"]["connected"])
            ask(c, "floor.request", "bob")
            answer = ask(c, "floor.grant", "ann", member="bob")
            self.assertFalse(answer["programmed"])
            self.assertIsNotNone(answer["rx_key"])
            stage.start("dataplane")
            stage.wait_link(c)
            wait_for("the new leg is there", lambda: legs(c) == {answer["leg"]})

    def test_a_data_plane_that_dies_over_it_leaves_everything_as_it_was(self):
        with Stage() as stage:
            c = stage.begin()
            before = join(c, "bob", port=5004)
            ask(c, "floor.request", "bob")
            # It has the transaction and does not read it.
            stage.running["dataplane"].send_signal(signal.SIGSTOP)
            c.send(id="G", type="floor.grant", actor="ann", room="tea", member="bob")
            other = stage.connect()
            wait_for("the grant is decided", lambda: member(other, "bob")["role"] == "speaker")
            stage.kill("dataplane")
            answer = c.receive()
            self.assertEqual((answer["id"], answer["error"]["code"]), ("G", "unavailable"))
            now = member(c, "bob")
            self.assertEqual((now["role"], now["leg"], now["hand"]),
                             ("listener", before["leg"], True))
            # The old key goes on where it was, under the same store of indices.
            stage.start("dataplane")
            stage.wait_link(c)
            wait_for("the old leg is there", lambda: legs(c) == {before["leg"]})
            self.assertEqual(ask(c, "member.keys", "bob")["tx_key"], before["tx_key"])
            answer = ask(c, "floor.grant", "ann", member="bob", id="G")
            self.assertNotIn(answer["leg"], (None, before["leg"]))
            self.assertEqual(legs(c), {answer["leg"]})

    def test_a_page_is_told_no_keys(self):
        with Stage(http="true", http_port=0) as stage:
            c = stage.begin()
            token = join(c, "ann", "host")["token"]
            join(c, "bob", port=5004)
            ask(c, "floor.request", "bob")
            answer = self.page(stage, token, type="floor.grant", member="bob")
            self.assertTrue(answer["ok"], answer)
            self.assertEqual(answer["leg"], member(c, "bob")["leg"])
            self.assertNotIn("rx_key", answer)
            self.assertNotIn("tx_key", answer)
            answer = self.page(stage, token, type="member.keys", member="bob")
            self.assertFalse(answer["ok"])

    def page(self, stage, token, **request):
        connection = http.client.HTTPConnection("127.0.0.1", stage.http_port(),
                                                timeout=DEADLINE_SECONDS)
        try:
            connection.request("POST", "/events", json.dumps({"id": os.urandom(8).hex(), **request}),
                               {"Authorization": f"Bearer {token}",
                                "Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
