#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the table of www.h from a folder: name, media type, strong ETag, bytes.

usage: embed.py FOLDER OUTPUT.c DEPFILE
"""
import hashlib
import os
import re
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def rows(data):
    for start in range(0, len(data), 20):
        yield "\t" + "".join(f"{byte}," for byte in data[start:start + 20])


def main():
    folder, output, depfile = sys.argv[1:]
    there = os.path.isdir(folder)
    names = sorted(name for name in (os.listdir(folder) if there else [])
                   if os.path.splitext(name)[1] in TYPES)
    table = []
    with open(output, "w", encoding="ascii") as out:
        print('#include "controlplane/http/www.h"\n', file=out)
        for number, name in enumerate(names):
            if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
                sys.exit(f"{folder}/{name}: a name that is no path segment")
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            tag = hashlib.sha256(data).hexdigest()[:32]
            print(f"static const unsigned char bytes_{number}[] = {{", file=out)
            print("\n".join(rows(data + b"\0")), file=out)
            print("};\n", file=out)
            kind = TYPES[os.path.splitext(name)[1]]
            table.append(f'\t{{"{name}", "{kind}", "\\"{tag}\\"", bytes_{number}, {len(data)}}},')
        print("const struct www_file www_files[] = {", *table, "\t{0}\n};", sep="\n", file=out)
    with open(depfile, "w", encoding="utf-8") as out:
        needed = [folder] * there + [os.path.join(folder, name) for name in names]
        print(f"{output}: {' '.join(needed)}", file=out)


main()
