#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A stranger: sprays RTP, SRTP, RTCP, STUN, DTLS and rubbish at a media port, from any address.

usage: spray.py --to ADDRESS:PORT --source ADDRESS:PORT... [--ssrc N] [--count N] [--seed N]
Raw IPv4 sockets, so it needs root. Prints {"sent": N, "kinds": {...}}.
"""
import argparse
import ipaddress
import json
import random
import socket
import struct
import zlib


def rtp(rng, ssrc):
    """In the clear, of the SSRC that somebody declared."""
    return struct.pack("!BBHII", 0x80, 111, rng.getrandbits(16), rng.getrandbits(32),
                       ssrc) + rng.randbytes(100)


def srtp(rng, ssrc):
    """With a level extension and a tag that cannot verify; louder than anybody."""
    extension = struct.pack("!HHI", 0xBEDE, 1, 0x10800000)
    return struct.pack("!BBHII", 0x90, 111, rng.getrandbits(16), rng.getrandbits(32),
                       ssrc) + extension + rng.randbytes(116)


def rtcp(rng, ssrc):
    """BYE, and receiver reports with a tag that cannot verify."""
    kind = rng.choice((203, 201, 205, 206))
    return struct.pack("!BBHI", 0x81, kind, 1, ssrc) + rng.randbytes(4 + 4 + 10)


def stun(rng, _):
    """Binding request (RFC 8489) with a user name, a wrong integrity and a right fingerprint."""
    name = rng.randbytes(8).hex().encode() + b":" + rng.randbytes(4).hex().encode()
    name += b"\0" * (-len(name) % 4)
    body = struct.pack("!HH", 0x0006, len(name)) + name
    body += struct.pack("!HH", 0x0025, 0)
    body += struct.pack("!HH", 0x0008, 20) + rng.randbytes(20)
    head = struct.pack("!HHI", 0x0001, len(body) + 8, 0x2112A442) + rng.randbytes(12)
    return head + body + struct.pack("!HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E)


def dtls(rng, _):
    """A ClientHello record, or a close_notify in the clear."""
    if rng.random() < 0.5:
        return struct.pack("!BHHIHHBB", 21, 0xFEFD, 0, 0, rng.getrandbits(16), 2, 1, 0)
    body = rng.randbytes(200)
    return struct.pack("!BHHIHH", 22, 0xFEFD, 0, 0, rng.getrandbits(16), len(body)) + body


def rubbish(rng, _):
    return rng.randbytes(rng.choice((0, 1, 2, 11, 12, 13, 40, 200, 1400)))


KINDS = (rtp, srtp, rtcp, stun, dtls, rubbish)


def datagram(payload, source, to):
    """IPv4 and UDP; the kernel fills in the IP checksum, UDP goes without."""
    udp = struct.pack("!HHHH", source[1], to[1], 8 + len(payload), 0) + payload
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                       source[0], to[0]) + udp


def endpoint(text):
    address, port = text.rsplit(":", 1)
    return ipaddress.IPv4Address(address).packed, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=endpoint, required=True)
    parser.add_argument("--source", type=endpoint, action="append", required=True)
    parser.add_argument("--ssrc", type=int, default=1)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    rng = random.Random(arguments.seed)
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    target = (str(ipaddress.IPv4Address(arguments.to[0])), 0)
    kinds = {kind.__name__: 0 for kind in KINDS}
    for number in range(arguments.count):
        kind = KINDS[number % len(KINDS)]
        source = arguments.source[number // len(KINDS) % len(arguments.source)]
        out.sendto(datagram(kind(rng, arguments.ssrc), source, arguments.to), target)
        kinds[kind.__name__] += 1
    print(json.dumps({"sent": arguments.count, "seed": arguments.seed, "kinds": kinds}))


main()
