#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a comparison says of the machine it ran on.

usage: machine.py look                            a look while nothing of ours runs -> JSON
       machine.py facts BEFORE AFTER COMMIT COMMAND NAME=VALUE...   two looks -> facts of a report
"""
import json
import os
import subprocess
import sys
import time

STEAL_MAX = 1.0   # per cent of a core
OTHER_MAX = 10.0
DRIFT_MAX = 3.0
ADDITIONS = 300000
PACKAGES = {"dpdk": "dpdk", "libipsec_mb": "libipsec-mb1", "libsrtp2": "libsrtp2-1",
            "openssl": "libssl3"}


def ticks():
    """user nice system idle iowait irq softirq steal of all cores together, in ticks."""
    with open("/proc/stat", encoding="ascii") as file:
        return [int(word) for word in file.readline().split()[1:9]]


def busy(before, after):
    """Per cent of one core that was not idle."""
    spent = [b - a for a, b in zip(before, after)]
    total = sum(spent)
    return 100 * (os.cpu_count() or 1) * (total - spent[3] - spent[4]) / total if total else 0.0


def loop_s():
    """The shortest of ten runs of a fixed loop: how fast the core is."""
    best = None
    for _ in range(10):
        begin, value = time.perf_counter(), 0
        for i in range(ADDITIONS):
            value += i
        taken = time.perf_counter() - begin
        best = taken if best is None else min(best, taken)
    return best


def look():
    first = ticks()
    time.sleep(2)
    second = ticks()
    return {"busy_percent": busy(first, second), "loop_s": loop_s(), "steal": second[7],
            "at_s": time.monotonic(), "load_average": os.getloadavg()[0]}


def judge(before, after, hertz):
    """The figures of "validity" and why the machine was not ours."""
    seconds = max(1e-9, after["at_s"] - before["at_s"])
    found = {"steal_percent": 100 * (after["steal"] - before["steal"]) / hertz / seconds,
             "other_cpu_percent": max(before["busy_percent"], after["busy_percent"]),
             "clock_drift_percent": 100 * abs(after["loop_s"] / before["loop_s"] - 1)}
    reasons = [f"{text} {found[name]:.1f} % (at most {limit:g})" for name, limit, text in (
        ("steal_percent", STEAL_MAX, "time stolen from the machine:"),
        ("other_cpu_percent", OTHER_MAX, "others were busy before or after:"),
        ("clock_drift_percent", DRIFT_MAX, "a fixed loop changed its time by"))
        if found[name] > limit]
    return found, reasons


def first_line(path, start):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(start):
                return line.split(":", 1)[1].strip()
    return ""


def version_of(package):
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=False,
                           capture_output=True, text=True)
    return found.stdout or "none"


def number(text):
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def facts(before, after, commit, command, parameters):
    found, reasons = judge(before, after, os.sysconf("SC_CLK_TCK"))
    with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as file:
        huge = int(file.read())
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        virtual = " hypervisor" in file.read()
    return {
        "command": command.split(), "commit": commit,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cpu": first_line("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "kernel": os.uname().release, "virtual": virtual, "huge_pages": huge,
            "memory_bytes": 1024 * int(first_line("/proc/meminfo", "MemTotal").split()[0]),
            "load_average": before["load_average"],
            "packages": {name: version_of(package) for name, package in PACKAGES.items()}},
        "parameters": {name: number(value)
                       for name, value in (pair.split("=", 1) for pair in parameters)},
        "validity": found, "reasons": reasons}


def main():
    if sys.argv[1:] == ["look"]:
        print(json.dumps(look()))
    elif len(sys.argv) >= 6 and sys.argv[1] == "facts":
        print(json.dumps(facts(json.loads(sys.argv[2]), json.loads(sys.argv[3]), *sys.argv[4:6],
                               sys.argv[6:])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
