#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs one contender of a comparison: for each listener count it is set up, warmed and measured.

usage: contest.py --contender NAME --counts N,N --prefix LAB --folder DIR --build DIR
                  [--seconds S] [--bisections N] [--repeats N] [--allotted SECONDS] [--lock FILE]
In the relay's namespace of a lab. A line of JSON for each measurement on standard output; one with
"skipped" and the reason where there is none, with "cut" where its time was up. All first
measurements come before all repeats, so that those are what a slow contender does without. Exit: 0, 2 usage.
"""
import argparse
import json
import signal
import sys
import time

import ramp
from contenders import Loop, Stentor, Testpmd
from janus import Janus
from lab import Lab, Skipped, cpu_seconds
from rtpengine import Rtpengine

CONTENDERS = {
    "loop-none": lambda lab: Loop(lab, "none"),
    "loop-evp": lambda lab: Loop(lab, "evp"),
    "loop-libsrtp": lambda lab: Loop(lab, "srtp"),
    "rtpengine": Rtpengine,
    "rtpengine-cm80": lambda lab: Rtpengine(lab, "cm80"),
    "janus": Janus,
    "testpmd": Testpmd,
    "stentor-vaes": lambda lab: Stentor(lab, "vaes"),
    "stentor-ipsec_mb": lambda lab: Stentor(lab, "ipsec_mb"),
    "stentor-libsrtp": lambda lab: Stentor(lab, "libsrtp"),
}
# Copies a second that no relay here reaches over a veth, and what the ramp begins with.
LIMIT = 6e6
START = 160000
# What a saturated relay is offered.
FLOOD = 3e6
SETTLE_S = 0.5
# Where a ramp begins, of what another one of the same came to: the repeat of one, the first at another
# count of listeners; and by what it climbs.
BEGIN_AGAIN, STEP_AGAIN = 0.8, 1.5
BEGIN_OTHER = 0.5
# Who is started again after each loss and takes longer than that has a coarser figure.
SETUP_SLOW_S, BISECTIONS_SLOW = 5, 2
# How much longer than allotted a measurement may take until it is broken off.
OVERTIME_S = 10


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


def describe_step(step, listeners):
    # As long as it really took the sender, should that be longer.
    seconds = max(step["sent"] / step["rate"], step["seconds"] - step["lag_s"])
    figures = {"rate_pps": step["rate"], "copies_per_s": ramp.due(step, listeners) / seconds,
               "copies_per_cpu_s": step["received"] / step["cpu_s"] if step["cpu_s"] else None,
               "received": step["received"], "missing": ramp.missing(step, listeners)}
    for key in ("latency_us_p50", "latency_us_p99", "spread_us_p50", "spread_us_p99",
                "payload_size"):
        if key in step:
            figures[key] = step[key]
    return figures


class Run:
    """A contender with its listeners, and who speaks to them."""

    def __init__(self, contender, lab, listeners):
        self.contender, self.lab, self.listeners = contender, lab, listeners
        self.target = self.load = None
        self.setup_s = None
        self.start()

    def start(self):
        begin = time.monotonic()
        try:
            self.target = self.contender.start(self.listeners)
            self.setup_s = self.setup_s or time.monotonic() - begin
            self.load = self.lab.load(self.listeners, self.target, self.contender.pids(),
                                      self.contender.load_options)
        except BaseException:
            self.contender.stop()
            raise

    def stop(self):
        self.load.stop()
        self.contender.stop()

    def again(self):
        self.stop()
        self.start()

    def counted(self, rate, seconds):
        """A step seen by stentor-load at the listeners' end."""
        return self.load.step(rate, seconds)

    def swallowed(self, rate, seconds):
        """A step whose copies end in the kernel's counter; what is not there in time is missing."""
        with self.lab.turn():
            before, cpu = self.lab.swallowed(), cpu_seconds(self.contender.pids())
            self.load.begin(rate, seconds)
            time.sleep(seconds + 1 / rate + ramp.GRACE_S)
            copies = self.lab.swallowed() - before
            cpu = cpu_seconds(self.contender.pids()) - cpu
        return {**self.load.end(), "received": copies, "lag_s": 0.0, "cpu_s": cpu}


