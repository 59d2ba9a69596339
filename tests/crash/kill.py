#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 of the real control plane at random instants while many connections write.

usage: kill.py CONTROLPLANE [--dataplane FILE] [--kills N] [--seed S]
After each restart: every acknowledged answer comes again for its id and changes nothing; what was
not acknowledged has happened whole or not at all; the state is what the log says; the log has no gap,
and no sequence number that a subscriber was told stands for something else now.
Exit code 0, or 1 with the seed and what was wrong.
"""
import argparse
import json
import os
import random
import selectors
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import DEADLINE_SECONDS, Planes, wait_for  # noqa: E402
from fold import Fold, asked, difference  # noqa: E402
from writer import Connection, kept, stored  # noqa: E402
from workload import KINDS, MARKED, Workload  # noqa: E402

CONNECTIONS = 6
WINDOW = 24  # requests under way on each
LONGEST_SECONDS = 0.15  # from the first request to the kill


class Crash:
    def __init__(self, planes, seed):
        self.planes = planes
        self.random = random.Random(seed)
        self.workload = Workload(self.random, int(time.time() * 1000))
        self.fold = Fold()
        self.log = []
        self.told = {}  # by sequence number: what a subscriber was told
        self.asked = {}  # by id, of this life: the request, in the order of asking
        self.answers = {}  # by id, of this life
        self.final = {}  # by id, of all lives: whether it was ok
        self.users = {}  # by name: followers as they were told last
        self.accepted = dict.fromkeys(KINDS, 0)
        self.counts = {"acknowledged": 0, "unacknowledged": 0, "made up for": 0}

    # A life of the program.

    def live(self):
        """Writes until it is killed at an instant of its own."""
        writers = [Connection(self.planes.connect()) for _ in range(CONNECTIONS)]
        watcher = Connection(self.planes.connect())
        watcher.outgoing = json.dumps({"id": "watch", "type": "subscribe",
                                       "from": self.fold.sequence}).encode() + b"\n"
        watcher.flush()
        everybody = selectors.DefaultSelector()
        for connection in [*writers, watcher]:
            everybody.register(connection.socket, selectors.EVENT_READ, connection)
        end = time.monotonic() + self.random.uniform(0, LONGEST_SECONDS)
        open_requests = dict.fromkeys(range(CONNECTIONS), 0)
        while time.monotonic() < end:
            for number, writer in enumerate(writers):
                while open_requests[number] < WINDOW:
                    self.ask(writer, number)
                    open_requests[number] += 1
                writer.flush()
            everybody.select(max(0, min(0.002, end - time.monotonic())))
            for number, writer in enumerate(writers):
                open_requests[number] -= self.take(writer)
            self.watch(watcher)
        self.planes.kill()
        # What it had said before it died counts.
        for writer in writers:
            self.take(writer)
        self.watch(watcher)
        everybody.close()
        for client in self.planes.clients:
            client.close()
        self.planes.clients.clear()

    def ask(self, writer, number):
        request = self.workload.next(number, CONNECTIONS)
        self.asked[request["id"]] = request
        writer.outgoing += json.dumps(request).encode() + b"\n"

    def take(self, writer):
        lines = writer.lines()
        for answer in lines:
            request = self.asked[answer["id"]]
            assert answer["id"] not in self.answers, f"answered twice: {answer}"
            assert "unknown type" not in json.dumps(answer), answer
            self.answers[answer["id"]] = answer
            self.workload.learn(request, answer)
        return len(lines)

    def watch(self, watcher):
        for event in watcher.lines():
            if "seq" in event and "ok" not in event:
                self.told[event["seq"]] = event

    # What a new life must know of the one before.

    def read_log(self, client):
        """What is new in the log."""
        reader = self.planes.connect()
        last = reader.good(type="subscribe", **{"from": self.fold.sequence})["seq"]
        while self.fold.sequence < last:
            event = reader.receive()
            if "seq" not in event:
                continue
            self.fold.apply(event)
            self.log.append(event)
            told = self.told.pop(event["seq"], event)
            assert told == event, f"was told {told}, is now {event}"
        reader.close()
        self.planes.clients.remove(reader)

    def compare(self, client):
        """Between two looks at the sequence nothing may have happened, else look again."""
        while True:
            self.read_log(client)
            state = asked(client)
            if client.good(type="status")["seq"] == self.fold.sequence:
                break
        wrong = difference(self.fold.state(), state)
        assert wrong is None, wrong

    def repeat(self, client, ids):
        """The answers, in the order of asking."""
        for start in range(0, len(ids), 200):
            part = ids[start:start + 200]
            client.socket.sendall(b"".join(json.dumps(self.asked[i]).encode() + b"\n"
                                           for i in part))
            got = {}
            while len(got) < len(part):
                answer = client.receive()
                got[answer["id"]] = answer
            yield from ((i, got[i]) for i in part)

    def check_acknowledged(self, client):
        before = client.good(type="status")["seq"]
        ids = [i for i in self.asked if i in self.answers and kept(self.answers[i])]
        for identity, again in self.repeat(client, ids):
            first = self.answers[identity]
            assert stored(again) == stored(first), \
                f"{self.asked[identity]}: {first}, after the kill {again}"
            assert first.get("durable", True) is True, first
            self.final[identity] = first["ok"]
        after = client.good(type="status")["seq"]
        assert before == after, f"repeating changed something: {before} to {after}"
        self.counts["acknowledged"] += len(ids)

    def check_unacknowledged(self, client):
        ids = [i for i in self.asked if i not in self.answers]
        before = {i: self.marks(i) for i in ids}
        for identity, answer in self.repeat(client, ids):
            self.final[identity] = answer["ok"]
            self.workload.learn(self.asked[identity], answer)
        self.read_log(client)
        self.counts["unacknowledged"] += len(ids)
        self.counts["made up for"] += sum(before[i] == 0 and self.marks(i) > 0 for i in ids)

    def marks(self, identity):
        """Events that the request with this id is known by."""
        kind = MARKED.get(self.asked[identity]["type"])
        return self.fold.marks.get((kind, identity), 0)

    def check_marks(self):
        """What was accepted happened exactly once; what was refused never."""
        for identity, request in self.asked.items():
            if identity not in self.final or request["type"] not in MARKED:
                continue
            once = self.marks(identity)
            wanted = 1 if self.final[identity] else 0
            assert once == wanted, f"{once} events, {wanted} wanted: {request}"

    def check_users(self, client):
        """No event tells of them; requests about one user are on one connection, so in order."""
        for identity, request in self.asked.items():
            self.accepted[request["type"]] += self.final.get(identity, False)
            if request["type"] == "user.upsert" and self.final.get(identity):
                self.users[request["user"]] = request["followers"], len(request["follows"])
        for user, known in self.users.items():
            answer = client.good(type="user.get", actor="app", user=user)
            assert (answer["followers"], answer["follows"]) == known, f"{answer}, told {known}"

    def check(self, client):
        self.compare(client)
        self.check_acknowledged(client)
        self.check_unacknowledged(client)
        self.check_marks()
        self.check_users(client)
        self.compare(client)
        assert not self.told, f"told, and not in the log: {self.told}"
        self.asked.clear()
        self.answers.clear()

    def check_whole_log(self, client):
        reader = self.planes.connect()
        last = reader.good(type="subscribe", **{"from": 0})["seq"]
        log = []
        while len(log) < last:
            event = reader.receive()
            if "seq" in event:
                log.append(event)
        assert log[:len(self.log)] == self.log, "the log is not what it was"

    def start(self):
        client = self.planes.start()
        if self.planes.programs["dataplane"]:
            wait_for("the planes are in step", lambda: client.good(type="status")
                     ["dataplane"].get("link") == "up")
        return client

    def run(self, kills):
        client = self.start()
        for count in range(kills):
            self.live()
            if self.random.random() < 0.1:
                self.die_young()
            if self.planes.programs["dataplane"] and self.random.random() < 0.05:
                self.planes.restart("dataplane")
            client = self.start()
            self.check(client)
            if count % 100 == 99:
                print(f"{count + 1} kills, {self.fold.sequence} events, {self.counts}", flush=True)
                never = [kind for kind, accepted in self.accepted.items() if accepted == 0]
                assert not never, f"never accepted: {never}"
        self.check_whole_log(client)
        assert self.planes.kill(number=signal.SIGTERM) == 0
        self.check(self.start())

    def die_young(self):
        """Once more, on the way up."""
        process = self.planes.running["controlplane"] = self.planes.launch("controlplane")
        try:
            process.wait(self.random.uniform(0, 0.04))
        except Exception:  # it lives, as it should
            pass
        self.planes.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("controlplane")
    parser.add_argument("--dataplane")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    if options.dataplane and os.getuid() != 0:
        print("SKIP: DPDK needs root here")
        sys.exit(77)
    print(f"seed {options.seed}", flush=True)
    with Planes(options.controlplane, options.dataplane, answer_timeout_ms="100") as planes:
        if options.dataplane:
            planes.start("dataplane")
        crash = Crash(planes, options.seed)
        try:
            crash.run(options.kills)
        finally:
            print(f"seed {options.seed}: {crash.fold.sequence} events, {crash.counts}", flush=True)


assert DEADLINE_SECONDS > LONGEST_SECONDS
main()
