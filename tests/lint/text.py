# SPDX-License-Identifier: BSD-3-Clause
"""SPDX lines, words that have no place in the tree, waits that are not waits."""
import re

import source

CODE = (".c", ".h", ".sh", ".py", "meson.build", ".bpf.c")
BANNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# A test waits for something; a sleep waits for nothing and is either too short or too long.
SLEEP = re.compile(r"\b(u|nano|clock_nano)?sleep\s*\(|^\s*(.*[;&|(]\s*)?sleep\s+[0-9.\"$]")


def main():
    report = source.Report("text")
    for path in source.files(*CODE):
        if path.startswith("tests/lint/") and path.endswith("text.py"):
            continue
        text = source.lines(path)
        if not any("SPDX-License-Identifier: " in line for line in text[:3]):
            report.add(path, f"{path}:1: no SPDX line")
        for number, line in enumerate(text, 1):
            if BANNED.search(line):
                report.add(path, f"{path}:{number}: banned word: {line.strip()}")
            if path.startswith("tests/") and SLEEP.search(line):
                report.add(path, f"{path}:{number}: a test that sleeps: {line.strip()}")
            if line != line.rstrip():
                report.add(path, f"{path}:{number}: space at the end of the line")
    report.finish()


main()
