#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a change cost: two reports of the same benchmark, figure by figure.

usage: baseline.py OLD.json NEW.json [--threshold PERCENT]
Either file holds one report of the schema in perf/README.md, or an array of them. A figure got
worse when its median did by more than the threshold (5) and the ranges of its repeats do not even
touch. Exit: 0 nothing got worse, 1 something did, 2 usage, 3 the two have nothing in common.
"""
import argparse
import json
import sys


def identity(report):
    """Two reports are of the same thing when benchmark and parameters are the same."""
    parameters = report.get("parameters", {})
    return report["benchmark"], tuple(sorted((name, str(value)) for name, value in
                                             parameters.items() if name not in ("seconds",)))


def reports_of(loaded):
    loaded = loaded if isinstance(loaded, list) else [loaded]
    return {identity(report): report for report in loaded if "results" in report}


def spread(result):
    repeats = result.get("repeats") or [result["median"]]
    return result.get("minimum", min(repeats)), result.get("maximum", max(repeats))


def judge(old, new, threshold):
    """(ratio of medians, ranges overlap, verdict) of one figure."""
    low, high = spread(old)
    new_low, new_high = spread(new)
    overlap = new_low <= high and low <= new_high
    if not old["median"]:
        ratio = 1.0 if not new["median"] else float("inf")
    else:
        ratio = new["median"] / old["median"]
    better = old.get("better", "neither")
    if better == "neither":
        return ratio, overlap, "stated"
    # A change for the worse in per cent of the old figure.
    cost = (ratio - 1 if better == "lower" else 1 - ratio) * 100
    if abs(cost) <= threshold or overlap:
        return ratio, overlap, "same"
    return ratio, overlap, "worse" if cost > 0 else "better"


def compare(old, new, threshold):
    """Rows of [what, figure, unit, old, new, ratio, overlap, verdict] of what both have."""
    rows = []
    for name in old:
        for figure, before in old[name]["results"].items():
            after = new.get(name, {}).get("results", {}).get(figure)
            if after:
                ratio, overlap, verdict = judge(before, after, threshold)
                what = [name[0]] + [value for key, value in name[1]
                                    if key in ("suite", "listeners", "sink", "engine")]
                rows.append([" ".join(what), figure, before.get("unit", ""), before["median"],
                             after["median"], ratio, overlap, verdict])
    return rows


def show(rows):
    print("| what | figure | before | after | ratio | ranges overlap | verdict |")
    print("|---|---|---|---|---|---|---|")
    for what, figure, unit, before, after, ratio, overlap, verdict in rows:
        print(f"| {what} | {figure} | {before:.4g} {unit} | {after:.4g} {unit} | {ratio:.3f} | "
              f"{'yes' if overlap else 'no'} | {verdict} |")


def doubts(name, reports):
    """Why the figures of a file may be the machine's and not the change's."""
    return [f"{name}: {' '.join(map(str, key[:1]))} "
            f"{dict(key[1]).get('suite', '')} does not count: {reason}"
            for key, report in reports.items()
            for reason in report.get("validity", {}).get("reasons", [])]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--threshold", type=float, default=5)
    options = parser.parse_args()
    loaded = []
    for name in (options.old, options.new):
        with open(name, encoding="utf-8") as file:
            loaded.append(reports_of(json.load(file)))
    rows = compare(*loaded, options.threshold)
    if not rows:
        print("baseline: the two files have no figure in common", file=sys.stderr)
        sys.exit(3)
    show(rows)
    for name, reports in zip((options.old, options.new), loaded):
        print(*doubts(name, reports), sep="\n", end="\n" if doubts(name, reports) else "")
    sys.exit(any(row[-1] == "worse" for row in rows))


if __name__ == "__main__":
    main()
