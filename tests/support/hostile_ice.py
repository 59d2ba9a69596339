#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Attacks on ICE from a third namespace; prints what was sent, what came back and what was counted.

usage: hostile_ice.py ATTACK --to ADDRESS:PORT --credentials FILE --table SOCKET
The credentials (of ice_room.py) are there so that one thing at a time can be wrong, and for checks
that somebody on the way might have kept. Attacks:
  unauthentic  checks and answers of somebody who knows ufrags but no password (TRAPS 3)
  guesses      ufrags of legs that might be there (TRAPS 3)
  signed       what is signed as it should be and yet is wrong: attributes doubled, oversized, ...
  replays      checks that the relay has answered, from other addresses (TRAPS 4)
  stolen       checks that it has not seen, from the addresses of victims (GOALS: mirror)
  early        DTLS, SRTP and SRTCP from everybody's addresses (TRAPS 5)
"""
import argparse
import base64
import collections
import itertools
import json
import os
import random
import struct
import time
import zlib

import raw_udp
import stun
import table
from ice_peer import NETWORK_INFO, check_attributes, chromium_check, endpoint

OWN = ("172.16.3.2", 5004)
BATCH = 25
BATCH_SECONDS = 0.01
QUIET_SECONDS = 0.5
CHECK = (stun.USERNAME, NETWORK_INFO, stun.ICE_CONTROLLING, stun.USE_CANDIDATE, stun.PRIORITY)


def victims(count):
    return [(f"172.16.3.{100 + i}", 7000 + i) for i in range(count)]


def seal_as_is(message):
    return message + stun.attribute(stun.FINGERPRINT, struct.pack(
        "!I", zlib.crc32(message) ^ 0x5354554E))


class Attacker:
    def __init__(self, peers, to):
        self.peers, self.to = peers, to
        self.rng = random.Random(20)
        self.username = peers[0]["username"].encode()
        self.local_pwd = peers[0]["local_pwd"].encode()
        self.clients = [(peer["address"], peer["port"]) for peer in peers]

    def good(self, nominates=True):
        return chromium_check(self.username, self.local_pwd, nominates)

    def signed_check(self, parts):
        return stun.sign(stun.REQUEST, os.urandom(12), b"".join(parts), self.local_pwd)

    def parts(self):
        return check_attributes(self.username, True)

    def unauthentic(self):
        """From an address of the attacker's own and from those of the legs themselves."""
        for where in (OWN, *self.clients):
            for message in self.unauthentic_messages():
                yield where, message

    def unauthentic_messages(self):
        ours, theirs = self.username.split(b":")
        other = self.peers[1]["local_pwd"].encode()
        for password in (None, b"", b"wrong", other, self.local_pwd[:-1],
                         self.peers[0]["remote_pwd"].encode()):
            for kind in (stun.REQUEST, stun.SUCCESS, stun.ERROR, stun.INDICATION):
                yield stun.sign(kind, os.urandom(12), b"".join(self.parts().values()), password)
        for name in (ours, ours + b":", ours + b":x" + theirs, theirs + b":" + ours, b":" + theirs,
                     self.peers[1]["username"].encode(), ours[:-1] + b":" + theirs,
                     ours + b":" + theirs + b"x" * 400):
            yield chromium_check(name, self.local_pwd, True)
        # One bit of a check that is right, with the fingerprint of what it then is.
        message = self.good()
        for bit in range(0, 8 * (len(message) - 8), 3):
            changed = bytearray(message[:-8])
            changed[bit // 8] ^= 1 << bit % 8
            yield seal_as_is(bytes(changed))
        for size in range(len(message)):
            yield message[:size]
            if 20 <= size < len(message) - 8:
                yield seal_as_is(message[:size])

    def guesses(self):
        """Legs beside those that there are, and other generations of those."""
        theirs = self.username.split(b":")[1]
        leg = int.from_bytes(base64.b64decode(self.username[:16])[:8], "big")
        for number in range(3000):
            guess = self.rng.choice((leg, leg + self.rng.randrange(1, 1 << 20),
                                     self.rng.getrandbits(64), number))
            name = stun.local_ufrag(guess, self.rng.randbytes(4)) + b":" + theirs
            yield (OWN[0], 5000 + number % 500), chromium_check(
                name, self.local_pwd, True)

    def signed(self):
        """With the right password: attributes doubled, of wrong sizes, behind the integrity."""
        for message in self.signed_messages():
            yield OWN, message
            yield self.clients[0], message

    def signed_messages(self):
        parts = self.parts()
        known = (stun.USERNAME, stun.ICE_CONTROLLING, stun.USE_CANDIDATE, stun.PRIORITY)
        for kind in known:
            yield self.signed_check([*parts.values(), parts[kind]])
            for size in (0, 1, 3, 5, 7, 9, 21, 600, 1200):
                value = stun.attribute(kind, b"x" * size)
                if len(value) != len(parts[kind]) and not (kind == stun.USERNAME and size < 600):
                    yield self.signed_check([value if name == kind else part
                                             for name, part in parts.items()])
        yield self.signed_check([part for name, part in parts.items() if name != stun.USERNAME])
        yield self.signed_check([*parts.values(), stun.attribute(stun.ICE_CONTROLLED, bytes(8))])
        yield self.signed_check([*parts.values(), stun.attribute(0x7ABC, b"what")])
        yield self.good()[:-8]
        yield self.good() + stun.attribute(0x8022, b"behind")
        # Every order of all seven but the right ones: integrity last but one, fingerprint last.
        for order in itertools.permutations((*CHECK, stun.MESSAGE_INTEGRITY, stun.FINGERPRINT)):
            if order[5:] != (stun.MESSAGE_INTEGRITY, stun.FINGERPRINT) and self.rng.random() < 0.3:
                yield self.ordered(order, parts)

    def ordered(self, order, parts):
        transaction, body = os.urandom(12), b""
        for kind in order:
            if kind == stun.MESSAGE_INTEGRITY:
                body = stun.sign(stun.REQUEST, transaction, body, self.local_pwd, False)[20:]
            elif kind == stun.FINGERPRINT:
                body = stun.sign(stun.REQUEST, transaction, body)[20:]
            else:
                body += parts[kind]
        return stun.header(stun.REQUEST, len(body), transaction) + body

    def replays(self):
        """Seen on their way, answered, and then sent from elsewhere."""
        for peer in self.peers:
            for message in peer["seen"]:
                for where in (OWN, *victims(8), *self.clients):
                    if where != (peer["address"], peer["port"]):
                        yield where, bytes.fromhex(message)

    def stolen(self):
        """Fresh and right, of every leg, at every rate; garbage as answers to the challenges."""
        for _ in range(60):
            for index, where in enumerate(victims(20)):
                peer = self.peers[index % len(self.peers)]
                yield where, chromium_check(peer["username"].encode(),
                                            peer["local_pwd"].encode(), index % 2 == 0)

    def early(self):
        """What belongs behind ICE, from victims, from strangers, and as the legs themselves."""
        for number in range(200):
            for where in (OWN, *victims(5)):
                yield where, b"\x16\xfe\xff" + bytes(8) + struct.pack("!H", 60) + os.urandom(60)
                yield where, b"\x15\xfe\xfd" + bytes(8) + b"\0\2\1\0"
                yield where, struct.pack("!BBHII", 0x80, 111, number, number, 1001) + \
                    os.urandom(100)
                yield where, struct.pack("!BBHI", 0x81, 203, 1, 1001) + os.urandom(18)


def count_back(tap, back, seconds):
    """What arrives until nothing has for a while, by address: messages and bytes, and of what kind."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        arrived = tap.receive(left)
        if arrived is None:
            return
        where = f"{arrived[1][0]}:{arrived[1][1]}"
        entry = back.setdefault(where, {"count": 0, "bytes": 0, "stun": 0})
        entry["count"] += 1
        entry["bytes"] += len(arrived[2])
        entry["stun"] += len(arrived[2]) >= 20 and arrived[2][0] <= 1


def counters(reader):
    """Drops by reason, and what was answered, of all workers."""
    total = collections.Counter()
    for worker in reader.stats():
        total.update(worker["drops"], answered=worker["answered"])
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("attack", choices=("unauthentic", "guesses", "signed", "replays", "stolen",
                                           "early"))
    parser.add_argument("--to", type=endpoint, required=True)
    parser.add_argument("--credentials", required=True)
    parser.add_argument("--table", required=True)
    arguments = parser.parse_args()

    with open(arguments.credentials, encoding="utf-8") as file:
        attacker = Attacker(json.load(file), arguments.to)
    udp, tap = raw_udp.RawUdp(), raw_udp.Tap()
    reader = table.Table(arguments.table)
    before = counters(reader)
    sent, back = {}, {}
    for number, (where, message) in enumerate(getattr(attacker, arguments.attack)()):
        udp.send(where, arguments.to, message)
        entry = sent.setdefault(f"{where[0]}:{where[1]}", {"count": 0, "bytes": 0})
        entry["count"] += 1
        entry["bytes"] += len(message)
        if number % BATCH == BATCH - 1:
            count_back(tap, back, BATCH_SECONDS)
    count_back(tap, back, QUIET_SECONDS)
    after = counters(reader)
    drops = after - before
    answered = drops.pop("answered", 0)
    print(json.dumps({"sent": sum(entry["count"] for entry in sent.values()),
                      "answered": answered, "drops": drops,
                      "from": sent, "back": back}))


if __name__ == "__main__":
    main()
