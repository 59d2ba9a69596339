#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Moderation, with a look at the wire: run where the listeners are.

usage: moderation_wire.py watch --heard BYTES --silent BYTES[,BYTES...] [--count N]
           until N voice packets of that size have come; one of a silent size is a failure
       moderation_wire.py repeat EVENTS_SOCKET KEYS_FILE COUNT
           rooms that are opened, moderated and closed again: after the answer, by the kernel's
           clock of each packet, nothing of whom it is about comes to anybody

A voice is known by how long its packets are: BYTES of payload, and less than 100 of headers and tag.
"""
import argparse
import itertools
import json
import select
import socket
import struct
import sys
import time

SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETH_P_IP = 0x0800
OUTGOING = 4
DEADLINE_S = 30
SPEAKER = "172.16.1.2"
ANN, BOB, EVE, ZOE, STRAY = 100, 200, 300, 400, 500  # payload bytes of each voice


class Wire:
    """Voice packets as they come in, each with when."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.socket.bind(("eth0", ETH_P_IP))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def packets(self, deadline):
        """(ns, voice, destination) of what has come and comes until the deadline."""
        while time.monotonic() < deadline:
            if not select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
                return
            data, ancillary, _, address = self.socket.recvmsg(64, 128)
            if address[2] == OUTGOING or len(data) < 28 or data[9] != 17:
                continue
            seconds, ns = struct.unpack("qq", ancillary[0][2][:16])
            size = struct.unpack_from("!H", data, (data[0] & 15) * 4 + 4)[0] - 8
            yield seconds * 10**9 + ns, size // 100 * 100, socket.inet_ntoa(data[16:20])

    def check_whole(self):
        dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        if dropped:
            sys.exit(f"the capture has {dropped} holes: it proves nothing")


class Events:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rwb")
        self.ids = itertools.count(time.time_ns())

    def ask(self, type_, actor, room, **more):
        """The answer, with when it was there."""
        request = {"id": f"w{next(self.ids)}", "type": type_, "actor": actor, "room": room, **more}
        self.stream.write(json.dumps(request).encode() + b"\n")
        self.stream.flush()
        answer = json.loads(self.stream.readline())
        return {**answer, "received_ns": time.time_ns(), "asked": request}

    def do(self, *what, **more):
        answer = self.ask(*what, **more)
        if not answer["ok"]:
            sys.exit(f"refused: {answer}")
        return answer

    def refused(self, code, *what, **more):
        answer = self.ask(*what, **more)
        if answer["ok"] or answer["error"]["code"] != code:
            sys.exit(f"{code} expected: {answer}")


def wait_heard(wire, voices, room):
    left = set(voices)
    for _, voice, _ in wire.packets(time.monotonic() + DEADLINE_S):
        left.discard(voice)
        if not left:
            return
    sys.exit(f"{room}: not heard: {sorted(left)}")


