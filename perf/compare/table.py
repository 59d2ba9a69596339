#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes one report of what the contenders of a comparison did.

usage: table.py report ROWS.jsonl        rows of compare.sh, contest.py, best.py -> one JSON object
       table.py markdown REPORT.json     the same as tables for people
The schema is that of all benchmarks, perf/README.md. Exit: 0 valid, 3 the report says why not.
"""
import json
import os
import statistics
import sys
import tempfile

import machine

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SCHEMA = "stentor.benchmark/1"
# Who is compared with whom: packets per CPU-second of OURS over theirs, at the same listener count.
OURS = "stentor-vaes"
FIGURES = (("copies_per_cpu_s", "Mpps"), ("copies_per_s", "Mpps"))
TITLES = {
    "stentor-vaes": "Stentor, engine vaes",
    "stentor-ipsec_mb": "Stentor, engine ipsec_mb",
    "stentor-libsrtp": "Stentor, engine libsrtp",
    "loop-evp": "loop of OpenSSL EVP and sendmmsg",
    "loop-libsrtp": "loop of libsrtp2 as packaged and sendmmsg",
    "loop-none": "sendmmsg alone, nothing encrypted",
    "rtpengine": "rtpengine",
    "rtpengine-cm80": "rtpengine, AES-CM and HMAC-SHA1",
    "janus": "Janus, streaming to WebRTC legs",
    "testpmd": "dpdk-testpmd txonly, nothing encrypted",
}
COLUMNS = ["contender", "path", "listeners", "mpps", "mpps_half_percent", "mpps_per_cpu_s",
           "latency_us_p50", "latency_us_p99", "spread_us_p50", "spread_us_p99", "setup_s"]


def figures(row):
    """What counts of one measurement: speed and speed for each second of processor time."""
    found = row.get("saturated") or row.get("lossless")
    return found if found else {}


def value(row, name):
    found = figures(row).get(name)
    return found / 1e6 if found is not None else None


def summary(values, unit="Mpps", better="higher"):
    return {"unit": unit, "better": better, "median": statistics.median(values),
            "minimum": min(values), "maximum": max(values), "repeats": values}


def group(rows):
    """Rows of the same contender, path and count, in the order of their first."""
    groups = {}
    for row in rows:
        if "skipped" not in row:
            groups.setdefault((row["contender"], row["path"], row["listeners"]), []).append(row)
    return groups


def key(contender, path, listeners, what):
    return f"{contender}.{path}.{listeners}.{what}"


def results_of(rows):
    results = {}
    for (contender, path, listeners), repeats in group(rows).items():
        for name, unit in FIGURES:
            values = [v for v in (value(row, name) for row in repeats) if v is not None]
            if values:
                what = "mpps" if name == "copies_per_s" else "mpps_per_cpu_s"
                results[key(contender, path, listeners, what)] = summary(values, unit)
    return results


def best_of(rows, contender, listeners):
    """Median packets per CPU-second on the path where that is most, and the path."""
    found = [(statistics.median(values), path)
             for (name, path, count), repeats in group(rows).items()
             if name == contender and count == listeners
             for values in [[v for v in (value(row, "copies_per_cpu_s") for row in repeats)
                             if v is not None]] if values]
    return max(found, default=(None, None))


def ratios_of(rows):
    """Ours over theirs: each on its best path, and over the same veth by what it carried."""
    ratios = {}
    groups = group(rows)
    for contender, listeners in sorted({(name, count) for name, _, count in groups}):
        if contender.startswith("stentor") or contender == "testpmd":
            continue
        ours, theirs = best_of(rows, OURS, listeners)[0], best_of(rows, contender, listeners)[0]
        if ours and theirs:
            ratios[f"ratio.best.{listeners}.{contender}"] = summary([ours / theirs], "ratio")
        pair = [[v for v in (value(row, "copies_per_s") for row in groups.get(
            (name, "veth", listeners), [])) if v] for name in (OURS, contender)]
        if all(pair):
            ratios[f"ratio.veth.{listeners}.{contender}"] = summary(
                [statistics.median(pair[0]) / statistics.median(pair[1])], "ratio")
    return ratios


def middle(repeats, pick):
    values = [v for v in map(pick, repeats) if v is not None]
    return statistics.median(values) if values else None


def table_of(rows):
    lines = []
    for (contender, path, listeners), repeats in group(rows).items():
        times = [middle(repeats, lambda row, n=name: figures(row).get(n)) for name in COLUMNS[6:10]]
        lines.append([contender, path, listeners,
                      middle(repeats, lambda row: value(row, "copies_per_s")),
                      middle(repeats, lambda row: row["half_percent"]["copies_per_s"] / 1e6
                             if row.get("half_percent") else None),
                      middle(repeats, lambda row: value(row, "copies_per_cpu_s")), *times,
                      middle(repeats, lambda row: row.get("setup_s"))])
    return {"columns": COLUMNS, "rows": lines}


def command_line(words):
    """A command as somebody else would give it: without this machine's paths of tree and lab."""
    def plain(word):
        if word.startswith(TOP + "/"):
            return word[len(TOP) + 1:]
        if word.startswith(tempfile.gettempdir() + "/"):
            return os.path.basename(word)
        return word
    return " ".join(map(plain, words))


