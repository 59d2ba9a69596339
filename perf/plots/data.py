#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads the reports in perf/results and writes, for each plot that there is data for, what gnuplot
wants: NAME.dat with a block a curve (its title in the first line), and prints the names.

usage: data.py RESULTS-FOLDER OUTPUT-FOLDER
Of several reports of one benchmark the latest that has what the plot needs is taken.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compare"))
sys.dont_write_bytecode = True
from table import TITLES  # noqa: E402

# Columns of the table "contenders" of a comparison.
CONTENDER, PATH, LISTENERS, MPPS, PER_CPU = 0, 1, 2, 3, 5
SUMS = ("accounted_bytes", "hot_bytes", "listener_bytes", "listener_bytes_from_none",
        "resident_bytes")


def load(folder):
    """All reports of the schema, oldest first."""
    reports = []
    for root, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(".json"):
                continue
            with open(os.path.join(root, name), encoding="utf-8") as file:
                try:
                    found = json.load(file)
                except ValueError:
                    continue
            reports += [report for report in (found if isinstance(found, list) else [found])
                        if isinstance(report, dict) and "schema" in report]
    return sorted(reports, key=lambda report: report.get("date", ""))


def latest(reports, pick):
    """The last one of which pick() makes something, that."""
    for report in reversed(reports):
        found = pick(report)
        if found:
            return found
    return None


def counts_of(report):
    """At how many counts of listeners a comparison was made; dpdk-testpmd knows none."""
    return len({row[LISTENERS] for row in report["tables"]["contenders"]["rows"]
                if row[CONTENDER] != "testpmd"})


def curves_of(report, column, wanted):
    """{title: [(listeners, value)]} of a comparison, for paths that wanted() likes."""
    if report.get("benchmark") != "compare":
        return None
    curves = {}
    for row in sorted(report["tables"]["contenders"]["rows"],
                      key=lambda row: not row[CONTENDER].startswith("stentor")):
        if row[column] is None or not wanted(row[PATH]) or row[CONTENDER] == "testpmd":
            continue
        title = TITLES.get(row[CONTENDER], row[CONTENDER])
        if row[PATH].startswith("best-"):
            title += f" ({row[PATH][5:]})"
        curves.setdefault(title, []).append((row[LISTENERS], row[column]))
    return {title: sorted(points) for title, points in curves.items()}


def ceiling_of(report, path, column):
    """dpdk-testpmd knows no listeners: a line as wide as the others."""
    for row in report["tables"]["contenders"]["rows"]:
        if row[CONTENDER] == "testpmd" and row[PATH] == path and row[column]:
            return row[column]
    return None


def with_ceiling(report, column, wanted, path):
    curves = curves_of(report, column, wanted)
    if not curves:
        return None
    level = ceiling_of(report, path, column)
    counts = [count for points in curves.values() for count, _ in points]
    if level:
        curves[TITLES["testpmd"]] = [(min(counts), level), (max(counts), level)]
    return curves


def overrun(report):
    """More than one copy in a thousand was lost: its times are those of full queues."""
    sent, lost = (report.get("results", {}).get(name, {}).get("median", 0) for name in ("sent", "lost"))
    return lost * 1000 > sent


def distribution(report, name):
    """The last repeat's curve of a table of percent and us."""
    table = report.get("tables", {}).get(name)
    if not table or not table["rows"] or "percent" not in table["columns"] or overrun(report):
        return None
    percent, us = table["columns"].index("percent"), table["columns"].index("us")
    points = []
    for row in table["rows"]:
        if points and row[percent] <= points[-1][1]:
            points = []
        points.append((row[us], row[percent]))
    listeners = report.get("parameters", {}).get("listeners")
    return {f"{report['benchmark']}" + (f", {int(listeners):,} listeners" if listeners else ""):
            points}


def stages(report):
    table = report.get("tables", {}).get("stages")
    if not table or not table["rows"]:
        return None
    name, ns = table["columns"].index("stage"), table["columns"].index("ns")
    return {"stages": [(row[name], row[ns]) for row in table["rows"]]}


def memory(report):
    if report.get("benchmark") != "memory":
        return None
    return {"memory": [(name, result["median"]) for name, result in report["results"].items()
                       if result["unit"] == "bytes" and name not in SUMS]}


def storm(report):
    """Joins and media loss on one time axis; where time begins anew, of the last run."""
    table = report.get("tables", {}).get("storm")
    wanted = ("time_s", "joined", "copies_lost")
    if not table or not set(wanted) <= set(table["columns"]):
        return None
    at = [table["columns"].index(name) for name in wanted]
    points = []
    for row in table["rows"]:
        if points and row[at[0]] < points[-1][0]:
            points = []
        points.append(tuple(row[i] for i in at))
    return {"storm": points}


PLOTS = {
    "throughput": lambda report: with_ceiling(
        report, PER_CPU, lambda path: path.startswith("best"), "best"),
    "veth": lambda report: with_ceiling(report, MPPS, lambda path: path == "veth", "veth"),
    "stages": stages,
    "latency": lambda report: distribution(report, "latency_us"),
    "spread": lambda report: distribution(report, "spread_us"),
    "mute": lambda report: distribution(report, "mute_us"),
    "memory": memory,
    "storm": storm,
}


def text(curves):
    """gnuplot's data blocks: two empty lines between them, the title as the first line."""
    blocks = []
    for title, points in curves.items():
        lines = [f'"{title}"']
        for point in points:
            lines.append(" ".join(f'"{word}"' if isinstance(word, str) else f"{word:.9g}"
                                  for word in point))
        blocks.append("\n".join(lines))
    return "\n\n\n".join(blocks) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    # A comparison at one count of listeners is no curve.
    reports = [report for report in load(sys.argv[1])
               if report.get("benchmark") != "compare" or counts_of(report) > 1]
    for name, pick in PLOTS.items():
        curves = latest(reports, pick)
        if curves:
            with open(os.path.join(sys.argv[2], name + ".dat"), "w", encoding="utf-8") as file:
                file.write(text(curves))
            print(name, len(curves))


if __name__ == "__main__":
    main()
