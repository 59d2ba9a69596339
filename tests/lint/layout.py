# SPDX-License-Identifier: BSD-3-Clause
"""Layouts of what two programs share are pinned: struct sizes and offsets, enum and macro values.

usage: layout.py [ROOT [--write]]
Compares dataplane/api/*.h and bpf/*_shared.h with tests/lint/layout.txt; --write makes it anew.
"""
import difflib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import source

RECORD = re.compile(r"^\s*(\d+)(?::(\d+)-(\d+))? \|(\s+)(.*)$")


def headers():
    paths = glob.glob(os.path.join(source.root(), "dataplane/api/*.h"))
    paths += glob.glob(os.path.join(source.root(), "bpf/*_shared.h"))
    return sorted(os.path.relpath(path, source.root()) for path in paths)


def clang(text, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(text)
        file.flush()
        return subprocess.run(
            ["clang", "-std=gnu11", "-I", source.root(), *flags, file.name],
            check=True, capture_output=True, text=True).stdout


def structs(header):
    """One line a struct: name, size, then member@offset of its first level."""
    names = re.findall(r"^struct (\w+) \{", "\n".join(source.lines(header)), re.M)
    # A layout is printed for what something asks the size of.
    uses = "".join(f"_Static_assert(sizeof(struct {name}) > 0, \"\");\n" for name in names)
    dump = clang(f'#include "{header}"\n{uses}', "-fsyntax-only", "-Xclang", "-fdump-record-layouts")
    found = {}
    for block in dump.split("*** Dumping AST Record Layout")[1:]:
        size = re.search(r"sizeof=(\d+), align=(\d+)", block)
        name, members = None, []
        for line in block.splitlines():
            match = RECORD.match(line)
            if not match:
                continue
            depth = len(match.group(4))
            if depth == 1:
                name = match.group(5).replace("struct ", "")
            elif depth == 3:
                members.append(f"{match.group(5).split()[-1]}@{match.group(1)}")
        found[name] = f"struct {name} {size.group(1)}/{size.group(2)}: {' '.join(members)}"
    return [found[name] for name in names]


def constants(header):
    """Enumerators and number macros with their values."""
    text = re.sub(r"/\*.*?\*/", "", "\n".join(source.lines(header)), flags=re.S)
    names = []
    for body in re.findall(r"enum \w+\s*\{(.*?)\}", text, re.S):
        names += re.findall(r"^\s*(\w+)", body.replace(",", "\n"), re.M)
    program = "".join(f'printf("{n} = %lld\\n", (long long)({n}));\n' for n in names)
    for name, value in re.findall(r"^#define (\w+) +(.*)$", text, re.M):
        if value.startswith('"'):
            program += f'printf("{name} = %s\\n", {name});\n'
        else:
            program += f'printf("{name} = %lld\\n", (long long)({name}));\n'
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "values")
        clang(f'#include <stdio.h>\n#include "{header}"\nint main(void)\n{{\n{program}}}\n',
              "-o", binary)
        output = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
        return output.splitlines()


def main():
    if not shutil.which("clang"):
        print("SKIP: clang is not installed")
        sys.exit(77)
    now = []
    for header in headers():
        now += [f"# {header}"] + structs(header) + constants(header)
    path = os.path.join(source.root(), "tests/lint/layout.txt")
    if "--write" in sys.argv:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(now) + "\n")
        return
    pinned = source.lines("tests/lint/layout.txt")
    difference = list(difflib.unified_diff(
        pinned, now, "tests/lint/layout.txt", "the headers", lineterm="", n=0))
    if difference:
        print("\n".join(difference))
        print("A shared layout changed: raise its version number, then layout.py ROOT --write")
        sys.exit(1)


main()
