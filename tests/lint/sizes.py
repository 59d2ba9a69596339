# SPDX-License-Identifier: BSD-3-Clause
"""Functions, files and parameter lists that are over what the house allows."""
import re

import source

FUNCTION_LINES = 80
FUNCTION_BRANCHES = 20
SOURCE_LINES = 600
HEADER_LINES = 200
PARAMETERS = 6

BRANCH = re.compile(r"\b(if|for|while|case)\b|\?")


def functions(text):
    """(name, signature, first line, body lines): a body opens and closes in the first column."""
    start = None
    for number, line in enumerate(text):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = start
            while head > 0 and not re.match(r"^(\s*$|[};#]|.*\*/\s*$)", text[head - 1]):
                head -= 1
            signature = " ".join(part.strip() for part in text[head:start])
            yield name_of(signature), signature, start, text[start + 1 : number]
            start = None


def without_attributes(signature):
    previous = None
    while previous != signature:
        previous = signature
        signature = re.sub(r"__attribute__\s*\(\([^()]*(\([^()]*\))?[^()]*\)\)", "", signature)
    return re.sub(r"SEC\([^)]*\)", "", signature)


def name_of(signature):
    match = re.search(r"(\w+)\s*\(", without_attributes(signature))
    return match.group(1) if match else "?"


def parameters(signature):
    signature = without_attributes(signature)
    depth, count = 0, 0
    for c in signature[signature.find("(") :]:
        depth += {"(": 1, ")": -1}.get(c, 0)
        if depth == 0:
            break
        if c == "," and depth == 1:
            count += 1
    return count + 1


def strip(line):
    line = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', "", line)
    return re.sub(r"/\*.*?\*/|//.*", "", line)


def check_function(report, path, name, signature, start, body):
    where = f"{path}:{start + 1}: {name}"
    subject = f"{path}:{name}"
    branches = sum(len(BRANCH.findall(strip(line))) for line in body)
    if len(body) > FUNCTION_LINES:
        report.add(subject, f"{where}: {len(body)} lines, at most {FUNCTION_LINES}")
    if branches > FUNCTION_BRANCHES:
        report.add(subject, f"{where}: {branches} branches, at most {FUNCTION_BRANCHES}")
    if parameters(signature) > PARAMETERS:
        report.add(subject, f"{where}: {parameters(signature)} parameters, at most {PARAMETERS}")


def main():
    report = source.Report("sizes")
    for path in source.files(".c", ".h"):
        text = source.lines(path)
        limit = HEADER_LINES if path.endswith(".h") else SOURCE_LINES
        if len(text) > limit:
            report.add(path, f"{path}: {len(text)} lines, at most {limit}")
        for name, signature, start, body in functions(text):
            check_function(report, path, name, signature, start, body)
    report.finish()


main()
