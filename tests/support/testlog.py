# SPDX-License-Identifier: BSD-3-Clause
"""Reads a meson test log: a line a test for a script on stdout, a line a test for people on stderr.

usage: testlog.py LABEL LOG.json
stdout: passed|failed|skipped TAB name. stderr: the same with durations, and whole logs of failures.
"""
import json
import os
import sys

LOG_LINES = 200
KINDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def first_reason(test):
    """A skipped test says why in a line that begins with SKIP."""
    for line in (test.get("stdout") or "").splitlines() + (test.get("stderr") or "").splitlines():
        if "SKIP" in line:
            return f" ({line.strip()})"
    return ""


def main():
    label, path = sys.argv[1:3]
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        tests = [json.loads(line) for line in file if line.strip()]
    for test in tests:
        name = test["name"].split(" / ")[-1].split(":")[-1]
        kind = KINDS.get(test["result"], "failed")
        print(f"{kind}\t{name}")
        note = first_reason(test) if kind == "skipped" else ""
        print(f"  {kind:8} {name} {test['duration']:.2f} s{note}", file=sys.stderr)
        if kind != "failed":
            continue
        print(f"---- {label}: {name}: {test['result']}, exit {test.get('returncode')}",
              file=sys.stderr)
        log = (test.get("stdout") or "") + (test.get("stderr") or "")
        for line in log.splitlines()[-LOG_LINES:]:
            print(f"  | {line}", file=sys.stderr)


main()
