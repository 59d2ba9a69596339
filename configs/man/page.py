#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes manual pages from what the programs say of themselves, so that no option is written twice.

page.py verbs TEMPLATE STENTORCTL   @VERBS@ becomes every verb with its arguments
page.py options TEMPLATE CONF       @OPTIONS@ becomes every option of stentor.conf
"""
import re
import subprocess
import sys


def escape(text):
    """Text that mdoc takes as it is: no macro, no request, no escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")
    return "\\&" + text if text[:1] in (".", "'") else text


def ask(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def verbs(program):
    lines = []
    for name in ask(program, "complete", "").split():
        text = subprocess.run([program, name, "--help"], check=False, capture_output=True,
                              text=True).stdout
        found = re.match(r"usage: stentorctl \[--actor USER\] (.*)\n\n(.*) \((.*)\)\n$", text)
        if found is None:
            continue  # a command of its own, which the template describes
        usage, summary, kind = found.groups()
        verb, *arguments = re.findall(r"\[[^]]*\]|\S+", usage)
        lines.append(".It Cm " + " ".join([verb] + [f'"{escape(part)}"' for part in arguments]))
        lines.append(f"{escape(summary[0].upper() + summary[1:])}")
        lines.append(f".Pq Li {kind} .")
    return lines


def options(path):
    """The comments and keys of the file: paragraphs above `key = value;` describe the key."""
    lines, text = [], []
    with open(path, encoding="utf-8") as file:
        rows = file.read().split("\n")
    for row in rows:
        row = row.strip()
        group = re.match(r"(\w+) = \{$", row)
        key = re.match(r"#?(\w+) = .*", row) if not row.startswith("# ") else None
        if group is not None:
            if lines:
                lines.append(".El")
            lines += [f".Ss {group.group(1)}", *text, ".Bl -tag -width Ds"]
            text = []
        elif key is not None:
            lines += [f".It Ic {key.group(1)}", *text]
            text = []
        elif row.startswith("#"):
            words = row[1:].strip()
            if re.fullmatch(r"#   \w+", row):
                text.append(f".Ic {words}\n.br")  # a field of a list's items
            elif words.startswith("= "):
                text += [".br", f"Value: {escape(words[2:])}"]
            else:
                text.append(escape(words) if words else ".Pp")
        elif not row:
            text = []
    return lines + [".El"]


def main():
    kind, template, source = sys.argv[1:]
    with open(template, encoding="utf-8") as file:
        text = file.read()
    made = verbs(source) if kind == "verbs" else options(source)
    mark = "@VERBS@" if kind == "verbs" else "@OPTIONS@"
    print(text.replace(mark, "\n".join(made)), end="")


main()
