#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stacks of perf script folded into lines, and such lines drawn as a flame graph.

usage: flame.py fold [--thread PREFIX] <perf-script >folded
       flame.py draw [--title TEXT] <folded >flame.svg

fold keeps what the measured loop of stentor-bench fanout (fan_for) does, and the stacks that perf
could not follow that far, but for those of the programming before it. One line a stack:
outermost;...;innermost COUNT.
"""
import argparse
import collections
import re
import sys
import zlib
from xml.sax.saxutils import escape

LOOP, THREAD, REFERENCE = "fan_for", "lane_run", "reference_run"
WIDTH, ROW, MARGIN, LETTER = 1200, 17, 10, 6.6
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*)$")


def stacks(lines, thread):
    """Outermost first, of threads whose name begins so."""
    frames, wanted = [], False
    for line in [*lines, "\n"]:
        match = FRAME.match(line)
        if match:
            frames.append(re.sub(r" \(inlined\)$", "", match.group(1).strip()).replace(";", ":"))
        elif line.strip():
            frames, wanted = [], line.startswith(thread)
        else:
            if wanted and frames:
                yield frames[::-1]
            frames, wanted = [], False


def keep(frames):
    """From the measured loop on; None when it is something else."""
    if LOOP in frames:
        return frames[frames.index(LOOP):]
    return None if THREAD in frames or REFERENCE in frames else frames


def fold(lines, thread):
    counts = collections.Counter()
    for frames in stacks(lines, thread):
        kept = keep(frames)
        if kept:
            counts[";".join(kept)] += 1
    return counts


def parse(lines):
    counts = collections.Counter()
    for line in lines:
        frames, _, count = line.strip().rpartition(" ")
        if frames:
            counts[frames] += int(count)
    return counts


class Node:
    def __init__(self, name):
        self.name, self.samples, self.below = name, 0, {}

    def add(self, frames, count):
        self.samples += count
        if frames:
            self.below.setdefault(frames[0], Node(frames[0])).add(frames[1:], count)

    def depth(self):
        return 1 + max((node.depth() for node in self.below.values()), default=0)


def colour(name):
    """The same for the same function in every graph, from yellow to red."""
    value = zlib.crc32(name.encode())
    return f"rgb({205 + value % 50},{90 + (value >> 8) % 120},{30 + (value >> 16) % 40})"


def box(node, x, level, scale, total, height):
    width = node.samples * scale
    if width < 0.3:
        return
    y = height - MARGIN - (level + 1) * ROW
    text = f"{node.name}: {node.samples} samples, {100 * node.samples / total:.2f} %"
    letters = int((width - 4) / LETTER)
    label = node.name if len(node.name) <= letters else node.name[:max(letters - 2, 0)] + ".."
    yield (f'<g><title>{escape(text)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
           f'height="{ROW - 1}" fill="{colour(node.name)}"/>')
    if letters >= 3:
        yield f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(label)}</text>'
    yield "</g>"
    for name in sorted(node.below):
        yield from box(node.below[name], x, level + 1, scale, total, height)
        x += node.below[name].samples * scale


def draw(counts, title):
    root = Node("all")
    for frames, count in counts.items():
        root.add(frames.split(";"), count)
    if not root.samples:
        raise SystemExit("flame.py: no samples")
    height = root.depth() * ROW + 3 * MARGIN + ROW
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
           f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">')
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fff8e8"/>'
    yield f'<text x="{MARGIN}" y="{MARGIN + 10}" font-size="13">{escape(title)}</text>'
    yield from box(root, MARGIN, 0, (WIDTH - 2 * MARGIN) / root.samples, root.samples, height)
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("fold", "draw"))
    parser.add_argument("--thread", default="rte-worker")
    parser.add_argument("--title", default="stentor-bench fanout")
    options = parser.parse_args()
    if options.what == "fold":
        for frames, count in sorted(fold(sys.stdin, options.thread).items()):
            print(frames, count)
    else:
        print("\n".join(draw(parse(sys.stdin), options.title)))


if __name__ == "__main__":
    main()
