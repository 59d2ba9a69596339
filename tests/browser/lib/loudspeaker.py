# SPDX-License-Identifier: BSD-3-Clause
"""A sound card of 48 kHz, 16 bit, stereo: takes what ALSA pipes in as fast as it would be played, and keeps it.

usage: loudspeaker.py FILE
"""
import select
import sys
import time

BYTES_A_SECOND = 48000 * 4
PERIOD = 1920  # 10 ms


def main():
    begun, played = time.monotonic(), 0
    with open(sys.argv[1], "wb") as out:
        while data := sys.stdin.buffer.read(PERIOD):
            out.write(data)
            out.flush()
            played += len(data)
            select.select([], [], [], max(0, begun + played / BYTES_A_SECOND - time.monotonic()))


main()
