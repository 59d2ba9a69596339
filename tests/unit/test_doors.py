#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rooms before they are live and who gets in, with both real programs on null ports, over restarts.

usage: test_doors.py CONTROLPLANE DATAPLANE
"""
import http.client
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import DEADLINE_SECONDS, Planes, wait_for  # noqa: E402

CONTROLPLANE, DATAPLANE = sys.argv.pop(1), sys.argv.pop(1)
OFFER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "sdp",
                     "chromium_recvonly_3.sdp")


class House(Planes):
    def __init__(self, **options):
        super().__init__(CONTROLPLANE, DATAPLANE, http="true", http_port=0,
                         public_url='"https://rooms.example"',
                         http_origins='[ "https://app.example" ]', **options)

    def begin(self):
        self.start("dataplane")
        client = self.start()
        self.wait_up(client)
        return client

    @staticmethod
    def wait_up(client):
        wait_for("the planes are in step",
                 lambda: client.good(type="status")["dataplane"]["link"] == "up")

    def http(self, method, path, body=None, **headers):
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port(),
                                                timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.text = response.read().decode()
            return response
        finally:
            connection.close()

    def listen(self, room, **headers):
        with open(OFFER, encoding="utf-8") as file:
            return self.http("POST", f"/whep/{room}", file.read(),
                             Content_Type="application/sdp", **headers)

    def gauge(self, name):
        text = self.http("GET", "/metrics").text
        return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE).group(1))


def plan(room="tea", **more):
    return {"type": "room.schedule", "actor": "ann", "room": room,
            "starts_ms": int(time.time() * 1000) + 3600000, **more}


def described(client, room="tea"):
    return client.good(type="room.get", room=room)["room"]


class Scheduled(unittest.TestCase):
    def test_the_data_plane_knows_it_when_it_is_live(self):
        with House() as house:
            client = house.begin()
            made = client.good(**plan(title="Tea", slots=2, cohosts=["cy"], duration_ms=60000,
                                      access="followers", language="de", speakers_max=4))
            self.assertEqual((made["state"], made["durable"], made["programmed"]),
                             ("scheduled", True, True))
            before = described(client)
            self.assertEqual(before["slot"], [])
            self.assertIsNone(before["opened_ms"])
            self.assertEqual(before["ends_ms"], before["starts_ms"] + 60000)
            status = client.good(type="status")
            self.assertEqual((status["rooms"], status["scheduled"]), (0, 1))
            self.assertEqual(status["dataplane"]["rooms"], 0)
            self.assertEqual(house.gauge("stentor_rooms"), 0)
            self.assertEqual(house.gauge("stentor_rooms_scheduled"), 1)
            # Both planes die; each is back with what it should know.
            house.kill("dataplane")
            client = house.restart()
            again = described(client)
            self.assertEqual(again, before)
            self.assertFalse(client.good(**plan("two"))["programmed"])
            house.start("dataplane")
            house.wait_up(client)
            self.assertEqual(client.good(type="status")["dataplane"]["rooms"], 0)
            client.refused("conflict", type="member.join", actor="ann", room="tea", role="host",
                           transport="webrtc")
            opened = client.good(type="room.open", actor="cy", room="tea")
            self.assertEqual((opened["state"], opened["slots"], opened["programmed"]),
                             ("live", 2, True))
            after = described(client)
            self.assertEqual([slot["ssrc"] for slot in after["slot"]], opened["ssrc"])
            for same in ("room_id", "title", "host", "access", "language", "cohosts",
                         "speakers_max"):
                self.assertEqual(after[same], before[same])
            self.assertIsNone(after["starts_ms"])
            self.assertEqual(after["ends_ms"], after["opened_ms"] + 60000)
            self.assertEqual(client.good(type="status")["dataplane"]["rooms"], 1)
            # Live it is still when the control plane is killed once more.
            client = house.restart()
            house.wait_up(client)
            self.assertEqual(described(client)["state"], "live")
            self.assertEqual(client.good(type="status")["dataplane"]["rooms"], 1)

    def test_opened_without_a_data_plane_it_is_programmed_later(self):
        with House() as house:
            client = house.start()
            client.good(**plan())
            self.assertFalse(client.good(type="room.open", actor="ann", room="tea")["programmed"])
            house.start("dataplane")
            house.wait_up(client)
            self.assertEqual(client.good(type="status")["dataplane"]["rooms"], 1)

    def test_cancelled_it_is_gone_also_after_a_kill(self):
        with House() as house:
            client = house.begin()
            client.good(**plan())
            watcher = house.connect()
            watcher.good(type="subscribe", **{"from": 0})
            closed = client.good(type="room.close", actor="ann", room="tea")
            self.assertEqual((closed["durable"], closed["programmed"]), (True, True))
            self.assertEqual(watcher.receive()["type"], "room.scheduled")
            last = watcher.receive()
            self.assertEqual((last["type"], last["reason"], last["actor"]),
                             ("room.closed", "cancelled", "ann"))
            client = house.restart()
            client.refused("no_such_room", type="room.get", room="tea")

    def test_what_a_member_sees_of_themself(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            seat = client.good(type="member.join", actor="ann", room="tea", role="host",
                               transport="webrtc")["members"][0]
            seen = house.http("POST", "/events", '{"id":"g","type":"room.get"}',
                              Content_Type="application/json",
                              Authorization=f"Bearer {seat['token']}")
            self.assertIn('"you":{"member":"ann","role":"host"', seen.text)
            self.assertIn('"may_moderate":true,"rank":2', seen.text)
            self.assertNotIn("you", described(client))


class Shares(unittest.TestCase):
    def test_a_link_lets_a_guest_in(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea", access="invited")
            made = client.good(id="S", type="share.create", actor="ann", room="tea")
            code = made["code"]
            self.assertRegex(code, r"^[A-Za-z0-9_-]{22}$")
            self.assertEqual(made["url"], f"https://rooms.example/room/tea#share={code}")
            self.assertEqual(house.listen("tea").status, 401)
            self.assertEqual(house.listen("tea", Stentor_Share="A" * 22).status, 403)
            self.assertEqual(house.listen("tea", Stentor_Share="not a code").status, 400)
            self.assertEqual(house.listen("none", Stentor_Share=code).status, 404)
            guest = house.listen("tea", Stentor_Share=code)
            self.assertEqual(guest.status, 201, guest.text)
            self.assertIsNotNone(guest.getheader("Stentor-Token"))
            self.assertEqual(described(client)["listeners"], 1)
            # Only its digest is kept: it goes on working, nobody can say it again.
            client = house.restart()
            house.wait_up(client)
            again = client.good(id="S", type="share.create", actor="ann", room="tea")
            self.assertEqual((again["share"], again["code"], again["url"]),
                             (made["share"], None, None))
            self.assertEqual(house.listen("tea", Stentor_Share=code).status, 201)
            with open(f"{house.folder}/db", "rb") as file, \
                 open(f"{house.folder}/db-wal", "rb") as log:
                self.assertNotIn(code.encode(), file.read() + log.read())
            with open(f"{house.folder}/controlplane.log", encoding="utf-8") as file:
                self.assertNotIn(code, file.read())
            client.good(type="room.close", actor="ann", room="tea")
            client.good(type="room.open", actor="ann", room="tea", access="invited")
            self.assertEqual(house.listen("tea", Stentor_Share=code).status, 403)

    def test_an_expired_link_does_not(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea", access="followers")
            code = client.good(type="share.create", actor="ann", room="tea",
                               duration_ms=1)["code"]
            wait_for("the link has expired",
                     lambda: house.listen("tea", Stentor_Share=code).status == 403)

    def test_open_listening_is_for_open_rooms(self):
        with House(open_listening="true") as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            client.good(type="room.open", actor="ann", room="den", access="followers")
            client.good(type="room.open", actor="ann", room="show", access="ticketed")
            self.assertEqual(house.listen("tea").status, 201)
            self.assertEqual(house.listen("den").status, 403)
            self.assertEqual(house.listen("show").status, 403)
            code = client.good(type="share.create", actor="ann", room="show")["code"]
            self.assertEqual(house.listen("show", Stentor_Share=code).status, 403)
            # Nor does their stream tell strangers what goes on in them.
            self.assertEqual(house.http("GET", "/events/den").status, 401)
            client.good(**plan("later"))
            self.assertEqual(house.listen("later").status, 409)

    def test_foreign_pages_may_send_the_code(self):
        with House() as house:
            house.begin()
            asked = house.http("OPTIONS", "/whep/tea", Origin="https://app.example",
                               Access_Control_Request_Method="POST")
            self.assertIn("stentor-share", asked.getheader("Access-Control-Allow-Headers"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
