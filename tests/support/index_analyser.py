#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Looks for a two-time pad in captures: per destination and SSRC the SRTP index strictly increases.

usage: index_analyser.py [--source ADDRESS] [--json] CAPTURE.pcap...

A leg has a key of its own, so (destination address, destination port, SSRC) stands for (key, SSRC)
as long as no leg rejoins on the same tuple. The captures are read in the order given, one time line.
The 48-bit index is the sequence number, extended like a receiver does it (RFC 3711, 3.3.1): a step
of less than 32,768 forward is forward, across the wrap too; anything else is a step back, that is,
an index that was used before.

Says per stream how many packets were sent again under an index already passed. The same bytes sent
twice ("repeated") repeat no keystream on new plaintext but are a fault as well.
Exit code 0: strictly increasing everywhere. 1: not. 2: no RTP in the captures, or not a capture.
"""
import argparse
import ipaddress
import json
import struct
import sys

ETHERNET, RAW_IP, LINUX_SLL = 1, 101, 113
FORWARD = 1 << 15
REMEMBERED = 1 << 15


class NotACapture(Exception):
    pass


def frames(path):
    """(time in ns, link type, bytes) of a classic pcap file; a cut tail (a kill) ends it quietly."""
    with open(path, "rb") as file:
        head = file.read(24)
        if len(head) < 24:
            raise NotACapture(f"{path}: shorter than a pcap header")
        for order in "<>":
            magic = struct.unpack(order + "I", head[:4])[0]
            if magic in (0xA1B2C3D4, 0xA1B23C4D):
                break
        else:
            raise NotACapture(f"{path}: not a pcap file")
        unit = 1 if magic == 0xA1B23C4D else 1000
        link = struct.unpack(order + "I", head[20:24])[0] & 0xFFFF
        record = struct.Struct(order + "IIII")
        while True:
            header = file.read(16)
            if len(header) < 16:
                return
            seconds, fraction, size, _ = record.unpack(header)
            data = file.read(size)
            if len(data) < size:
                return
            yield seconds * 10**9 + fraction * unit, link, data


def network_layer(link, data):
    """Offset of the IP header, or None."""
    if link == RAW_IP:
        return 0
    at = 14 if link == ETHERNET else 16 if link == LINUX_SLL else None
    if at is None or len(data) < at:
        return None
    kind = data[at - 2 : at]
    while kind in (b"\x81\x00", b"\x88\xa8"):
        kind = data[at + 2 : at + 4]
        at += 4
    return at if kind in (b"\x08\x00", b"\x86\xdd") else None


def udp_layer(data, at):
    """(source, destination, offset of the UDP header) or None."""
    if at is None or len(data) <= at:
        return None
    version = data[at] >> 4
    if version == 4 and len(data) >= at + 20 and data[at + 9] == 17:
        return data[at + 12 : at + 16], data[at + 16 : at + 20], at + 4 * (data[at] & 15)
    if version == 6 and len(data) >= at + 40 and data[at + 6] == 17:
        return data[at + 8 : at + 24], data[at + 24 : at + 40], at + 40
    return None


def packets(path, source):
    """(time, key, sequence, what identifies the bytes) of every RTP packet."""
    for time, link, data in frames(path):
        udp = udp_layer(data, network_layer(link, data))
        if udp is None or len(data) < udp[2] + 8 + 12:
            continue
        if source is not None and udp[0] != source:
            continue
        rtp = udp[2] + 8
        kind = data[rtp + 1]
        # RFC 7983 says RTP or RTCP, RFC 5761 which of them.
        if data[rtp] >> 6 != 2 or 192 <= kind <= 223:
            continue
        sequence, _, ssrc = struct.unpack("!HII", data[rtp + 2 : rtp + 12])
        port = data[udp[2] + 2 : udp[2] + 4]
        yield time, (udp[1], port, ssrc), sequence, data[rtp:]


class Stream:
    def __init__(self, time, index):
        self.first = self.highest = index
        self.first_ns = self.last_ns = time
        self.packets = 0
        self.missing = 0
        self.repeated = 0
        self.reused = []
        self.longest_gap_ns = 0
        self.recent = {}

    def add(self, time, sequence, data):
        self.packets += 1
        if self.packets > 1:
            step = (sequence - self.highest) & 0xFFFF
            if 0 < step < FORWARD:
                self.missing += step - 1
                self.highest += step
                self.longest_gap_ns = max(self.longest_gap_ns, time - self.last_ns)
            elif self.recent.get(sequence) == data:
                self.repeated += 1
                return
            else:
                self.reused.append((time, sequence, self.highest & 0xFFFF))
                return
        self.last_ns = time
        self.recent[sequence] = data
        if len(self.recent) > REMEMBERED:
            self.recent.pop(next(iter(self.recent)))


def analyse(paths, source=None):
    streams = {}
    for path in paths:
        for time, key, sequence, data in packets(path, source):
            if key not in streams:
                streams[key] = Stream(time, sequence)
            streams[key].add(time, sequence, data)
    return streams


def summary(streams):
    result = {"streams": len(streams)}
    for name in ("packets", "missing", "repeated"):
        result[name] = sum(getattr(s, name) for s in streams.values())
    result["reused"] = sum(len(s.reused) for s in streams.values())
    result["longest_gap_ms"] = max(
        (s.longest_gap_ns for s in streams.values()), default=0) / 1e6
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=ipaddress.ip_address, help="only packets sent from here")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("captures", nargs="+")
    arguments = parser.parse_args()
    try:
        streams = analyse(
            arguments.captures, arguments.source.packed if arguments.source else None)
    except (NotACapture, OSError) as error:
        print(f"index_analyser: {error}", file=sys.stderr)
        sys.exit(2)
    total = summary(streams)
    if arguments.json:
        print(json.dumps(total))
    else:
        print(" ".join(f"{key}={value}" for key, value in total.items()))
    shown = 0
    for (address, port, ssrc), stream in streams.items():
        for time, sequence, highest in stream.reused:
            shown += 1
            if shown <= 20:
                print(f"reused: to {ipaddress.ip_address(address)} {int.from_bytes(port, 'big')} "
                      f"ssrc {ssrc}: sequence {sequence} after {highest} at {time / 1e9:.6f}",
                      file=sys.stderr)
    if not streams:
        print("index_analyser: no RTP in the captures", file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if total["reused"] or total["repeated"] else 0)


if __name__ == "__main__":
    main()
