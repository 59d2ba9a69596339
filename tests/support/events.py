#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A client of events.sock with a clock: prints each answer with when it had arrived.

usage: events.py SOCKET [JSON...]         the requests, or a line each from standard input
       events.py SOCKET --raw [BYTES...]  lines as they are (backslash escapes are understood)
Adds "sent_ns" and "received_ns" (CLOCK_REALTIME, what tcpdump stamps with) to each answer.
Exit code 0: all answered with ok. 1: one was refused. 2: connection or answer failed.
"""
import json
import socket
import sys
import time

TIMEOUT_SECONDS = 20


def answer(stream, request):
    """Sends one line, returns the next answer that is not an event of a subscription."""
    sent = time.time_ns()
    stream.write(request + b"\n")
    stream.flush()
    while True:
        line = stream.readline()
        received = time.time_ns()
        if not line:
            raise ConnectionError("the server closed the connection")
        reply = json.loads(line)
        if "ok" in reply:
            return {**reply, "sent_ns": sent, "received_ns": received}


def requests(arguments):
    raw = arguments[:1] == ["--raw"]
    lines = arguments[1:] if raw else arguments
    for number, line in enumerate(lines or (text.rstrip("\n") for text in sys.stdin)):
        if raw:
            yield line.encode("utf-8").decode("unicode_escape").encode("latin-1")
            continue
        request = json.loads(line)
        request.setdefault("id", f"test-{time.time_ns()}-{number}")
        yield json.dumps(request).encode("utf-8")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT_SECONDS)
    code = 0
    try:
        connection.connect(sys.argv[1])
        stream = connection.makefile("rwb")
        for request in requests(sys.argv[2:]):
            reply = answer(stream, request)
            print(json.dumps(reply), flush=True)
            if not reply["ok"]:
                code = 1
    except (OSError, ValueError) as error:
        print(f"events.py: {error}", file=sys.stderr)
        code = 2
    sys.exit(code)


main()