def climb(run, step, options):
    """The ramp. Speed is that of the highest rate at which no copy was lost. options.begin, .factor:
    where it begins and how it climbs, None: from the bottom, by doubling."""
    listeners = run.listeners

    def measure(rate):
        found = step(rate, options.seconds)
        say(f"  {rate * listeners / 1e3:8.0f} k copies/s: {found['sent']} x {listeners}, "
            f"{100 * ramp.missing(found, listeners):.3f} % missing, {1e3 * found['lag_s']:.0f} ms behind")
        if run.contender.fragile and not ramp.whole(found, listeners) and not options.enough():
            run.again()
        return found

    slow = run.contender.fragile and run.setup_s > SETUP_SLOW_S
    bisections = min(options.bisections, BISECTIONS_SLOW) if slow else options.bisections
    start = max(START / listeners, 2 / options.seconds)
    step(start, 1)
    if options.begin:
        start = max(2 / options.seconds, options.begin / listeners)
    steps = ramp.ramp(measure, lambda found: ramp.whole(found, listeners), start, LIMIT / listeners,
                      bisections, options.factor, options.enough)
    row = {"steps": len(steps), "sender_late": sum(
        not ramp.kept_pace(found) and not ramp.whole(found, listeners) for found in steps)}
    if options.enough():
        row["cut"] = f"its time was up after {len(steps)} steps; it may be faster"
    for name, tolerance in (("lossless", 0.0), ("half_percent", ramp.HALF_PERCENT)):
        found = ramp.best(steps, lambda found, t=tolerance: ramp.whole(found, listeners, t))
        if found:
            row[name] = describe_step(found, listeners)
    return row


def flood(run, options):
    """More than it can take, into the kernel's counter; what comes out a second is its speed."""
    lab, pids = run.lab, run.contender.pids()
    with lab.turn():
        run.load.begin(max(2, FLOOD / run.listeners), options.seconds + 3 * SETTLE_S)
        time.sleep(2 * SETTLE_S)
        before = lab.swallowed(), cpu_seconds(pids), time.monotonic()
        time.sleep(options.seconds)
        after = lab.swallowed(), cpu_seconds(pids), time.monotonic()
    run.load.end()
    copies, cpu, seconds = (b - a for a, b in zip(before, after))
    if not copies:
        raise Skipped("nothing came out of it")
    return {"saturated": {
        "copies_per_s": copies / seconds, "copies_per_cpu_s": copies / cpu if cpu else None}}


def best_path(run, options):
    run.lab.swallow(True)
    try:
        if run.contender.fragile or run.contender.patient:
            return climb(run, run.swallowed, options)
        return flood(run, options)
    finally:
        run.lab.swallow(False)


def testpmd(contender, lab, path, options):
    """As fast as it goes; over the veth it is the listeners' end that counts."""
    contender.start_port(path)
    try:
        with lab.turn():
            contender.child.wait_for(lambda: len(contender.rates()) >= 2, 20,
                                     "dpdk-testpmd does not start")
        if path == "veth":
            load = lab.load(1, "172.16.1.1:9", contender.pids())
            try:
                step = load.step(0, options.seconds)
            finally:
                load.stop()
            copies = step["not_rtp"] + step["received"] + step["duplicated"]
            rate, cpu = copies / step["seconds"], step["cpu_s"]
        else:
            before, begin = len(contender.rates()), cpu_seconds(contender.pids())
            with lab.turn():
                contender.child.wait_for(lambda: len(contender.rates()) >= before + 3, 20,
                                         "dpdk-testpmd stops")
            rates = contender.rates()[before:]
            rate, cpu = sum(rates) / len(rates), cpu_seconds(contender.pids()) - begin
            copies = sum(rates)
    finally:
        contender.stop()
    if not copies:
        raise Skipped("dpdk-testpmd sent nothing: " + contender.child.tail())
    return {"path": path, "saturated": {"copies_per_s": rate, "copies_per_cpu_s": copies / cpu}}


