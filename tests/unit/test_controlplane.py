#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The real stentor-controlplane without a data plane: durability, idempotence, subscriptions, limits.

usage: test_controlplane.py PROGRAM
"""
import json
import os
import random
import signal
import socket
import stat
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Client, Planes, wait_for  # noqa: E402

PROGRAM = sys.argv.pop(1)


def member(name, port, **more):
    return {"type": "member.join", "actor": "ann", "room": "tea", "role": "listener",
            "member": name, "address": "10.0.0.1", "port": port, **more}


def room(**more):
    return {"type": "room.open", "actor": "ann", "room": "tea", **more}


def planes(**options):
    return Planes(PROGRAM, **{"answer_timeout_ms": 100, **options})


class Durability(unittest.TestCase):
    def test_a_repeated_id_gets_the_first_answer_also_after_a_kill(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            first = c.good(id="J", **member("bob", 1))
            self.assertEqual(c.good(id="J", **member("bob", 1)), first)
            # Even if it asks something else now.
            self.assertEqual(c.ask(id="J", type="room.close", actor="ann", room="tea"), first)
            refusal = c.ask(id="R", **member("bob", 1))
            self.assertEqual(refusal["error"]["code"], "already_exists")
            seq = c.good(type="status")["seq"]
            c = p.restart()
            again = c.good(id="J", **member("bob", 1))
            self.assertIsNotNone(first["members"][0]["tx_key"])
            self.assertIsNone(again["members"][0]["tx_key"])  # was in memory only
            first["members"][0]["tx_key"] = None
            self.assertEqual(again, first)
            self.assertEqual(c.ask(id="R", **member("bob", 1)), refusal)
            self.assertEqual(c.good(type="status")["seq"], seq)

    def test_the_same_id_at_the_same_time_is_done_once(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            c.good(**member("bob", 1))
            # Without a data plane a removal waits: both are under way together.
            others = [p.connect() for _ in range(3)]
            for other in others:
                other.send(id="X", type="moderation.remove", actor="ann", room="tea", member="bob")
            answers = [other.receive() for other in others]
            self.assertEqual(answers[0], answers[1])
            self.assertEqual(answers[0], answers[2])
            self.assertTrue(answers[0]["ok"] and answers[0]["durable"])

    def test_every_acknowledged_event_survives_a_kill_at_any_instant(self):
        seed = int(os.environ.get("STENTOR_SEED", time.time_ns()))
        print(f"STENTOR_SEED={seed}")
        chance = random.Random(seed)
        joined, number = set(), 0
        with planes() as p:
            c = p.start()
            c.good(**room())
            for _ in range(12):
                timer = threading.Timer(chance.uniform(0.0, 0.05),
                                        p.running["controlplane"].kill)
                timer.start()
                try:
                    while True:
                        batch = [f"m{number + i}" for i in range(chance.randint(1, 20))]
                        number += len(batch)
                        for name in batch:
                            c.send(**member(name, 1 + int(name[1:]) % 60000))
                        for name in batch:
                            if c.receive()["ok"]:
                                joined.add(name)
                except (OSError, ConnectionError):
                    pass
                timer.join()
                p.kill()
                c = p.start()
                self.check(c, joined)
            self.assertGreater(len(joined), 0)

    def check(self, c, joined):
        last = c.good(type="status")["seq"]
        watcher = Client(c.socket.getpeername())
        watcher.good(type="subscribe", **{"from": 0})
        told = set()
        for seq in range(1, last + 1):
            event = watcher.receive()
            self.assertEqual(event["seq"], seq)
            self.assertEqual(event["room_seq"], seq)
            told |= set(event.get("joined", []))
        watcher.close()
        self.assertLessEqual(joined, told)
        present, after = set(), {}
        while after is not None:
            page = c.good(type="member.list", room="tea", limit=500, **after)
            present |= {m["member"] for m in page["members"]}
            after = {"after": page["next"]} if page["next"] else None
        self.assertEqual(present, told)

    def test_a_full_disk_stops_joins_and_not_safety(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            c.good(**{**member("ann", 1), "role": "host"})
            c.good(**member("bob", 2))
            watcher = p.connect()
            watcher.good(type="subscribe")
            p.limit_files(1)
            c.refused("unavailable", id="J", **member("eve", 3))
            c.refused("unavailable", **{**room(), "room": "other"})
            mute = c.good(type="moderation.mute", actor="ann", room="tea", member="ann")
            self.assertIs(mute["durable"], False)
            remove = c.good(type="moderation.remove", actor="ann", room="tea", member="bob")
            self.assertIs(remove["durable"], False)
            c.refused("unavailable", **member("bob", 2))
            self.assertIs(c.good(type="status")["store"]["ok"], False)
            self.assertEqual(c.good(type="room.get", room="tea")["room"]["muted"], 1)
            self.assertEqual([watcher.receive()["type"] for _ in range(2)],
                             ["member.muted", "member.left"])
            p.limit_files(-1)
            wait_for("the disk is used again", lambda: c.good(type="status")["store"]["ok"])
            c.good(id="J", **member("eve", 3))  # what was not taken may be repeated
            c = p.restart()
            self.assertEqual(c.good(type="room.get", room="tea")["room"]["muted"], 1)
            c.refused("not_allowed", **member("bob", 2))
            c.good(type="subscribe", **{"from": 0})
            self.assertEqual([c.receive()["seq"] for _ in range(6)], [1, 2, 3, 4, 5, 6])

    def test_a_ban_from_many_rooms_is_kept_for_the_disk(self):
        with planes() as p:
            c = p.start()
            for port, name in enumerate(("tea", "pub"), 2):
                c.good(**{**room(), "room": name})
                c.good(**{**member("bob", port), "room": name})
            c.good(**member("sue", 9, role="speaker"))
            p.limit_files(1)
            ban = c.good(type="moderation.ban", actor="ann", room="tea", member="bob")
            self.assertEqual((ban["durable"], ban["rooms"]), (False, ["tea", "pub"]))
            muted = c.good(type="moderation.mute_all", actor="ann", room="tea")
            self.assertEqual((muted["durable"], muted["members"]), (False, ["sue"]))
            demoted = c.good(type="moderation.demote", actor="ann", room="tea", member="sue")
            self.assertIs(demoted["durable"], False)
            # Nobody's microphone is opened, nobody let in again, until that is written down.
            c.refused("unavailable", type="moderation.unban", actor="ann", room="tea", member="bob")
            p.limit_files(-1)
            wait_for("the disk is used again", lambda: c.good(type="status")["store"]["ok"])
            c = p.restart()
            for name in ("tea", "pub"):
                c.refused("not_allowed", **{**member("bob", 2), "room": name})
            c.refused("not_allowed", type="moderation.unmute", actor="eve", room="tea", member="sue")
            self.assertEqual(c.good(type="room.get", room="tea")["room"]["speakers"], 0)
            c.good(type="moderation.unmute", actor="ann", room="tea", member="sue")
            c.good(type="moderation.unban", actor="ann", room="pub", member="bob")
            c.good(**member("bob", 2))


class Subscriptions(unittest.TestCase):
    def test_replay_and_live_are_one_sequence_without_a_gap(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            c.good(**{**room(), "room": "other"})
            early = p.connect()
            early.good(type="subscribe", **{"from": 0})
            for i in range(300):
                c.good(**member(f"m{i}", 1 + i))
            late = p.connect()
            late.good(type="subscribe", **{"from": 100})
            only = p.connect()
            only.good(type="subscribe", room="tea", **{"from": 0})
            c.good(type="room.close", actor="ann", room="other")
            c.good(type="room.close", actor="ann", room="tea")
            # Beside opened and closed, each room is live: nobody follows its host.
            first = [early.receive() for _ in range(306)]
            self.assertEqual([e["seq"] for e in first], list(range(1, 307)))
            self.assertEqual([late.receive() for _ in range(206)], first[100:])
            of_tea = [e for e in first if e["room"] == "tea"]
            self.assertEqual([only.receive() for _ in range(303)], of_tea)
            self.assertEqual([e["room_seq"] for e in of_tea], list(range(1, 304)))
            joins = [e["members"] for e in of_tea if e["type"] == "member.joined"]
            self.assertEqual(joins, list(range(1, 301)))
            c.refused("invalid", type="subscribe", **{"from": 1000})
            late.refused("already_exists", type="subscribe")

    def test_who_does_not_read_is_cut_and_can_resume(self):
        # Who was cut has as long again to read what is left; beside a compiler that takes seconds.
        with planes(stall_timeout_ms=5000) as p:
            c = p.start()
            c.good(**room(title="x" * 256))
            slow = p.connect()
            slow.good(type="subscribe", **{"from": 0})
            # No more answers at a time than fit into a socket: this one is not to be cut.
            for _ in range(64):
                batch = [dict(type="room.update", actor="ann", room="tea", title="y" * 256)] * 50
                for request in batch:
                    c.send(**request)
                for _ in batch:
                    self.assertTrue(c.receive()["ok"])
            last = c.good(type="status")["seq"]
            wait_for("the slow one is cut", lambda: c.good(type="status")["subscribers"] == 0)
            seqs, cut = [], None
            while cut is None:
                event = slow.receive()
                if event["type"] == "subscribe.cut":
                    cut = event["resume_from"]
                else:
                    seqs.append(event["seq"])
            self.assertEqual(seqs, list(range(1, cut + 1)))
            self.assertLess(cut, last)
            with self.assertRaises(ConnectionError):
                slow.receive()
            again = p.connect()
            again.good(type="subscribe", **{"from": cut})
            self.assertEqual([again.receive()["seq"] for _ in range(last - cut)],
                             list(range(cut + 1, last + 1)))

    def test_who_reads_all_the_time_is_never_cut(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            c.good(**{**room(), "type": "member.join", "role": "listener", "members": [
                {"member": f"m{i}", "address": "10.0.0.1", "port": 1 + i} for i in range(500)]})
            end = time.monotonic() + 4  # a look at who stalls is taken every second
            # More at once than the socket takes, so that something waits in every turn.
            line = b'{"id":"x","type":"member.list","room":"tea","limit":500}\n'
            while time.monotonic() < end:
                c.socket.sendall(line * 5)
                for _ in range(5):
                    self.assertEqual(len(c.receive()["members"]), 500)


class Socket(unittest.TestCase):
    def test_it_is_for_those_who_may(self):
        with planes() as p:
            p.start()
            self.assertEqual(stat.S_IMODE(os.stat(p.events).st_mode), 0o660)
            if os.getuid() != 0:
                self.skipTest("another user can be played by root only")
            os.chmod(p.folder, 0o755)
            os.chmod(p.events, 0o666)  # the peer's credentials are checked all the same
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                stranger = socket.socket(socket.AF_UNIX)
                stranger.connect(p.events)
                os.write(writer, stranger.makefile("rb").readline())
                os._exit(0)
            os.waitpid(child, 0)
            answer = json.loads(os.read(reader, 1000))
            self.assertEqual(answer["error"]["code"], "not_allowed")

    def test_a_dead_socket_is_replaced_and_a_living_one_is_not(self):
        with planes() as p:
            p.start()
            p.restart()  # the file of the killed one was left behind
            second = p.launch("controlplane", "-o", f"database={p.folder}/db2")
            self.assertEqual(second.wait(20), 1)

    def test_the_end_is_orderly(self):
        with planes() as p:
            p.start()
            self.assertEqual(p.kill(number=signal.SIGTERM), 0)
            self.assertFalse(os.path.exists(p.events))

    def test_a_half_closed_connection_gets_its_answers(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            c.good(**member("bob", 1))
            half = p.connect()
            half.send(id="h", type="moderation.remove", actor="ann", room="tea", member="bob")
            half.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(half.receive()["ok"])
            with self.assertRaises(ConnectionError):
                half.receive()

    def test_ten_thousand_requests_at_once_are_all_answered(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            lines = b"".join(json.dumps({"id": f"n{i}", **member(f"n{i}", 1 + i % 60000)}).encode()
                             + b"\n" for i in range(5000))
            lines += b"".join(b'{"id":"s%d","type":"room.get","room":"tea"}\n' % i
                              for i in range(5000))
            writer = threading.Thread(target=c.socket.sendall, args=(lines,))
            writer.start()
            answers = [c.receive() for _ in range(10000)]
            writer.join()
            self.assertTrue(all(answer["ok"] for answer in answers))
            self.assertEqual(len({answer["id"] for answer in answers}), 10000)

    def test_there_is_a_limit_to_connections(self):
        with planes(connections_max=3) as p:
            c = p.start()
            others = [p.connect(), p.connect()]
            for other in others:
                other.good(type="status")
            self.assertEqual(p.connect().receive()["error"]["code"], "capacity")
            others[0].close()
            wait_for("a place is free", lambda: c.good(type="status")["connections"] == 2)
            p.connect().good(type="status")


if __name__ == "__main__":
    unittest.main()
