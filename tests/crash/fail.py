#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The n-th write, sync or allocation of the real control plane fails, for every n.

usage: fail.py CONTROLPLANE LIBRARY [--dataplane FILE] [--kind K] [--step N] [--seed S]
A scenario of requests of all families runs once for each n until none of it fails any more. Each time
the program lives on; an answer is what it is without a failure, or a refusal with `unavailable`; what
makes a room safer works without a disk and says so; then everything works again, and after a
restart the state is what the log says. --step N: only every N-th n, beginning anywhere.
"""
import argparse
import ctypes
import json
import mmap
import os
import random
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Client, Planes, wait_for  # noqa: E402
from fold import Fold, asked, difference  # noqa: E402
from scenario import scenario  # noqa: E402
from writer import kept, stored  # noqa: E402

NEVER = 0xffffffff
EIO, ENOSPC = 5, 28
# What, errno, how many in a row.
KINDS = (("write", EIO, 1), ("write", ENOSPC, NEVER), ("sync", EIO, 1), ("sync", EIO, NEVER),
         ("allocation", 0, 4), ("allocation", 0, 1))
NUMBERS = {"none": 0, "write": 1, "sync": 2, "allocation": 3}
ANSWER_SECONDS = 5
RESTART_EVERY = 20


class Failing(ctypes.Structure):
    """As tests/support/failing.c has it."""

    _fields_ = [(name, ctypes.c_uint32) for name in
                ("kind", "first", "last", "error", "seen", "failed")]


class FailingPlanes(Planes):
    """With the library in the control plane."""

    def __init__(self, library, *arguments, **options):
        super().__init__(*arguments, **options)
        self.library = library
        path = f"{self.folder}/failing"
        with open(path, "w+b") as file:
            file.truncate(mmap.PAGESIZE)
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.failing = Failing.from_buffer(self.memory)
        self.environment = {"LD_PRELOAD": os.path.abspath(library), "FAILING_FILE": path,
                            "FAILING_PREFIX": f"{self.folder}/db"}

    def launch(self, name, *arguments):
        if name != "controlplane":
            return super().launch(name, *arguments)
        os.environ.update(self.environment)
        try:
            return super().launch(name, *arguments)
        finally:
            for key in self.environment:
                del os.environ[key]

    def arm(self, kind, error, first, last):
        self.failing.kind = 0
        self.failing.seen = self.failing.failed = 0
        self.failing.first, self.failing.last, self.failing.error = first, last, error
        self.failing.kind = NUMBERS[kind]

    def disarm(self):
        self.failing.kind = 0
        return self.failing.failed


class Failures:
    def __init__(self, planes, seed):
        self.planes = planes
        self.random = random.Random(seed)
        self.fold = Fold()
        self.count = 0
        self.log = []
        self.told = {}  # and not yet read in the log
        self.usual = None  # the answers' codes when nothing fails
        self.lost = 0
        self.watcher = None

    def start(self):
        self.client = self.planes.start()
        if self.planes.programs["dataplane"]:
            wait_for("the planes are in step", lambda: self.client.good(type="status")
                     ["dataplane"].get("link") == "up")
        self.watch()

    def watch(self):
        if self.watcher is not None and self.watcher in self.planes.clients:
            self.planes.clients.remove(self.watcher)
            self.watcher.close()
        self.watcher = self.planes.connect()
        self.watcher.good(type="subscribe", **{"from": self.fold.sequence})

    def alive(self):
        process = self.planes.running["controlplane"]
        assert process.poll() is None, f"the control plane ended with {process.returncode}"

    def answer(self, request):
        """The answer, or None when the connection was cut or nobody answers."""
        client = self.client
        try:
            client.socket.sendall(json.dumps(request).encode() + b"\n")
            client.socket.settimeout(ANSWER_SECONDS)
            while True:
                answer = client.receive()
                if answer.get("id") == request["id"]:
                    return answer
                assert answer.get("id") is None, answer
        except TimeoutError as error:
            self.alive()
            raise AssertionError(f"no answer, and not cut: {request}") from error
        except OSError:
            self.alive()
            self.lost += 1
            self.reconnect()
            return None

    def reconnect(self):
        self.planes.clients.remove(self.client)
        self.client.close()
        self.client = self.planes.connect()

    def recover(self):
        """A connection made while memory lacked may have been cut since."""
        def works():
            try:
                return self.client.good(type="status")
            except OSError:
                self.reconnect()
                return None
        wait_for("it answers", works)

    def play(self):
        """The scenario in rooms of its own; requests and answers."""
        self.count += 1
        known = {}
        played = []
        for request in scenario(f"n{self.count}", known):
            answer = self.answer(request)
            played.append((request, answer))
            known[request["id"]] = answer or {}
        return played

    def codes(self, played):
        return [None if a is None else "ok" if a["ok"] else a["error"]["code"]
                for _, a in played]

    def read_log(self):
        reader = self.planes.connect()
        last = reader.good(type="subscribe", **{"from": self.fold.sequence})["seq"]
        while self.fold.sequence < last:
            event = reader.receive()
            if "seq" in event:
                self.fold.apply(event)
                self.log.append(event)
                told = self.told.pop(event["seq"], event)
                assert told == event, f"was told {told}, is now {event}"
        self.planes.clients.remove(reader)
        reader.close()

    def hear(self, event):
        if event["seq"] > self.fold.sequence:
            self.told[event["seq"]] = event
        else:
            read = self.log[event["seq"] - 1]
            assert event == read, f"was told {event}, in the log is {read}"

    def take_told(self):
        """What the subscriber was told meanwhile; it may have been cut."""
        stream = self.watcher.socket
        stream.setblocking(False)
        cut = False
        rest = b""
        try:
            while True:
                got = stream.recv(1 << 20)
                if not got:
                    cut = True
                    break
                rest += got
        except BlockingIOError:
            pass
        except OSError:
            cut = True
        stream.setblocking(True)
        *lines, half = rest.split(b"\n")
        if half and not cut:
            lines.append(half + self.watcher.stream.readline())
        for line in lines:
            event = json.loads(line)
            if "seq" in event and "ok" not in event and event["type"] != "subscribe.cut":
                self.hear(event)
        if cut:
            self.watch()

    def compare(self):
        while True:
            self.take_told()
            self.read_log()
            state = asked(self.client)
            if self.client.good(type="status")["seq"] == self.fold.sequence:
                break
        wrong = difference(self.fold.state(), state)
        assert wrong is None, wrong

    def heal(self):
        """The next change writes what waits."""
        self.client.ask(type="drain", actor="app", on=False)
        wait_for("it writes again", lambda: self.client.ask(
            type="room.open", actor="heal", room=f"heal{self.count}")["ok"])
        self.client.good(type="room.close", actor="heal", room=f"heal{self.count}")
        assert self.client.good(type="status")["store"]["ok"]

    def restart(self):
        for client in self.planes.clients:
            client.close()
        self.planes.clients.clear()
        self.watcher = None
        self.planes.kill()
        self.start()

    def check(self, played, kind):
        for (request, answer), usual in zip(played, self.usual):
            if answer is None or answer["ok"] and usual == "ok":
                continue
            if not answer["ok"]:
                code = answer["error"]["code"]
                # What did not happen before may be missing now.
                assert code == usual or code == "unavailable" or code in FOLLOWS, \
                    f"{request}: {answer}, usually {usual}"
        for request, answer in played:
            if answer is None or not answer["ok"] or "durable" not in answer:
                continue
            safety = request["type"] in SAFETY
            assert answer["durable"] or safety, f"{request}: {answer}"
        if kind != "allocation":
            self.check_safety(played)

    def check_safety(self, played):
        """Without a disk, what makes a room safer is never refused for it."""
        for request, answer in played:
            if request["type"] in SAFETY and answer is not None and not answer["ok"]:
                assert answer["error"]["code"] != "unavailable", f"{request}: {answer}"

    def check_repeated(self, played):
        before = self.client.good(type="status")["seq"]
        for request, first in played:
            if first is None or not kept(first) or first.get("durable") is not True:
                continue
            again = self.client.ask(**request)
            assert stored(again) == stored(first), f"{request}: {first}, again {again}"
        assert self.client.good(type="status")["seq"] == before, "repeating changed something"

    def run(self, kind, error, length, step):
        if kind == "sync":
            step = (step + 11) // 12  # there are few of them
        first = 1 if step == 1 else self.random.randrange(1, step + 1)
        count = 0
        while True:
            last = NEVER if length == NEVER else first + length - 1
            played = []
            try:
                self.planes.arm(kind, error, first, last)
                played = self.play()
                failed = self.planes.disarm()
                self.alive()
                self.recover()
                self.check(played, kind)
                self.heal()
                self.check_repeated(played)
                self.compare()
                if count % RESTART_EVERY == RESTART_EVERY - 1 or failed == 0:
                    self.restart()
                    self.check_repeated(played)
                    self.compare()
                assert not self.told, f"told, and not in the log: {self.told}"
                self.clean()
            except BaseException:
                print(f"{kind} {first} to {last}: {self.codes(played)}", flush=True)
                raise
            if failed == 0:
                break
            count += 1
            first += step
        print(f"{kind}, {'for good' if length == NEVER else length}: {count} of {first - 1}, "
              f"{self.lost} answers lost", flush=True)

    def clean(self):
        """Ended rooms cost nothing at the next comparison."""
        for name, room in list(self.fold.rooms.items()):
            self.client.good(type="room.close", actor=room.host, room=name)
        self.read_log()

    def measure(self):
        """How it is when nothing fails."""
        self.usual = self.codes(self.play())
        assert self.usual.count("ok") > 0.7 * len(self.usual), self.usual
        self.compare()
        self.clean()


# What a request is refused with when one before it was.
FOLLOWS = {"no_such_room", "no_such_member", "no_such_thing", "conflict", "not_allowed",
           "already_exists", "capacity", "no_such_user", "invalid"}
SAFETY = {"moderation.mute", "moderation.mute_all", "moderation.demote", "moderation.remove",
          "moderation.ban", "member.leave", "room.close", "floor.release", "ticket.refund"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("controlplane")
    parser.add_argument("library")
    parser.add_argument("--dataplane")
    parser.add_argument("--kind", choices=list(NUMBERS))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    if options.dataplane and os.getuid() != 0:
        options.dataplane = None
    print(f"seed {options.seed}", flush=True)
    with FailingPlanes(options.library, options.controlplane, options.dataplane,
                       answer_timeout_ms="100") as planes:
        if options.dataplane:
            planes.start("dataplane")
        failures = Failures(planes, options.seed)
        failures.start()
        failures.measure()
        for kind, error, length in KINDS:
            if options.kind in (None, kind):
                failures.run(kind, error, length, options.step)
        assert planes.kill(number=signal.SIGTERM) == 0


main()