def report(rows, facts):
    facts = dict(facts)
    skipped = [[row["contender"], row.get("listeners"), row.get("path"),
                row.get("skipped") or row["cut"]] for row in rows if "skipped" in row or "cut" in row]
    versions = {row["contender"]: row["version"] for row in rows if row.get("version")}
    commands = {row["contender"]: command_line(row["command"]) for row in rows if row.get("command")}
    late = sum(row.get("sender_late", 0) for row in rows)
    noise = facts.pop("reasons")
    reasons = ["it was interrupted"] if any("interrupted" in row for row in rows) else []
    rows = [row for row in rows if "contender" in row]
    if late:
        reasons.append(f"in {late} steps the sender could not keep its pace")
    measured = facts.pop("validity")
    return {
        "schema": SCHEMA, "benchmark": "compare", **facts,
        "results": {**results_of(rows), **ratios_of(rows)},
        "tables": {"contenders": table_of(rows),
                   "skipped": {"columns": ["contender", "listeners", "path", "reason"],
                               "rows": skipped},
                   "versions": {"columns": ["contender", "version"],
                                "rows": [list(pair) for pair in versions.items()]},
                   "commands": {"columns": ["contender", "command"],
                                "rows": [list(pair) for pair in commands.items()]}},
        "validity": {"valid": not reasons and not noise, "correct": not reasons,
                     "quiet": not noise, "reasons": noise + reasons, **measured},
    }


def number(found):
    if found is None:
        return ""
    return f"{found:.3g}" if found < 100 else f"{found:.0f}"


def markdown_path(made, path, head):
    rows = [row for row in made["tables"]["contenders"]["rows"] if row[1].startswith(path)]
    rows.sort(key=lambda row: not row[0].startswith("stentor"))
    # The ceiling knows no listeners: it is the same at each count.
    counts = sorted({row[2] for row in rows if row[0] != "testpmd"} or {row[2] for row in rows})
    column = COLUMNS.index("mpps_per_cpu_s" if path != "veth" else "mpps")
    lines = [f"| {head} | " + " | ".join(f"{count:,}" for count in counts) + " |",
             "|---" * (len(counts) + 1) + "|"]
    for name, where in dict.fromkeys((row[0], row[1]) for row in rows):
        cells = {row[2]: number(row[column]) for row in rows if (row[0], row[1]) == (name, where)}
        if name == "testpmd":
            cells = dict.fromkeys(counts, *cells.values())
        title = TITLES.get(name, name) + (f" ({where[5:]})" if where.startswith("best-") else "")
        lines.append(f"| {title} | " + " | ".join(cells.get(count, "") for count in counts) + " |")
    return lines


def markdown_ratios(made, path):
    found = {}
    for name, result in made["results"].items():
        parts = name.split(".")
        if parts[:2] == ["ratio", path]:
            found.setdefault(parts[3], {})[int(parts[2])] = result["median"]
    counts = sorted({count for row in found.values() for count in row})
    lines = ["| Stentor (vaes) against | " + " | ".join(f"{count:,}" for count in counts) + " |",
             "|---" * (len(counts) + 1) + "|"]
    for name, row in found.items():
        cells = (f"{row[count]:.3g} x" if count in row else "" for count in counts)
        lines.append(f"| {TITLES.get(name, name)} | " + " | ".join(cells) + " |")
    return lines if found else ["Nothing to compare."]


def markdown(made):
    machine = made["machine"]
    lines = [f"{machine['cpu']}, {machine['cores']} cores, kernel {machine['kernel']}, "
             f"{made['date']}, load {machine['load_average']}.", "",
             "Million packets per CPU-second of the relay, each on its best path, by listeners:", ""]
    lines += markdown_path(made, "best", "best path") + [""]
    lines += markdown_ratios(made, "best") + ["", "Million copies a second over the same veth, "
                                              "the highest rate at which none was lost:", ""]
    lines += markdown_path(made, "veth", "veth") + [""] + markdown_ratios(made, "veth")
    skipped = made["tables"]["skipped"]["rows"]
    if skipped:
        lines += ["", "Not measured, or not to the end:", ""]
        lines += [f"- {TITLES.get(row[0], row[0])}"
                  + (f", {row[1]:,} listeners" if row[1] else "")
                  + (f", {row[2]}" if row[2] else "") + f": {row[3]}" for row in skipped]
    if made["validity"]["reasons"]:
        lines += ["", "Not valid: " + "; ".join(made["validity"]["reasons"]) + "."]
    return "\n".join(lines)


def read(path):
    """The rows, and what machine.py knows of the run."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.endswith("\n")]
    begun = next(row["begun"] for row in rows if "begun" in row)
    looks = [(row["after"], row["look"]) for row in rows if "look" in row]
    return rows, machine.facts(begun, looks)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "report":
        made = report(*read(sys.argv[2]))
        print(json.dumps(made, indent=1))
        sys.exit(0 if made["validity"]["valid"] else 3)
    if len(sys.argv) == 3 and sys.argv[1] == "markdown":
        with open(sys.argv[2], encoding="utf-8") as file:
            print(markdown(json.load(file)))
        return
    sys.exit(__doc__)


if __name__ == "__main__":
    main()