class Rehearsal:
    """One room with ann, its host, bob and eve, who all speak, and listeners."""

    def __init__(self, wire, events, keys, number):
        self.wire, self.events, self.keys = wire, events, keys
        self.room = f"r{number}"
        events.do("room.open", "ann", self.room)
        for member, role, port in (("ann", "host", 5004), ("bob", "speaker", 5006),
                                   ("eve", "speaker", 5008)):
            self.join(member, role, port)
        events.do("member.join", "ann", self.room, role="listener", members=[
            {"member": f"l{i}", "address": f"10.0.1.{i}", "port": 6000} for i in range(4)])
        wait_heard(wire, (ANN, BOB, EVE), self.room)

    def join(self, member, role, port, ask=None):
        return (ask or self.events.do)(
            "member.join", "ann", self.room, role=role, member=member, address=SPEAKER, port=port,
            ssrc=port - 4003 - (port - 5004) // 2, rx_key=self.keys[member], audio_level_id=1)

    def silent_after(self, answer, voices, listener=None, alive=ANN, alive_at=None):
        """Until enough of the others has come since."""
        if not answer.get("programmed") or not answer.get("durable"):
            sys.exit(f"not in force: {answer}")
        since, others = answer["received_ns"], 0
        for ns, voice, to in self.wire.packets(time.monotonic() + DEADLINE_S):
            if ns <= since:
                continue
            if voice in voices or to == listener:
                sys.exit(f"{answer['asked']}: a packet of {voice} to {to} {ns - since} ns after "
                         "the answer")
            others += voice == alive and to == (alive_at or to)
            if others == 25:
                return
        sys.exit(f"{self.room}: the others fell silent, too")

    def mute(self):
        answer = self.events.do("moderation.mute", "ann", self.room, member="bob")
        self.silent_after(answer, {BOB})
        self.events.refused("not_allowed", "moderation.unmute", "bob", self.room, member="bob")

    def mute_all(self):
        answer = self.events.do("moderation.mute_all", "ann", self.room)
        self.silent_after(answer, {BOB, EVE})

    def demote(self):
        answer = self.events.do("moderation.demote", "ann", self.room, member="bob")
        self.silent_after(answer, {BOB})
        self.events.refused("conflict", "floor.release", "bob", self.room)

    def hold(self):
        for reporter in ("r1", "r2", "r3"):
            answer = self.events.do("moderation.report", reporter, self.room, member="bob",
                                    category="hate")
        self.silent_after(answer, {BOB})

    def remove(self):
        answer = self.events.do("moderation.remove", "ann", self.room, member="bob")
        self.silent_after(answer, {BOB})
        for actor in ("bob", "ann"):
            self.events.refused("not_allowed", "member.join", actor, self.room, role="listener",
                                member="bob", transport="webrtc")
        self.join("bob", "speaker", 5006, ask=lambda *a, **k: self.events.refused(
            "not_allowed", *a, **k))

    def remove_listener(self):
        answer = self.events.do("moderation.remove", "ann", self.room, member="l2")
        self.silent_after(answer, set(), listener="10.0.1.2")

    def ban(self):
        """From this room, where he speaks, and the other, where he listens."""
        self.events.do("member.join", "ann", "side", role="listener", member="bob",
                       address="10.0.1.20", port=6000)
        for _, _, to in self.wire.packets(time.monotonic() + DEADLINE_S):
            if to == "10.0.1.20":
                break
        else:
            sys.exit("the other room is not heard")
        answer = self.events.do("moderation.ban", "ann", self.room, member="bob")
        if sorted(answer["rooms"]) != sorted(["side", self.room]):
            sys.exit(f"not from both rooms: {answer}")
        self.silent_after(answer, {BOB}, "10.0.1.20", ZOE, "10.0.1.21")
        for room in ("side", self.room):
            self.events.refused("not_allowed", "member.join", "bob", room, role="listener",
                                transport="webrtc")
        self.events.do("moderation.unban", "ann", self.room, member="bob")


def repeat(wire, events, keys, count):
    actions = (Rehearsal.mute, Rehearsal.mute_all, Rehearsal.demote, Rehearsal.hold,
               Rehearsal.remove, Rehearsal.remove_listener, Rehearsal.ban)
    events.do("room.open", "ann", "side")
    events.do("member.join", "ann", "side", role="speaker", member="zoe", address=SPEAKER,
              port=5010, ssrc=1004, rx_key=keys["zoe"], audio_level_id=1)
    events.do("member.join", "ann", "side", role="listener", member="zed", address="10.0.1.21",
              port=6000)
    for number, action in zip(range(count), itertools.cycle(actions)):
        rehearsal = Rehearsal(wire, events, keys, number)
        action(rehearsal)
        events.do("room.close", "ann", rehearsal.room)
    events.do("room.close", "ann", "side")
    wire.check_whole()
    print(f"{count} times, {len(actions)} ways: nothing after the answer")


def watch(wire, heard, silent, count):
    others = 0
    for _, voice, to in wire.packets(time.monotonic() + 2 * DEADLINE_S):
        if voice in silent:
            sys.exit(f"a packet of {voice} to {to}")
        others += voice == heard
        if others == count:
            wire.check_whole()
            return
    sys.exit(f"only {others} packets of {heard}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    watcher = commands.add_parser("watch")
    watcher.add_argument("--heard", type=int, required=True)
    watcher.add_argument("--silent", type=lambda text: {int(s) for s in text.split(",")})
    watcher.add_argument("--count", type=int, default=200)
    repeater = commands.add_parser("repeat")
    repeater.add_argument("events")
    repeater.add_argument("keys")
    repeater.add_argument("count", type=int)
    options = parser.parse_args()
    if options.command == "watch":
        watch(Wire(), options.heard, options.silent, options.count)
        return
    with open(options.keys, encoding="utf-8") as file:
        repeat(Wire(), Events(options.events), json.load(file), options.count)


main()
