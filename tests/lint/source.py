# SPDX-License-Identifier: BSD-3-Clause
"""What the lint scripts share: the tree's files, the list of exceptions, the way to fail."""
import os
import sys

SKIPPED_PREFIXES = ("build", ".")


def root():
    """The tree to look at: the first argument, or the one this file lies in."""
    if len(sys.argv) > 1:
        return os.path.abspath(sys.argv[1])
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def files(*suffixes):
    """Paths relative to the root, sorted; build directories and hidden ones are left out."""
    top = root()
    found = []
    for folder, folders, names in os.walk(top):
        if folder == top:
            folders[:] = [f for f in folders if not f.startswith(SKIPPED_PREFIXES)]
        folders[:] = [f for f in folders if f not in (".git", "__pycache__")]
        for name in names:
            if not suffixes or name.endswith(suffixes):
                found.append(os.path.relpath(os.path.join(folder, name), top))
    return sorted(found)


def lines(path):
    with open(os.path.join(root(), path), encoding="utf-8") as file:
        return file.read().splitlines()


def exceptions(rule):
    """{subject: reason} of one rule, from exceptions.txt beside the scripts of the tree."""
    path = os.path.join(root(), "tests", "lint", "exceptions.txt")
    result = {}
    if not os.path.exists(path):
        return result
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            words = line.split(None, 2)
            if len(words) < 3:
                sys.exit(f"exceptions.txt:{number}: rule, subject and a reason expected")
            if words[0] == rule:
                result[words[1]] = words[2].strip()
    return result


class Report:
    """Collects findings; an exception silences one, and an exception nobody needs is a finding."""

    def __init__(self, rule):
        self.allowed = exceptions(rule)
        self.used = set()
        self.rule = rule
        self.findings = []

    def add(self, subject, text):
        if subject in self.allowed:
            self.used.add(subject)
        else:
            self.findings.append(text)

    def finish(self):
        for subject in sorted(set(self.allowed) - self.used):
            self.findings.append(f"exceptions.txt: {self.rule} {subject}: no longer needed")
        for text in self.findings:
            print(text)
        sys.exit(1 if self.findings else 0)
