# SPDX-License-Identifier: BSD-3-Clause
"""People, announcements, the audit and draining with the real program and its database.

usage: test_discovery.py STENTOR_CONTROLPLANE
"""
import http.client
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Planes, wait_for  # noqa: E402

CONTROLPLANE = sys.argv.pop(1)
FOLLOWERS = 1001  # three parts
ROOMS = 120
KILLS = 6


def planes(**options):
    return Planes(CONTROLPLANE, **options)


def tell(user, **more):
    return {"type": "user.upsert", "actor": "app", "user": user, **more}


def room(name="tea", **more):
    return {"type": "room.open", "actor": "ann", "room": name, **more}


def member(user, port, name="tea", role="listener"):
    return {"type": "member.join", "actor": user, "room": name, "role": role,
            "address": "10.0.0.1", "port": port}


def entries(client, **more):
    """All pages."""
    found, after = [], {}
    while True:
        page = client.good(type="audit.list", **more, **after)
        found += page["entries"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


def events_from_the_start(planes_, client):
    """Everything in the log, in its order."""
    reader = planes_.connect()
    last = client.good(type="status")["seq"]
    reader.good(type="subscribe", **{"from": 0})
    found = []
    while not found or found[-1]["seq"] < last:
        found.append(reader.receive())
    reader.close()
    planes_.clients.remove(reader)
    return found


class People(unittest.TestCase):
    def test_what_was_told_is_there_after_a_restart(self):
        with planes() as p:
            c = p.start()
            c.good(**tell("ann", followers=700, host_grant=True))
            c.good(**tell("bob", follows=["ann", "zoe"], moderator=True))
            c.good(**tell("ann", follows=[]))
            before = [c.good(type="user.get", user=u) for u in ("ann", "bob")]
            p.kill("controlplane")
            c = p.start()
            after = [c.good(type="user.get", user=u) for u in ("ann", "bob")]
            for one, other in zip(before, after):
                self.assertEqual({**one, "id": 0}, {**other, "id": 0})
            self.assertEqual(after[0]["known_followers"], 1)
            self.assertEqual(after[1]["following_known"], 1)
            c.refused("no_such_user", type="user.get", user="zoe")

    def test_a_list_of_five_thousand_is_quick(self):
        with planes() as p:
            c = p.start()
            names = [f"{i:x}" for i in range(5000)]
            for _ in range(3):
                self.assertEqual(c.good(**tell("bob", follows=names))["follows"], 5000)
                names.reverse()
            self.assertEqual(c.good(**tell("bob", follows=names[:10]))["follows"], 10)
            # Longer names than fit into a line at once.
            long = [f"{i:x}".zfill(64) for i in range(5000)]
            for i in range(0, 5000, 500):
                count = c.good(**tell("long", follows_add=long[i:i + 500]))["follows"]
                self.assertEqual(count, i + 500)
            c.refused("capacity", **tell("long", follows_add=["one-more"]))
            p.kill("controlplane")
            c = p.start()
            self.assertEqual(c.good(type="user.get", user="bob")["follows"], 10)
            self.assertEqual(c.good(type="user.get", user="long")["follows"], 5000)


class Announcements(unittest.TestCase):
    def follow(self, client, count):
        """Many requests on their way at a time: a commit takes many."""
        sent = [client.send(**tell(f"u{i}", follows=["ann"])) for i in range(count)]
        for _ in sent:
            self.assertTrue(client.receive()["ok"])

    def all_told(self, planes_, client):
        """The events by room, once each has its last part."""
        events = [e for e in events_from_the_start(planes_, client) if e["type"] == "room.live"]
        rooms = {}
        for event in events:
            rooms.setdefault(event["room"], []).append(event)
        return rooms if sum(e["last"] for e in events) >= ROOMS else None

    def test_each_is_told_once_whenever_the_program_dies(self):
        """Rooms are opened many at a time, so there is always one of which some have been told."""
        seed = int(os.environ.get("STENTOR_SEED", time.time_ns()))
        print(f"STENTOR_SEED={seed}")
        chance = random.Random(seed)
        opening = [{**room(f"r{i}"), "id": f"open-{i}"} for i in range(ROOMS)]
        with planes() as p:
            c = p.start()
            self.follow(c, FOLLOWERS)
            for kill in range(KILLS):
                for request in opening[:(kill + 1) * ROOMS // KILLS]:
                    c.send(**request)  # again, most of them: the first answer is theirs
                for _ in range(chance.randrange(ROOMS // KILLS)):
                    c.receive()
                c = p.restart()
            for request in opening:
                c.good(**request)
            told = wait_for("all are told", lambda: self.all_told(p, c))
            self.assertEqual(sorted(told), sorted(f"r{i}" for i in range(ROOMS)))
            for events in told.values():
                self.assertEqual([e["part"] for e in events], [0, 1, 2])
                self.assertEqual([e["last"] for e in events], [False, False, True])
                self.assertEqual([name for e in events for name in e["followers"]],
                                 [f"u{i}" for i in range(FOLLOWERS)])

    def test_a_watcher_gets_parts_in_order(self):
        with planes() as p:
            c = p.start()
            self.follow(c, 501)
            watcher = p.connect()
            watcher.good(type="subscribe")
            c.good(**room())
            events = [watcher.receive() for _ in range(3)]
            self.assertEqual([e["type"] for e in events],
                             ["room.opened", "room.live", "room.live"])
            self.assertEqual([(e["part"], len(e["followers"]), e["last"]) for e in events[1:]],
                             [(0, 500, False), (1, 1, True)])


class Audit(unittest.TestCase):
    def test_pages_filters_and_who_may(self):
        with planes() as p:
            c = p.start()
            c.good(**tell("mod", moderator=True))
            c.good(**room())
            c.good(**{**room("jam"), "actor": "dan"})
            c.good(**member("bob", 1))
            c.good(**member("eve", 2))
            c.good(type="moderation.remove", actor="ann", room="tea", member="bob", reason="spam")
            c.good(type="moderation.remove", actor="mod", room="tea", member="eve")
            everything = entries(c)
            self.assertEqual([(e["actor"], e["action"], e["member"], e["room"])
                              for e in everything],
                             [("app", "user.upsert", "mod", None),
                              ("ann", "room.open", None, "tea"),
                              ("dan", "room.open", None, "jam"),
                              ("ann", "moderation.remove", "bob", "tea"),
                              ("mod", "moderation.remove", "eve", "tea")])
            self.assertEqual(everything[3]["reason"], "spam")
            ids = [int(e["audit"]) for e in everything]
            self.assertEqual(ids, sorted(ids))
            self.assertEqual(entries(c, limit=1), everything)
            self.assertEqual(entries(c, room="tea", limit=2), [everything[i] for i in (1, 3, 4)])
            self.assertEqual(entries(c, actor="ann", room="tea"),
                             [everything[i] for i in (1, 3, 4)])
            self.assertEqual(entries(c, actor="mod"), everything)
            self.assertEqual(entries(c, member="bob"), everything[3:4])
            self.assertEqual(entries(c, by="mod"), everything[4:])
            self.assertEqual(entries(c, action="room.open"), everything[1:3])
            at = everything[3]["at_ms"]
            self.assertIn(everything[3], entries(c, from_ms=at, to_ms=at))
            self.assertEqual(entries(c, to_ms=everything[0]["at_ms"] - 1), [])
            c.refused("not_allowed", type="audit.list", actor="ann")
            c.refused("not_allowed", type="audit.list", actor="ann", room="jam")
            # A host sees this room, not one of its name before.
            c.good(type="room.close", actor="ann", room="tea")
            c.good(**{**room(), "actor": "zoe"})
            self.assertEqual([e["actor"] for e in entries(c, actor="zoe", room="tea")], ["zoe"])
            self.assertEqual([e["actor"] for e in entries(c, room="tea")],
                             ["ann", "ann", "mod", "ann", "zoe"])
            p.kill("controlplane")
            c = p.start()
            self.assertEqual(entries(c)[:5], everything)

    def test_what_is_rare_is_found_behind_much(self):
        """More rows than a page looks at: an empty page that says where to read on."""
        with planes() as p:
            c = p.start()
            c.good(**tell("first", moderator=True))
            p.kill("controlplane")
            self.fill(f"{p.folder}/db", 50000)
            c = p.start()
            c.good(**tell("last", moderator=True))
            page = c.good(type="audit.list", member="last")
            self.assertEqual((page["entries"], page["next"]), ([], "20000"))
            self.assertEqual([e["member"] for e in entries(c, member="last")], ["last"])
            self.assertEqual([e["member"] for e in entries(c, action="user.upsert")],
                             ["first", "last"])

    def fill(self, path, count):
        import sqlite3  # pylint: disable=import-outside-toplevel
        database = sqlite3.connect(path)
        database.executemany(
            "INSERT INTO audit (at_ms, room, room_id, actor, action) VALUES (?, 'old', 1, 'a', 'x')",
            ((i,) for i in range(count)))
        database.commit()
        database.close()


class Drain(unittest.TestCase):
    def test_it_lasts_over_a_restart_and_is_told(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            c.good(**member("bob", 1))
            watcher = p.connect()
            watcher.good(type="subscribe")
            self.assertIs(c.good(type="status")["draining"], False)
            self.assertIs(c.good(type="drain", actor="ops")["draining"], True)
            event = watcher.receive()
            self.assertEqual((event["type"], event["actor"], event["on"]),
                             ("server.draining", "ops", True))
            self.assertNotIn("room", event)
            c.refused("unavailable", **member("eve", 2))
            p.kill("controlplane")
            c = p.start()
            self.assertIs(c.good(type="status")["draining"], True)
            c.refused("unavailable", **room("jam"))
            c.good(type="drain", actor="ops")  # told again it stays
            self.assertIs(c.good(type="status")["draining"], True)
            c.good(type="member.leave", actor="bob", room="tea")
            c.good(type="drain", actor="ops", on=False)
            c.good(**member("eve", 2))
            p.kill("controlplane")
            c = p.start()
            self.assertIs(c.good(type="status")["draining"], False)
            types = [e["type"] for e in events_from_the_start(p, c)]
            self.assertEqual(types.count("server.draining"), 2)
            self.assertEqual([(e["action"], e["reason"]) for e in entries(c, by="ops")],
                             [("drain", "on"), ("drain", "off")])

    def test_a_balancer_is_told_to_go_elsewhere(self):
        with planes(http="true", http_port=0) as p:
            c = p.start()

            def ready():
                connection = http.client.HTTPConnection("127.0.0.1", p.http_port(), timeout=20)
                connection.request("GET", "/readyz")
                response = connection.getresponse()
                text = response.read().decode()
                connection.close()
                return response.status, "the box drains" in text
            self.assertFalse(ready()[1])
            c.good(type="drain", actor="ops")
            self.assertEqual(ready(), (503, True))
            c.good(type="drain", actor="ops", on=False)
            self.assertFalse(ready()[1])

    def test_who_follows_one_room_is_not_told(self):
        with planes() as p:
            c = p.start()
            c.good(**room())
            of_room = p.connect()
            of_room.good(type="subscribe", room="tea", **{"from": 0})
            c.good(type="drain", actor="ops")
            c.good(type="room.close", actor="ann", room="tea")
            self.assertEqual([of_room.receive()["type"] for _ in range(3)],
                             ["room.opened", "room.live", "room.closed"])


if __name__ == "__main__":
    unittest.main()
