#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs one contender of a comparison: for each listener count it is set up, warmed and measured.

usage: contest.py --contender NAME --counts N,N --prefix LAB --folder DIR --build DIR
                  [--seconds S] [--bisections N] [--repeats N] [--lock FILE]
In the relay's namespace of a lab. A line of JSON for each measurement on standard output; one with
"skipped" and the reason where there is none. Exit: 0, 2 usage.
"""
import argparse
import json
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
START = 20000
# What a saturated relay is offered.
FLOOD = 3e6
SETTLE_S = 0.5
BEGIN_AGAIN = 0.6


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
    """The ramp. Speed is that of the highest rate at which no copy was lost. options.begin: where an
    earlier ramp of the same came to, so that not everything is walked again."""
    listeners = run.listeners

    def measure(rate):
        found = step(rate, options.seconds)
        say(f"  {rate * listeners / 1e3:8.0f} k copies/s: {found['sent']} x {listeners}, "
            f"{100 * ramp.missing(found, listeners):.3f} % missing, {1e3 * found['lag_s']:.0f} ms behind")
        if run.contender.fragile and not ramp.whole(found, listeners):
            run.again()
        return found

    start = max(START / listeners, 2 / options.seconds)
    step(start, 1)
    start = max(start, BEGIN_AGAIN * options.begin)
    steps = ramp.ramp(measure, lambda found: ramp.whole(found, listeners), start,
                      LIMIT / listeners, options.bisections)
    row = {"steps": len(steps), "sender_late": sum(
        not ramp.kept_pace(found) and not ramp.whole(found, listeners) for found in steps)}
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
    plan = [(listeners, path) for listeners in options.counts for path in contender.paths]
    if name == "testpmd":
        plan = [(1, path) for path in contender.paths]
    for listeners, path in plan:
        options.begin = 0
        for repeat in range(options.repeats):
            say(f"{name}, {listeners} listeners, {path}")
            try:
                row = testpmd(contender, lab, path, options) if name == "testpmd" else \
                    measure(contender, lab, listeners, path, options)
            except Skipped as reason:
                say(f"  {reason}")
                emit(name, listeners, {"path": path, "skipped": str(reason)}, contender)
                break
            options.begin = row.get("lossless", {}).get("rate_pps", 0)
            emit(name, listeners, {**row, "repeat": repeat}, contender)


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
    parser.add_argument("--lock", default=None)
    options = parser.parse_args()
    contest(options, Lab(options.prefix, options.folder, options.build, options.lock))


if __name__ == "__main__":
    main()
