#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes random durable requests to a running control plane until it is gone, and asks again later.

usage: journal.py write SOCKET FILE [SEED]   until the connections end; what was asked and answered into FILE
       journal.py check SOCKET FILE          every acknowledged answer again; exit code 1: another one
"""
import json
import select
import random
import socket
import sys
import time
import types

from workload import Workload
from writer import Connection, kept, stored

CONNECTIONS = 4
WINDOW = 8


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(path)
    return client


def write(path, file, seed):
    # Each run has ids of its own.
    workload = Workload(random.Random(seed), int(time.time() * 1000), prefix=f"j{seed}-")
    writers = [Connection(types.SimpleNamespace(socket=connect(path))) for _ in range(CONNECTIONS)]
    asked, answered, under_way = {}, {}, [0] * CONNECTIONS
    while not any(writer.ended for writer in writers):
        for number, writer in enumerate(writers):
            while under_way[number] < WINDOW:
                request = workload.next(number, CONNECTIONS)
                asked[request["id"]] = request
                writer.outgoing += json.dumps(request).encode() + b"\n"
                under_way[number] += 1
            writer.flush()
        select.select([writer.socket for writer in writers], (), (), 0.1)
        for number, writer in enumerate(writers):
            for answer in writer.lines():
                under_way[number] -= 1
                answered[answer["id"]] = answer
                workload.learn(asked[answer["id"]], answer)
    with open(file, "w", encoding="utf-8") as out:
        for identity, answer in answered.items():
            out.write(json.dumps([asked[identity], answer]) + "\n")
    print(f"{len(answered)} answered of {len(asked)}")


def check(path, file):
    client = connect(path)
    stream = client.makefile("rb")
    count = 0
    with open(file, encoding="utf-8") as lines:
        for request, first in map(json.loads, lines):
            if not kept(first) or first.get("durable") is False:
                continue
            client.sendall(json.dumps(request).encode() + b"\n")
            again = json.loads(stream.readline())
            assert stored(again) == stored(first), f"{request}: {first}, now {again}"
            count += first["ok"]
    print(f"{count} accepted, all of them there")
    assert count > 0, "nothing was accepted"


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 1)
else:
    check(sys.argv[2], sys.argv[3])
