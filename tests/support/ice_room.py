#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A room with a keyed speaker and WEBRTC listeners, programmed over table.sock; and the listeners'
ICE, for as long as it runs. To be run where the listeners are; at SIGTERM it reports and ends.

usage: ice_room.py --table SOCKET --to ADDRESS:PORT --speaker ADDRESS:PORT --speaker-key KEY
                   --ssrc N --listener-key KEY [--listeners N] --credentials FILE --report FILE
                   [--rebind N]
Listener i is 10.0.1.i:6000; the first has --listener-key. KEY: base64 of AEAD_AES_128_GCM's key and
salt. The credentials of all are written when six checks of everybody have been answered.
With --rebind everybody moves N times and it ends by itself, with how long each was without audio.
"""
import argparse
import base64
import ipaddress
import signal
import sys
import time

import raw_udp
import table
from ice_peer import Peer, endpoint, speaker_put, write_json

ROOM = 7
INTERVAL_SECONDS = 0.2
CHROMIUM_SECONDS = 2.5  # between its checks of a path that is good


def arguments_parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", required=True)
    parser.add_argument("--to", type=endpoint, required=True)
    parser.add_argument("--speaker", type=endpoint, required=True)
    parser.add_argument("--speaker-key", type=base64.b64decode, required=True)
    parser.add_argument("--ssrc", type=int, required=True)
    parser.add_argument("--listener-key", type=base64.b64decode, required=True)
    parser.add_argument("--listeners", type=int, default=4)
    parser.add_argument("--credentials", required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("--rebind", type=int, default=0)
    return parser.parse_args()


class Room:
    def __init__(self, arguments):
        self.to = arguments.to
        first = ipaddress.ip_address("10.0.1.0")
        self.peers = [Peer(i, (str(first + i), 6000), None if i else arguments.listener_key)
                      for i in range(arguments.listeners)]
        self.udp, self.tap = raw_udp.RawUdp(), raw_udp.Tap()
        self.owner = {peer.where: peer for peer in self.peers}
        self.interval = INTERVAL_SECONDS
        self.due = 0.0
        self.writer = table.Table(arguments.table, epoch=1)
        self.writer.transact(
            table.room_put(ROOM),
            speaker_put(ROOM, arguments.speaker, arguments.speaker_key, arguments.ssrc),
            *[operation for peer in self.peers for operation in peer.operations(ROOM)])

    def turn(self):
        """Checks when they are due, and one datagram, if there is one."""
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + self.interval
            for peer in self.peers:
                peer.check(self.udp, self.to)
        arrived = self.tap.receive(self.due - time.monotonic())
        if arrived and arrived[1] in self.owner and arrived[0] == self.to:
            self.owner[arrived[1]].receive(self.udp, *arrived)

    def until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self.turn()

    def rebind(self, number):
        """Everybody has another address at once and says so as Chromium does, with the next check
        that was due. Returns each peer's milliseconds from that check to its first audio, and how
        many packets still went to the old address after it."""
        self.interval = CHROMIUM_SECONDS
        self.until(lambda: all(peer.media_at.get(peer.where) for peer in self.peers), 5)
        before = {}
        for i, peer in enumerate(self.peers):
            before[peer] = peer.where
            peer.where = (f"10.0.{2 + number}.{i}", 6000 + number)
            self.owner[peer.where] = peer
        self.due = 0.0
        self.turn()
        start = self.due - self.interval
        self.until(lambda: all(peer.where in peer.media_at for peer in self.peers), 2)
        after = {peer: peer.media_to.get(before[peer], 0) for peer in self.peers}
        heard = {peer: peer.media for peer in self.peers}
        self.until(lambda: all(peer.media >= heard[peer] + 60 for peer in self.peers), 4)
        return [{"ms": 1000 * (peer.media_at.get(peer.where, start + 3600) - start),
                 "stray": peer.media_to.get(before[peer], 0) - after[peer]}
                for peer in self.peers]


def main():
    arguments = arguments_parse()
    room = Room(arguments)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    room.until(lambda: stopped or all(peer.answers >= 6 for peer in room.peers), 20)
    # The relay knows a leg's last 24 checks again: those seen so far are to stay among them for as long
    # as an attack takes to begin.
    room.interval = CHROMIUM_SECONDS
    write_json(arguments.credentials, [peer.describe() for peer in room.peers])
    if arguments.rebind:
        room.until(lambda: stopped or all(peer.media >= 100 for peer in room.peers), 20)
        moves = [move for number in range(arguments.rebind) for move in room.rebind(number)]
        write_json(arguments.report, moves)
        return
    while not stopped:
        room.turn()
    write_json(arguments.report, {peer.where[0]: peer.report() for peer in room.peers})


if __name__ == "__main__":
    sys.exit(main())
