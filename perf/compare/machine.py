#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a comparison says of the machine it ran on.

usage: machine.py look ROOT NAME     a look while nothing is measured -> a row of JSON
ROOT is the process under which everything of ours runs; NAME is who was measured since the look
before, so that it is their time which is judged.
"""
import json
import os
import subprocess
import re
import sys
import time

STEAL_MAX = 1.0   # per cent of a core
OTHER_MAX = 10.0
DRIFT_MAX = 5.0
ADDITIONS = 300000
PACKAGES = {"dpdk": "dpdk", "libipsec_mb": "libipsec-mb1", "libsrtp2": "libsrtp2-1",
            "openssl": "libssl3"}


def ticks():
    """user nice system idle iowait irq softirq steal of all cores together, in ticks."""
    with open("/proc/stat", encoding="ascii") as file:
        return [int(word) for word in file.readline().split()[1:9]]


def processes():
    """{pid: (parent, ticks, whether it is a thread of the kernel that sends and receives for others)}.
    Time of children that have ended and were waited for is their parent's."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        fields = rest.split()
        found[int(pid)] = (int(fields[1]), sum(map(int, fields[11:15])),
                           bool(re.match(r"ksoftirqd/|napi/", name)))
    return found


def own_ticks(root, found):
    """Of the root, of everything below it, and of the kernel's on our behalf."""
    def ours(pid):
        while pid and pid != root:
            pid = found[pid][0] if pid in found else 0
        return pid == root
    return sum(ticks for pid, (_, ticks, network) in found.items() if network or ours(pid))


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


def look(root):
    now = ticks()
    return {"total": sum(now), "busy": sum(now) - now[3] - now[4] - now[7], "steal": now[7],
            "own": own_ticks(root, processes()), "loop_s": loop_s(),
            "load_average": os.getloadavg()[0]}


def share(before, after, cores):
    """Per cent of one core that was stolen and that others used between two looks."""
    one = max(1, after["total"] - before["total"]) / cores
    others = after["busy"] - before["busy"] - (after["own"] - before["own"])
    return 100 * (after["steal"] - before["steal"]) / one, max(0.0, 100 * others / one)


def judge(looks, cores):
    """The figures of "validity", and who was measured while the machine was not ours.

    looks: (name, look) in their order; the name is of who was measured before it."""
    steal, others = share(looks[0][1], looks[-1][1], cores)
    loops = [seen["loop_s"] for _, seen in looks]
    found = {"steal_percent": steal, "other_cpu_percent": others,
             "clock_drift_percent": 100 * (max(loops) / min(loops) - 1)}
    reasons = []
    for (_, before), (name, after) in zip(looks, looks[1:]):
        steal, others = share(before, after, cores)
        if steal > STEAL_MAX:
            reasons.append(f"the hypervisor took {steal:.1f} % of a core during {name} "
                           f"(at most {STEAL_MAX:g})")
        if others > OTHER_MAX:
            reasons.append(f"others used {others:.1f} % of a core during {name} "
                           f"(at most {OTHER_MAX:g})")
    if found["clock_drift_percent"] > DRIFT_MAX:
        slow = looks[loops.index(max(loops))][0] or "the beginning"
        reasons.append(f"a fixed loop changed its time by {found['clock_drift_percent']:.1f} % "
                       f"(at most {DRIFT_MAX:g}), slowest after {slow}")
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


def facts(begun, looks):
    """What a report says besides its figures; begun and looks are rows of the run."""
    found, reasons = judge(looks, os.cpu_count() or 1)
    with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as file:
        huge = int(file.read())
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        virtual = " hypervisor" in file.read()
    return {
        "command": begun["command"], "commit": begun["commit"],
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cpu": first_line("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "kernel": os.uname().release, "virtual": virtual, "huge_pages": huge,
            "memory_bytes": 1024 * int(first_line("/proc/meminfo", "MemTotal").split()[0]),
            "load_average": looks[0][1]["load_average"],
            "packages": {name: version_of(package) for name, package in PACKAGES.items()}},
        "parameters": begun["parameters"], "validity": found, "reasons": reasons}


def main():
    if len(sys.argv) != 4 or sys.argv[1] != "look":
        sys.exit(__doc__)
    print(json.dumps({"look": look(int(sys.argv[2])), "after": sys.argv[3]}))


if __name__ == "__main__":
    main()
