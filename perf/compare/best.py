#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stentor's own best paths, as a contender: stentor-bench fanout into a null port and over memif.

usage: best.py ENGINE COUNTS FAR SECONDS BUILD [LOCK]     COUNTS: 1000,20000; FAR the same or -
FAR is for the null port only. A line of JSON for each of five rounds, like those of contest.py; the worker's core is never idle, so packets a
second are packets per CPU-second. Exit: 0, 2 usage.
"""
import json
import subprocess
import sys

from lab import Lab

SLOW = {"libsrtp": 1000}
ROUNDS = 5
# Beside the seconds asked for: a million keys to be made and programmed.
SETUP_LIMIT_S = 60


def rates_of(report):
    """Mpps of each round; none, and why, when the copies were not what they should be."""
    validity = report["validity"]
    rates = report["results"].get("mpps", {"repeats": []})["repeats"]
    if not validity["correct"] or not rates or not min(rates):
        return [], "; ".join(validity["reasons"]) or "no copy came out"
    return rates, None


def one(engine, listeners, sink, seconds, build, lab):
    command = [f"{build}/perf/stentor-bench", "fanout", "--suite", "gcm128", "--engine", engine,
               "--listeners", str(listeners), "--payload", "100", "--sink", sink,
               "--seconds", str(seconds), "--repeats", str(ROUNDS), "--reference", "off", "--json"]
    print(f"compare: stentor-{engine}, {listeners} listeners, {sink}", file=sys.stderr, flush=True)
    row = {"contender": f"stentor-{engine}", "listeners": listeners, "path": f"best-{sink}",
           "suite": "gcm128", "repeat": 0, "command": command}
    limit = float(seconds) + SETUP_LIMIT_S
    with lab.turn():
        try:
            done = subprocess.run(["chrt", "--rr", "10", *command], check=False,
                                  capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return [{**row, "skipped": f"it did not end in {limit:g} s"}]
    # 3: there is a report, and it says that the machine was noisy.
    if done.returncode not in (0, 3) or not done.stdout.strip():
        return [{**row, "skipped": (done.stderr.strip() or "no output").splitlines()[-1][:300]}]
    rates, reason = rates_of(json.loads(done.stdout))
    if reason:
        return [{**row, "skipped": reason[:300]}]
    return [{**row, "repeat": number,
             "saturated": {"copies_per_s": 1e6 * rate, "copies_per_cpu_s": 1e6 * rate}}
            for number, rate in enumerate(rates)]


def main():
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    engine, counts, far, seconds, build = sys.argv[1:6]
    lab = Lab("", "/tmp", build, sys.argv[6] if len(sys.argv) == 7 else None)
    counts = [int(count) for count in counts.split(",")]
    plan = [(count, sink) for count in counts for sink in ("null", "memif")]
    plan += [(int(count), "null") for count in far.split(",") if count != "-"]
    for listeners, sink in plan:
        if listeners > SLOW.get(engine, listeners):
            continue
        for row in one(engine, listeners, sink, seconds, build, lab):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
