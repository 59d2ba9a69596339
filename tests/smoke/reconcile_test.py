#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Both real programs, the data plane on a null port: what restarts of either mean for members.

usage: reconcile_test.py CONTROLPLANE DATAPLANE
"""
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Planes, wait_for  # noqa: E402

CONTROLPLANE, DATAPLANE = sys.argv.pop(1), sys.argv.pop(1)


def join(name, port, role="listener", **more):
    return {"type": "member.join", "actor": "ann", "room": "tea", "role": role, "member": name,
            "address": "10.0.0.1", "port": port, **more}


def mute(verb="mute", **more):
    return {"type": f"moderation.{verb}", "actor": "ann", "room": "tea", "member": "ann", **more}


class Reconcile(unittest.TestCase):
    def setUp(self):
        self.p = Planes(CONTROLPLANE, DATAPLANE)
        self.addCleanup(lambda: self.p.__exit__(None, None, None))
        self.p.start("dataplane")
        self.c = self.p.start()
        self.up()

    def up(self):
        wait_for("the planes are in step", lambda: self.dataplane().get("link") == "up")

    def dataplane(self):
        return self.c.good(type="status")["dataplane"]

    def legs(self):
        return {leg["member"]: leg for leg in self.c.good(type="leg.list")["legs"]}

    def fill(self):
        answers = [self.c.good(type="room.open", actor="ann", room="tea"),
                   self.c.good(**join("ann", 1, "host")),
                   self.c.good(**join("bob", 2)),
                   self.c.good(**join("eve", 3, tx_key="00" * 27 + "01"))]
        for answer in answers:
            self.assertIs(answer["programmed"], True)

    def reasons(self, **more):
        """Who left, and why, of all that ever happened."""
        watcher = self.p.connect()
        last = watcher.good(type="subscribe", **{"from": 0}, **more)["seq"]
        events = [watcher.receive() for _ in range(last)]
        self.assertEqual([e["seq"] for e in events], list(range(1, last + 1)))
        return {who: e["reason"] for e in events if e["type"] == "member.left"
                for who in e["left"]}

    def test_a_join_the_data_plane_refuses_is_taken_back_and_said(self):
        self.fill()
        taken = join("tom", 2)
        first = self.c.ask(id="T", **taken)
        self.assertEqual(first["error"]["code"], "conflict")
        self.assertNotIn("tom", self.legs())
        self.assertEqual(self.reasons(), {"tom": "refused"})
        self.assertEqual(self.c.ask(id="T", **taken), first)
        self.c.good(**join("tom", 4))

    def test_a_restarted_control_plane_takes_everything_back(self):
        self.fill()
        self.c.good(**mute())
        before = self.legs()
        instance = self.dataplane()["instance_id"]
        self.c = self.p.restart()
        self.up()
        self.assertEqual(self.legs(), before)
        self.assertEqual(self.dataplane()["instance_id"], instance)
        self.assertEqual(self.dataplane()["legs"], 3)
        self.assertEqual(self.reasons(), {})
        self.assertEqual(self.c.good(type="explain", room="tea", member="ann")["source"]["reason"],
                         "source_muted")
        # The keys are known again: the data plane may be restarted now.
        self.p.restart("dataplane")
        self.up()
        self.assertEqual(self.legs(), before)
        self.assertEqual(self.reasons(), {})

    def test_a_restarted_data_plane_has_everybody_and_the_muted_stay_muted(self):
        self.fill()
        self.c.good(**mute())
        self.p.kill("dataplane")
        wait_for("it is noticed", lambda: not self.dataplane()["connected"])
        answer = self.c.good(**join("late", 5))
        self.assertIs(answer["programmed"], False)
        self.assertIsNotNone(answer["members"][0]["tx_key"])
        self.c.send(id="out", type="moderation.remove", actor="ann", room="tea", member="bob")
        self.p.start("dataplane")
        answer = self.c.receive()  # answered by the resync that does not name bob
        self.assertEqual((answer["id"], answer["programmed"], answer["durable"]), ("out", True, True))
        self.up()
        legs = self.legs()
        self.assertEqual(set(legs), {"ann", "eve", "late"})
        self.assertTrue(all(leg["programmed"] for leg in legs.values()))
        self.assertEqual(self.dataplane()["legs"], 3)
        self.assertEqual(self.c.good(type="explain", room="tea", member="ann")["source"]["reason"],
                         "source_muted")
        self.assertEqual(self.reasons(), {"bob": "removed"})
        # late's origin is known now: it survives another restart.
        self.p.restart("dataplane")
        self.up()
        self.assertEqual(set(self.legs()), {"ann", "eve", "late"})

    def test_a_mute_without_a_data_plane_is_in_force_before_its_first_packet(self):
        self.fill()
        self.p.kill("dataplane")
        wait_for("it is noticed", lambda: not self.dataplane()["connected"])
        start = time.monotonic()
        answer = self.c.good(**mute())
        self.assertIs(answer["programmed"], False)
        self.assertGreaterEqual(time.monotonic() - start, 2.9)  # answer_timeout_ms = 3000
        self.p.start("dataplane")
        self.up()
        self.assertEqual(self.c.good(type="explain", room="tea", member="ann")["source"]["reason"],
                         "source_muted")

    def test_if_both_die_everybody_joins_again(self):
        self.fill()
        self.p.kill()
        self.p.restart("dataplane")
        self.c = self.p.start()
        self.up()
        self.assertEqual(self.reasons(), dict.fromkeys(["ann", "bob", "eve"], "keys_lost"))
        self.assertEqual(self.legs(), {})
        self.assertEqual(self.dataplane()["legs"], 0)
        self.c.refused("conflict", **join("eve", 3, tx_key="00" * 27 + "01"))
        self.c.good(**join("eve", 3))

    def test_another_index_store_needs_fresh_keys(self):
        self.fill()
        self.p.kill("dataplane")
        os.unlink(f"{self.p.folder}/index")
        self.p.start("dataplane")
        self.up()
        wait_for("they end", lambda: not self.legs())
        self.assertEqual(self.reasons(), dict.fromkeys(["ann", "bob", "eve"], "rekey_required"))
        self.c.good(**join("ann", 1, "host"))

    def test_deadlines_are_kept_by_the_data_plane_and_told(self):
        self.fill()
        self.c.good(**join("short", 9, duration_ms=200))
        self.c.good(**mute(duration_ms=200))
        self.p.kill()
        self.c = self.p.start()
        self.up()
        wait_for("it leaves", lambda: "short" not in self.legs())
        wait_for("the mute ends", lambda: not self.legs()["ann"]["muted"])
        self.assertEqual(self.reasons(), {"short": "expired"})

    def test_status_room_and_explain_say_what_the_data_plane_knows(self):
        self.fill()
        worker = self.dataplane()["workers"][0]
        self.assertEqual(worker["legs"], 3)
        self.assertEqual(worker["copies"], 0)
        slots = self.c.good(type="room.get", room="tea")["room"]["slot"]
        self.assertEqual([s["member"] for s in slots], [None] * 3)
        by_member = self.c.good(type="explain", room="tea", member="bob")
        self.assertEqual(by_member["source"]["reason"], "not_speaker")
        self.assertEqual((by_member["source"]["copies"], by_member["source"]["copied_bytes"]), (0, 0))
        by_tuple = self.c.good(type="explain", address="10.0.0.1", port=2)
        self.assertEqual(by_tuple["source"]["member"], "bob")
        nobody = self.c.good(type="explain", address="10.9.9.9", port=2)
        self.assertEqual(nobody["source"]["reason"], "no_source")

    def test_the_newer_control_plane_wins_and_the_older_one_ends(self):
        self.fill()
        second = Planes(CONTROLPLANE, DATAPLANE)
        self.addCleanup(lambda: second.__exit__(None, None, None))
        process = second.running["controlplane"] = second.launch(
            "controlplane", "-o", f"table_socket={self.p.folder}/table.sock")
        first = self.p.running["controlplane"]
        self.assertEqual(first.wait(20), 78)
        self.assertIsNone(process.poll())
        second.kill(number=signal.SIGTERM)


    def test_a_ban_is_one_transaction_over_more_rooms_than_one_message_holds(self):
        count = 65536 // 24 + 100  # a leg's removal has 24 bytes, a message of table.sock 65,536
        rooms = [f"r{i}" for i in range(count)]
        for first in range(0, count, 200):
            batch = rooms[first:first + 200]
            for port, name in enumerate(batch, first + 1):
                self.c.send(id=f"o{name}", type="room.open", actor="ann", room=name)
                self.c.send(id=f"j{name}", **{**join("bob", port), "room": name})
            for _ in range(2 * len(batch)):
                answer = self.c.receive()
                self.assertTrue(answer["ok"] and answer["programmed"], answer)
        self.assertEqual(self.dataplane()["legs"], count)
        ban = self.c.good(type="moderation.ban", actor="ann", room="r0", member="bob")
        self.assertEqual(ban["rooms"], rooms)
        self.assertTrue(ban["programmed"] and ban["durable"])
        self.assertEqual(self.dataplane()["legs"], 0)

    def test_a_full_disk_does_not_keep_the_data_plane_from_silencing(self):
        self.fill()
        self.p.limit_files(1)
        answers = [self.c.ask(id="m", **mute()),
                   self.c.ask(id="r", type="moderation.remove", actor="ann", room="tea", member="bob"),
                   self.c.ask(id="l", type="member.leave", actor="eve", room="tea")]
        for answer in answers:
            self.assertEqual((answer["ok"], answer["durable"], answer["programmed"]),
                             (True, False, True))
        self.assertEqual(self.c.good(type="explain", room="tea", member="ann")["source"]["reason"],
                         "source_muted")
        self.assertEqual(self.dataplane()["legs"], 1)
        self.assertEqual(set(self.legs()), {"ann"})
        self.c.refused("unavailable", **join("tom", 7))
        self.p.limit_files(-1)
        wait_for("the disk is used again", lambda: self.c.good(type="status")["store"]["ok"])
        self.assertEqual(self.reasons(), {"bob": "removed", "eve": "left"})
        # Written late, but written: nobody is back after a kill.
        self.c = self.p.restart()
        self.up()
        self.assertEqual(set(self.legs()), {"ann"})
        self.c.refused("not_allowed", **join("bob", 8))


if __name__ == "__main__":
    if os.getuid() != 0:
        print("SKIP: DPDK needs root here")
        sys.exit(77)
    unittest.main()
