#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tickets, reminders and reactions with the real stentor-controlplane: kills, a full disk, time.

usage: test_engagement.py CONTROLPLANE DATAPLANE
"""
import http.client
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Planes, wait_for  # noqa: E402

CONTROLPLANE, DATAPLANE = sys.argv.pop(1), sys.argv.pop(1)
CLAP, FIRE = "\U0001f44f", "\U0001f525"


def planes(**options):
    return Planes(CONTROLPLANE, DATAPLANE, answer_timeout_ms=100, **options)


def now_ms():
    return time.time_ns() // 1000000


def issue(user, reference, **more):
    return {"type": "ticket.issue", "actor": "shop", "room": "tea", "user": user,
            "reference": reference, "price": 1000, "currency": "EUR", **more}


def refund(reference):
    return {"type": "ticket.refund", "actor": "shop", "reference": reference}


def join(name, port=1):
    return {"type": "member.join", "actor": name, "room": "tea", "role": "listener",
            "address": "10.0.0.1", "port": port}


def ledger(client):
    answer = client.good(type="ticket.ledger")
    return answer["entries"], answer["totals"]


def sell(client, **more):
    client.good(type="room.open", actor="ann", room="tea", access="ticketed")
    client.good(type="ticket.offer", actor="ann", room="tea", price=1000, currency="EUR",
                **{"quantity": 3, **more})


def events(planes_, client, kind):
    """All of that type that ever were, by the log."""
    last = client.good(type="status")["seq"]
    watcher = planes_.connect()
    watcher.good(type="subscribe", **{"from": 0})
    seen = [watcher.receive() for _ in range(last)]
    planes_.clients.remove(watcher)
    watcher.close()
    return [event for event in seen if event["type"] == kind]


class Tickets(unittest.TestCase):
    def test_they_outlive_the_program_and_the_room(self):
        with planes() as p:
            client = p.start()
            sell(client)
            first = client.good(id="B", **issue("bob", "p1", provider_fee=30))
            self.assertEqual((first["share"], first["fee"], first["left"]), (776, 194, 2))
            client.good(**issue("eve", "p2"))
            client.good(**issue("joe", "p3"))
            client.refused("capacity", **issue("tom", "p4"))
            client.good(**refund("p2"))
            before = ledger(client)
            client = p.restart()
            self.assertEqual(client.good(id="B", **issue("bob", "p1", provider_fee=30)), first)
            self.assertEqual(ledger(client), before)
            self.assertEqual(client.good(type="room.get", room="tea")["room"]["tickets"]["left"],
                             1)
            for again in "p1", "p2":
                self.assertIn("is that of ticket",
                              client.refused("already_exists", **issue("tom", again)))
            client.refused("conflict", **refund("p2"))
            client.refused("not_allowed", **join("eve"))
            client.good(**join("bob"))
            client.good(**issue("eve", "p5"))
            client.refused("capacity", **issue("tom", "p6"))
            client.good(type="room.close", actor="ann", room="tea")
            client = p.restart()
            client.good(type="room.open", actor="ann", room="tea", access="ticketed")
            client.refused("not_allowed", **join("bob"))
            self.assertIs(client.good(**refund("p1"))["removed"], False)
            client = p.restart()
            client.refused("conflict", **refund("p1"))
            total, = client.good(type="ticket.ledger", room="tea", limit=1)["totals"]
            self.assertEqual({line["account"]: line["amount"] for line in total["accounts"]},
                             {"buyer": -2000, "provider": 0, "platform": 400, "host:ann": 1600})
            self.assertEqual(total["sum"], 0)
            told = events(p, client, "ticket.refunded")
            self.assertEqual([event["user"] for event in told], ["eve", "bob"])

    def test_pages_of_the_ledger_have_everything_once(self):
        with planes() as p:
            client = p.start()
            sell(client, quantity=50)
            for number in range(50):
                client.send(**issue(f"u{number}", f"p{number}"))
            for number in range(50):
                self.assertTrue(client.receive()["ok"])
            for number in range(0, 50, 5):
                client.good(**refund(f"p{number}"))
            seen, after = [], {}
            while after is not None:
                page = client.good(type="ticket.ledger", host="ann", limit=7, **after)
                seen += [(entry["kind"], entry["reference"]) for entry in page["entries"]]
                self.assertEqual(page["totals"][0]["accounts"][0]["amount"], -40000)
                after = {"after": page["next"]} if page["next"] else None
            self.assertEqual(len(seen), 60)
            self.assertEqual(len(set(seen)), 60)
            self.assertEqual([kind for kind, _ in seen], ["issue"] * 50 + ["refund"] * 10)

    def test_a_refund_needs_no_disk(self):
        with planes() as p:
            p.start("dataplane")
            client = p.start()
            wait_for("the planes are connected",
                     lambda: client.good(type="status")["dataplane"].get("link") == "up")
            sell(client)
            client.good(**issue("bob", "p1"))
            self.assertIs(client.good(**join("bob"))["programmed"], True)
            p.limit_files(1)
            client.refused("unavailable", **issue("eve", "p2"))
            answer = client.good(**refund("p1"))
            self.assertEqual((answer["removed"], answer["durable"], answer["programmed"]),
                             (True, False, True))
            self.assertEqual(client.good(type="status")["dataplane"]["legs"], 0)
            self.assertEqual(ledger(client)[1][0]["sum"], 0)
            p.limit_files(-1)
            client.good(**issue("eve", "p2"))  # writes what waited
            before = ledger(client)
            self.assertEqual(len(before[0]), 3)
            client = p.restart()
            self.assertEqual(ledger(client), before)


class Reminders(unittest.TestCase):
    def schedule(self, client, in_ms):
        starts_ms = now_ms() + in_ms
        client.good(type="room.schedule", actor="ann", room="tea", starts_ms=starts_ms)
        return starts_ms

    def test_it_comes_by_itself_and_not_early(self):
        with planes() as p:
            client = p.start()
            watcher = p.connect()
            watcher.good(type="subscribe")
            starts_ms = self.schedule(client, 1200)
            reminder = client.good(type="reminder.set", actor="bob", room="tea", before_ms=200)
            self.assertEqual(reminder["due_ms"], starts_ms - 200)
            while True:
                event = watcher.receive()
                if event["type"] == "reminder.due":
                    break
            self.assertEqual(event["reminders"],
                             [{"reminder": reminder["reminder"], "user": "bob"}])
            self.assertGreaterEqual(event["at_ms"], event["due_ms"])
            # Woken for it, not at the next second.
            self.assertLess(event["at_ms"], event["due_ms"] + 950)

    def test_it_comes_once_also_when_the_program_was_away(self):
        with planes() as p:
            client = p.start()
            starts_ms = self.schedule(client, 1000)
            ids = {client.good(type="reminder.set", actor=user, room="tea",
                               before_ms=before)["reminder"]
                   for user, before in (("bob", 0), ("eve", 500), ("tom", 86400000 // 2))}
            wait_for("the first is told", lambda: events(p, client, "reminder.due"))
            p.kill()
            wait_for("its time has passed", lambda: now_ms() > starts_ms)
            client = p.start()
            wait_for("all are told", lambda: len(self.told(p, client)) == len(ids))
            for _ in range(2):
                client = p.restart()
                self.assertEqual(sorted(self.told(p, client)), sorted(ids))
            self.assertEqual(client.good(type="room.get", room="tea")["room"]["reminders"], 0)

    def told(self, p, client):
        return [entry["reminder"] for event in events(p, client, "reminder.due")
                for entry in event["reminders"]]

    def test_opening_early_calls_at_once_and_cancelling_nobody(self):
        with planes() as p:
            client = p.start()
            self.schedule(client, 3600000)
            client.good(type="reminder.set", actor="bob", room="tea")
            client.good(type="room.open", actor="ann", room="tea")
            wait_for("bob is told", lambda: len(self.told(p, client)) == 1)
            client.good(type="room.close", actor="ann", room="tea")
            self.schedule(client, 3600000)
            client.good(type="reminder.set", actor="bob", room="tea")
            client.good(type="room.close", actor="ann", room="tea")
            client = p.restart()
            self.assertEqual(len(self.told(p, client)), 1)


class Reactions(unittest.TestCase):
    def test_they_are_summed_up_and_stored_nowhere(self):
        with planes(reactions_per_second=0) as p:
            client = p.start()
            client.good(type="room.open", actor="ann", room="tea")
            client.good(**join("bob"))
            client.good(**join("eve", 2))
            seq = client.good(type="status")["seq"]
            watcher = p.connect()
            watcher.good(type="subscribe", room="tea")
            for user in "bob", "eve", "bob":
                answer = client.good(type="reaction.send", actor=user, room="tea", emoji=CLAP)
                self.assertNotIn("durable", answer)
            client.good(type="reaction.send", actor="eve", room="tea", emoji=FIRE, count=10)
            total, told = {}, []
            while total != {CLAP: 3, FIRE: 10}:
                event = watcher.receive()
                self.assertEqual(event["type"], "room.reactions")
                self.assertNotIn("seq", event)
                told.append(event)
                for emoji, count in event["counts"].items():
                    total[emoji] = total.get(emoji, 0) + count
                self.assertEqual(event["total"], total)
            for first, second in zip(told, told[1:]):
                self.assertGreaterEqual(second["at_ms"] - first["at_ms"], 499)
            self.assertEqual(client.good(type="room.get", room="tea")["room"]["reactions"], total)
            client.refused("invalid", type="reaction.send", actor="bob", room="tea", emoji="x")
            client.refused("no_such_member", type="reaction.send", actor="tom", room="tea",
                           emoji=CLAP)
            self.assertEqual(client.good(type="status")["seq"], seq)

    def test_who_taps_too_fast_is_told_when_to_go_on(self):
        with planes(reactions_per_second=1, reactions_burst=2) as p:
            client = p.start()
            client.good(type="room.open", actor="ann", room="tea")
            client.good(**join("bob"))
            tap = {"type": "reaction.send", "actor": "bob", "room": "tea", "emoji": CLAP}
            answers = [client.ask(**tap) for _ in range(3)]
            self.assertEqual([answer["ok"] for answer in answers], [True, True, False])
            error = answers[2]["error"]
            self.assertEqual(error["code"], "rate_limited")
            self.assertTrue(0 < error["retry_after_ms"] <= 1000, error)


class Pages(unittest.TestCase):
    def test_what_a_token_may_do(self):
        with planes(http="true", http_port=0) as p:
            client = p.start()
            client.good(type="room.open", actor="ann", room="tea")
            client.good(type="room.schedule", actor="ann", room="plan",
                        starts_ms=now_ms() + 3600000)
            token = client.good(type="member.join", actor="bob", room="tea", role="listener",
                                transport="webrtc")["members"][0]["token"]
            self.assertTrue(self.ask(p, token, type="reaction.send", emoji=CLAP)["ok"])
            self.assertTrue(self.ask(p, token, type="reminder.set", room="plan")["ok"])
            seen = self.ask(p, token, type="room.get", room="plan")["room"]
            self.assertEqual((seen["reminders"], seen["you"]["reminder"]), (1, True))
            self.assertTrue(self.ask(p, token, type="reminder.cancel", room="plan")["ok"])
            for request in (issue("bob", "p1"), refund("p1"), {"type": "ticket.ledger"},
                            {"type": "ticket.offer", "price": 1}):
                request.pop("actor", None)
                answer = self.ask(p, token, **request)
                self.assertEqual(answer["error"]["code"], "not_allowed", f"{request}: {answer}")

    def ask(self, p, token, **request):
        connection = http.client.HTTPConnection("127.0.0.1", p.http_port(), timeout=20)
        try:
            connection.request("POST", "/events", json.dumps({"id": os.urandom(8).hex(), **request}),
                               {"Authorization": f"Bearer {token}",
                                "Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=1)