def measure(contender, lab, listeners, path, options):
    run = Run(contender, lab, listeners)
    command = contender.command()
    try:
        row = climb(run, run.counted, options) if path == "veth" else best_path(run, options)
    finally:
        run.stop()
    return {"path": path, **row, "setup_s": run.setup_s, "command": command}


def emit(name, listeners, row, contender=None):
    line = {"contender": name, "listeners": listeners, **row}
    if contender:
        line.update(version=contender.version, suite=contender.suite)
    print(json.dumps(line), flush=True)


def contest(options, lab):
    name = options.contender
    try:
        contender = CONTENDERS[name](lab)
    except (Skipped, OSError) as reason:
        emit(name, None, {"skipped": str(reason)})
        return
    lab.checksum_offload(name.startswith(("loop", "rtpengine", "janus")))
    lab.swallow(False)
    plan = [(listeners, path) for listeners in options.counts for path in contender.paths]
    if name == "testpmd":
        plan = [(1, path) for path in contender.paths]
    Schedule(contender, lab, options).go(plan)


class Schedule:
    """All of a plan once, then again as often as wanted and as time is left."""

    def __init__(self, contender, lab, options):
        self.contender, self.lab, self.options = contender, lab, options
        self.name = options.contender
        self.until = time.monotonic() + options.allotted
        self.taken = {}
        self.reached = {}
        options.enough = lambda: time.monotonic() > self.until

    def left(self):
        return self.until - time.monotonic()

    def aim(self, item):
        """Where the ramp of that item shall begin."""
        listeners, path = item
        self.options.begin, self.options.factor = None, 2
        if item in self.reached:
            self.options.begin, self.options.factor = BEGIN_AGAIN * self.reached[item], STEP_AGAIN
            return
        others = [(abs(count - listeners), rate) for (count, where), rate in self.reached.items()
                  if where == path]
        if others:
            self.options.begin = BEGIN_OTHER * min(others)[1]

    def once(self, item, repeat):
        listeners, path = item
        self.aim(item)
        say(f"{self.name}, {listeners} listeners, {path}, {self.left():.0f} s left")
        begin = time.monotonic()
        signal.alarm(int(max(1, self.left()) + OVERTIME_S))
        try:
            row = testpmd(self.contender, self.lab, path, self.options) if self.name == "testpmd" \
                else measure(self.contender, self.lab, listeners, path, self.options)
        except Skipped as reason:
            say(f"  {reason}")
            emit(self.name, listeners, {"path": path, "skipped": str(reason)}, self.contender)
            return False
        finally:
            signal.alarm(0)
        self.taken[item] = time.monotonic() - begin
        if "lossless" in row:
            self.reached[item] = row["lossless"]["rate_pps"] * listeners
        emit(self.name, listeners, {**row, "repeat": repeat}, self.contender)
        return True

    def go(self, plan):
        good = []
        for listeners, path in plan:
            if self.left() <= 0:
                emit(self.name, listeners, {"path": path, "skipped":
                     f"no time was left of its {self.options.allotted:.0f} s"}, self.contender)
            elif self.once((listeners, path), 0):
                good.append((listeners, path))
        for repeat in range(1, self.options.repeats):
            good = [item for item in good
                    if self.left() > self.taken[item] and self.once(item, repeat)]


def too_long(*_):
    raise Skipped("it hung or was too slow, and was broken off")


def ended(*_):
    sys.exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--contender", choices=sorted(CONTENDERS), required=True)
    parser.add_argument("--counts", required=True,
                        type=lambda text: [int(count) for count in text.split(",")])
    for name in ("prefix", "folder", "build"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--bisections", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--allotted", type=float, default=3600)
    parser.add_argument("--lock", default=None)
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, ended)
    contest(options, Lab(options.prefix, options.folder, options.build, options.lock))


if __name__ == "__main__":
    main()
