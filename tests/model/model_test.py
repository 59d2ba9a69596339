# SPDX-License-Identifier: BSD-3-Clause
"""Random commands to the program's rules and to the model: same answers, same events, same state.

usage: model_test.py DRIVER [--seed N] [--steps N] [--dump-every N]
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback

import schema
from compare import difference
from coverage import Coverage
from generate import Generator
from invariant import Broken, Follower, check
from model import Model
from shrink import shrink

LIMITS = {
    "rooms_max": 5,
    "members_max": 30,
    "room_members_max": 9,
    "join_timeout_ms": 120_000,
    "reconnect_grace_ms": 30_000,
    "public_url": "https://rooms.example",
    "schedule_max_ms": 14 * 24 * 3_600_000,
    "schedule_late_ms": 600_000,
    "schedules_per_host_max": 2,
    "room_speakers_max": 4,
    "users_max": 13,
    "follows_max": 12,
    "host_min_followers": 600,
    "moderation_per_second": 2,
    "moderation_burst": 6,
    "reactions_per_second": 1,
    "reactions_burst": 1,
    "tickets_max": 300,
    "reports_max": 40,
    "report_hold_count": 3,
    "floor_request_ms": 120_000,
    "floor_invite_ms": 20_000,
    "host_grace_ms": 15_000,
    "reminder_spread_min": 3,
    "reactions": ["\U0001f44f", "\u2764\ufe0f", "\U0001f525"],
    "fee_tiers": [[1000, 3000], [50_000, 1250], [None, 333]],
}
BATCH = 24  # commands that are made before the answer to the first is read
STEPS_A_WORLD = 25_000
SHOWN = 60  # of the commands that lead to a mismatch
# What is answered by the data plane or the event log.
NOT_MODELLED = ("status", "subscribe", "leg.list", "explain")
COVERAGE_STEPS = 200_000  # in fewer, something rare may well not have happened


class Ended(Exception):
    pass


class Program:
    """The driver, with a database in memory."""

    def __init__(self, path):
        folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = tempfile.TemporaryDirectory(prefix="stentor-model-", dir=folder)
        self.process = subprocess.Popen(
            [path, os.path.join(self.folder.name, "rooms.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.write({"limits": LIMITS})

    def write(self, command):
        self.process.stdin.write(json.dumps(command).encode() + b"\n")

    def send(self, commands):
        try:
            for command in commands[:-1]:
                self.write(command)
            self.write({**commands[-1], "flush": True})
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: read() says so

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Ended(f"the program ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()
        self.folder.cleanup()


class Mismatch(Exception):
    def __init__(self, sentence, command, want, have):
        super().__init__(sentence)
        self.command, self.want, self.have = command, want, have


class Judge:
    """Model, subscriber and data plane look at each answer."""

    def __init__(self, coverage):
        self.model = Model(LIMITS)
        self.follower = Follower(LIMITS)
        self.coverage = coverage

    def judge(self, command, program):
        try:
            have = program.read()
        except Ended as ended:
            raise Mismatch(str(ended), command, {}, {}) from None
        try:
            want = self.model.play(command, have)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            where = traceback.format_exc().splitlines()[-3].strip()
            raise Mismatch(f"model: {error!r} {where}", command, {}, have) from None
        found = difference(want, have)
        if found:
            raise Mismatch(found, command, want, have)
        try:
            self.follow(command, have)
        except Broken as broken:
            raise Mismatch(f"invariant: {broken}", command, want, have) from None
        if "line" in command:
            self.coverage.count(kind_of(command["line"]), have["code"])
        elif command["do"] in ("session", "session_end"):
            self.coverage.count(command["do"], have["code"])

    def follow(self, command, have):
        check(have.get("broken") is None, have.get("broken"))
        for outcome in [have, *have.get("steps", [])]:
            self.follower.see(outcome)
            self.coverage.count_events(outcome)
        if "state" in have:
            if command.get("restarted"):
                self.follower.reprogram(have["state"])
            self.follower.look(have["state"])


def kind_of(line):
    try:
        kind = json.loads(line).get("type")
    except (ValueError, AttributeError):
        return "?"
    return kind if isinstance(kind, str) else "?"


def types_of(path):
    program = Program(path)
    program.send([{"n": 0, "at_ms": 1, "mono_ms": 1, "do": "types"}])
    types = program.read()["types"]
    program.close()
    return types


def replay(path, commands):
    """The mismatch that these commands end with, or None."""
    program = Program(path)
    judge = Judge(Coverage())
    try:
        for at in range(0, len(commands), BATCH):
            program.send(commands[at : at + BATCH])
            for command in commands[at : at + BATCH]:
                judge.judge(command, program)
    except Mismatch as mismatch:
        return mismatch
    finally:
        program.close()
    return None


class Run:
    """Worlds one after the other, each with a database of its own: what is kept for ever (tickets,
    reports) would fill them up, and a short history is shrunk sooner."""

    def __init__(self, path, arguments, types):
        self.path, self.every, self.types = path, arguments.dump_every, types
        self.coverage = Coverage()
        self.rng = random.Random(arguments.seed)
        self.history = []
        self.done = 0

    def run(self, steps):
        while self.done < steps:
            self.run_world(min(steps, self.done + STEPS_A_WORLD))

    def run_world(self, until):
        program, judge = Program(self.path), Judge(self.coverage)
        generator = Generator(self.rng, judge.model.w, self.types)
        self.history = []
        try:
            while self.done < until:
                commands = self.batch(generator)
                program.send(commands)
                for command in commands:
                    self.history.append(command)
                    judge.judge(command, program)
                    self.done += 1
        finally:
            program.close()

    def batch(self, generator):
        commands = []
        while len(commands) < BATCH:
            commands += generator.commands()
        if self.done % self.every < BATCH:
            commands.append(generator.command(do="dump"))
        return commands


def explain(run, mismatch, seed):
    print(f"MISMATCH seed {seed} step {run.done}: {mismatch}")
    commands = shrink(list(run.history), lambda some: replay(run.path, some), mismatch)
    last = replay(run.path, commands) or mismatch
    print(f"the shortest way to it found ({len(commands)} of {len(run.history)} commands): {last}")
    for command in commands[-SHOWN:]:
        print("  " + json.dumps(command))
    print("expected: " + json.dumps(last.want)[:4000])
    print("found:    " + json.dumps(last.have)[:4000])


def unlike(types):
    """Where the program's types are not those of the documentation."""
    for name, flags in types.items():
        kind = schema.TYPES.get(name)
        if kind is None:
            if name not in NOT_MODELLED:
                yield f"the model does not know {name}"
            continue
        room = {0: None, 2: "needs", 4: "takes"}[flags & 6]
        rated = "moderation" if flags & 0x40 else "reactions" if flags & 0x80 else None
        said = (bool(flags & 1), room, bool(flags & 0x20), rated, bool(flags & 0x100))
        if said != (kind.actor, kind.room, kind.page, kind.rated, kind.abroad):
            yield f"{name} takes actor, room, page, rate, abroad as {said}"
    for name in schema.TYPES:
        if name not in types:
            yield f"the program does not know {name}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--dump-every", type=int, default=500)
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = int(os.environ.get("STENTOR_SEED", time.time_ns() % 1_000_000_007))
    print(f"seed {arguments.seed}, {arguments.steps} steps", flush=True)
    types = types_of(arguments.driver)
    run = Run(arguments.driver, arguments, types)
    started = time.monotonic()
    failed = None
    try:
        run.run(arguments.steps)
    except Mismatch as mismatch:
        failed = mismatch
    print(f"{run.done} steps in {time.monotonic() - started:.1f} s")
    run.coverage.print()
    if failed is not None:
        explain(run, failed, arguments.seed)
        return 1
    missing = list(unlike(types)) + run.coverage.missing(arguments.steps >= COVERAGE_STEPS)
    for sentence in missing:
        print(f"MISSING {sentence}")
    return 1 if missing else 0


sys.exit(main())
