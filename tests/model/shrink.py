# SPDX-License-Identifier: BSD-3-Clause
"""Delta debugging: leaves commands out as long as the same thing goes wrong."""
import re
import time

SECONDS = 60


def nature(mismatch):
    """What went wrong without the values in it."""
    return re.sub(r"[0-9]+|'[^']*'", "", str(mismatch).split(" expected")[0])[:60]


def shrink(commands, replay, mismatch):
    """A short list of commands that replay() still fails over in the same way."""
    wanted = nature(mismatch)
    end = time.monotonic() + SECONDS

    def fails(some):
        found = replay(some)
        return found is not None and nature(found) == wanted

    if not fails(commands):
        return commands
    size = max(1, len(commands) // 2)
    while size >= 1 and time.monotonic() < end:
        at = 0
        while at < len(commands) and time.monotonic() < end:
            fewer = commands[:at] + commands[at + size :]
            if fewer and fails(fewer):
                commands = fewer
            else:
                at += size
        size //= 2
    return commands
