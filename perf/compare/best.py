#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stentor's own best paths, as a contender: stentor-bench fanout into a null port and over memif.

usage: best.py ENGINE COUNTS SECONDS BUILD [LOCK]     COUNTS: 1000,20000
A line of JSON for each, like those of contest.py; the worker's core is never idle, so packets a
second are packets per CPU-second. Exit: 0, 2 usage.
"""
import json
import subprocess
import sys

from lab import Lab

# A core each for worker and reading process, so over memif the largest count is enough of a hint.
SINKS = ("null", "memif")
SLOW = {"libsrtp": 1000}


def mpps_of(report):
    """None, and why, when the copies were not what they should be."""
    validity = report["validity"]
    mpps = report["results"].get("mpps", {"median": 0})["median"]
    if not validity["correct"] or not mpps:
        return None, "; ".join(validity["reasons"]) or "no copy came out"
    return mpps, None


def one(engine, listeners, sink, seconds, build, lab):
    command = [f"{build}/perf/stentor-bench", "fanout", "--suite", "gcm128", "--engine", engine,
               "--listeners", str(listeners), "--payload", "100", "--sink", sink,
               "--seconds", str(seconds), "--json"]
    print(f"compare: stentor-{engine}, {listeners} listeners, {sink}", file=sys.stderr, flush=True)
    row = {"contender": f"stentor-{engine}", "listeners": listeners, "path": f"best-{sink}",
           "suite": "gcm128", "repeat": 0, "command": command}
    with lab.turn():
        done = subprocess.run(["chrt", "--rr", "10", *command], check=False, capture_output=True,
                              text=True)
    # 3: there is a report, and it says that the machine was noisy.
    if done.returncode not in (0, 3) or not done.stdout.strip():
        return {**row, "skipped": (done.stderr.strip() or "no output").splitlines()[-1][:300]}
    mpps, reason = mpps_of(json.loads(done.stdout))
    if reason:
        return {**row, "skipped": reason[:300]}
    copies = 1e6 * mpps
    return {**row, "saturated": {"copies_per_s": copies, "copies_per_cpu_s": copies}}


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    engine, counts, seconds, build = sys.argv[1:5]
    lab = Lab("", "/tmp", build, sys.argv[5] if len(sys.argv) == 6 else None)
    for listeners in map(int, counts.split(",")):
        if listeners > SLOW.get(engine, listeners):
            continue
        for sink in SINKS:
            print(json.dumps(one(engine, listeners, sink, seconds, build, lab)), flush=True)


if __name__ == "__main__":
    main()
