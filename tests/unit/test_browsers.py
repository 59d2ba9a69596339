#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Browsers' sessions over real HTTP, with both real programs on null ports: no media, no DTLS.

usage: test_browsers.py CONTROLPLANE DATAPLANE
"""
import http.client
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import DEADLINE_SECONDS, Planes, wait_for  # noqa: E402

CONTROLPLANE, DATAPLANE = sys.argv.pop(1), sys.argv.pop(1)
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "sdp")
FRAGMENT = "application/trickle-ice-sdpfrag"
RESTART = "a=ice-ufrag:frsh\r\na=ice-pwd:0123456789abcdefghijkl\r\n"


def offer(name):
    with open(f"{DATA}/{name}.sdp", encoding="utf-8") as file:
        return file.read()


class House(Planes):
    """Both planes, HTTP at any port that is free."""

    def __init__(self, **options):
        super().__init__(CONTROLPLANE, DATAPLANE, http="true", http_port=0,
                         public_url='"https://rooms.example"', **options)

    def begin(self):
        self.start("dataplane")
        client = self.start()
        self.wait_link(client)
        return client

    def wait_link(self, client):
        wait_for("the planes are connected",
                 lambda: client.good(type="status")["dataplane"]["connected"])

    def port(self):
        with open(f"{self.folder}/controlplane.log", encoding="utf-8") as file:
            return int(re.findall(r"http_listening .*port=(\d+)", file.read())[-1])

    def http(self, method, path, token=None, body=None, **headers):
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port(),
                                                timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.text = response.read().decode()
            return response
        finally:
            connection.close()

    def post(self, path, token, name="chromium_recvonly_3"):
        return self.http("POST", path, token, offer(name), Content_Type="application/sdp")

    def ask(self, token, **request):
        """POST /events."""
        request.setdefault("id", os.urandom(8).hex())
        return json.loads(self.http("POST", "/events", token, json.dumps(request),
                                    Content_Type="application/json").text)


def join(client, name, role="listener", **more):
    answer = client.good(type="member.join", actor="ann", room="tea", member=name, role=role,
                         transport="webrtc", **more)
    return answer["members"][0]


def member(client, name):
    members = client.good(type="member.list", room="tea")["members"]
    return next((entry for entry in members if entry["member"] == name), None)


class Browsers(unittest.TestCase):
    def test_a_session_begins_restarts_and_ends(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            seat = join(client, "bob")
            token = seat["token"]
            self.assertEqual(seat["url"], f"https://rooms.example/room/tea#token={token}")
            made = house.post("/whep/tea", token)
            self.assertEqual(made.status, 201, made.text)
            self.assertEqual(made.getheader("Content-Type"), "application/sdp")
            self.assertIn("a=ice-lite", made.text)
            self.assertIn("10.0.0.254 40000 typ host", made.text)
            self.assertEqual(made.text.count("a=sendonly"), 3)
            place, tag = made.getheader("Location"), made.getheader("ETag")
            restarted = house.http("PATCH", place, token, RESTART, Content_Type=FRAGMENT,
                                   If_Match="*")
            self.assertEqual(restarted.status, 200, restarted.text)
            self.assertNotEqual(restarted.getheader("ETag"), tag)
            stale = house.http("PATCH", place, token, "a=end-of-candidates\r\n",
                               Content_Type=FRAGMENT, If_Match=tag)
            self.assertEqual(stale.status, 412)
            self.assertEqual(client.good(type="status")["dataplane"]["legs"], 1)
            self.assertEqual(house.http("DELETE", place, token).status, 200)
            self.assertEqual(client.good(type="status")["dataplane"]["legs"], 0)
            self.assertIsNone(member(client, "bob")["leg"])
            self.assertEqual(house.http("DELETE", place, token).status, 404)

    def test_removal_ends_token_leg_and_way_back(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            token = join(client, "bob")["token"]
            self.assertEqual(house.post("/whep/tea", token).status, 201)
            client.good(type="moderation.remove", actor="ann", room="tea", member="bob")
            self.assertEqual(client.good(type="status")["dataplane"]["legs"], 0)
            self.assertEqual(house.post("/whep/tea", token).status, 401)
            client.refused("not_allowed", type="member.join", actor="ann", room="tea",
                           member="bob", role="listener", transport="webrtc")

    def test_the_floor_is_asked_for_and_granted_by_pages(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            host, guest = join(client, "ann", "host")["token"], join(client, "bob")["token"]
            self.assertEqual(house.post("/whip/tea", guest, "chromium_sendonly").status, 403)
            self.assertTrue(house.ask(guest, type="floor.request")["ok"])
            listed = house.ask(host, type="floor.list")
            self.assertEqual([entry["member"] for entry in listed["hands"]], ["bob"])
            self.assertFalse(house.ask(guest, type="floor.grant", member="bob")["ok"])
            self.assertTrue(house.ask(host, type="floor.grant", member="bob")["ok"])
            made = house.post("/whip/tea", guest, "chromium_sendrecv_recvonly")
            self.assertEqual(made.status, 201, made.text)
            ssrc = int(re.search(r"a=ssrc:(\d+)", offer("chromium_sendrecv_recvonly")).group(1))
            self.assertEqual(member(client, "bob")["ssrc"], ssrc)
            self.assertTrue(house.ask(guest, type="floor.release")["ok"])
            self.assertEqual(member(client, "bob")["role"], "listener")
            self.assertFalse(house.ask(guest, type="status")["ok"])

    def test_tokens_and_hands_outlive_both_planes(self):
        with House() as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            token, other = join(client, "bob")["token"], join(client, "eve")["token"]
            first = client.good(id="T", type="member.token", actor="eve", room="tea")
            self.assertNotEqual(first["token"], other)
            self.assertEqual(client.good(id="T", type="member.token", actor="eve", room="tea"),
                             first)
            client.good(type="floor.request", actor="bob", room="tea")
            place = house.post("/whep/tea", token).getheader("Location")
            house.kill("dataplane")
            client = house.restart()
            again = client.good(id="T", type="member.token", actor="eve", room="tea")
            self.assertIsNone(again["token"])
            away = house.post("/whep/tea", token)
            self.assertEqual(away.status, 503)
            self.assertIsNotNone(away.getheader("Retry-After"))
            house.start("dataplane")
            self.wait_for_link(house, client)
            # The handshake had not begun: that session is over, the seat and the token are not.
            wait_for("the session is over", lambda: member(client, "bob")["leg"] is None)
            self.assertTrue(member(client, "bob")["hand"])
            self.assertEqual(house.http("DELETE", place, token).status, 404)
            self.assertEqual(house.post("/whep/tea", other).status, 401)
            self.assertEqual(house.post("/whep/tea", token).status, 201)

    def wait_for_link(self, house, client):
        house.wait_link(client)
        wait_for("the resync is applied",
                 lambda: client.good(type="status")["dataplane"]["link"] == "up")

    def test_a_seat_is_freed_when_nobody_comes_back(self):
        with House(reconnect_grace_s=1) as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            token = join(client, "bob")["token"]
            join(client, "eve", duration_ms=1000)
            watcher = house.connect()
            watcher.good(type="subscribe", **{"from": 0})
            place = house.post("/whep/tea", token).getheader("Location")
            self.assertEqual(house.http("DELETE", place, token).status, 200)
            reasons = {}
            while len(reasons) < 2:
                event = watcher.receive()
                if event["type"] == "member.left":
                    reasons.update({name: event["reason"] for name in event["left"]})
            self.assertEqual(reasons, {"bob": "left", "eve": "expired"})
            self.assertEqual(house.post("/whep/tea", token).status, 401)

    def test_the_log_tells_no_secret(self):
        with House(log_level='"debug"') as house:
            client = house.begin()
            client.good(type="room.open", actor="ann", room="tea")
            token = join(client, "bob")["token"]
            made = house.post("/whep/tea", token)
            password = re.search(r"a=ice-pwd:(\S+)", made.text).group(1)
            house.http("GET", f"/room/tea?token={token}")
            house.http("DELETE", made.getheader("Location"), token)
            house.kill()
            for name in ("controlplane", "dataplane"):
                with open(f"{house.folder}/{name}.log", encoding="utf-8") as file:
                    text = file.read()
                for secret in (token, password, made.getheader("Location").split("/")[-1]):
                    self.assertNotIn(secret, text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
