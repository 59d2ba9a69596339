# SPDX-License-Identifier: BSD-3-Clause
"""The other ends of WEBRTC legs, without a browser and without DTLS: their credentials, their checks
and what comes back. Many peers share one raw socket and one tap of a namespace; their addresses
need not exist there."""
import json
import os
import time

import stun
import table

LEG_FIRST = 0x5EED0000
NETWORK_INFO = 0xC057  # Chromium's


def check_attributes(username, nominates):
    """What Chromium sends in front of MESSAGE-INTEGRITY, in its order, by kind."""
    values = {stun.USERNAME: username, NETWORK_INFO: b"\0\1\0\x0a",
              stun.ICE_CONTROLLING: b"\x7d\x1e\x5b\x0c\x33\x91\xfa\x68",
              stun.USE_CANDIDATE: b"", stun.PRIORITY: b"\x6e\x7f\x1e\xff"}
    if not nominates:
        del values[stun.USE_CANDIDATE]
    return {kind: stun.attribute(kind, value) for kind, value in values.items()}


def chromium_check(username, password, nominates, transaction=None):
    attributes = b"".join(check_attributes(username, nominates).values())
    return stun.sign(stun.REQUEST, transaction or os.urandom(12), attributes, password)


class Peer:
    def __init__(self, number, where, key=None):
        self.leg = LEG_FIRST + number
        self.where = where
        self.key = key or os.urandom(28)
        self.credentials = stun.Credentials(self.leg, stun.letters(4))
        self.waiting = {}  # transaction: where it was sent from, and the check
        self.seen = []     # checks that were answered, for who listens on the way
        self.nominates = False
        self.checks = self.answers = self.challenges = self.media = self.wrong = 0
        self.media_at = {}  # address: when its first packet of media came, and how many came
        self.media_to = {}

    def username(self):
        return self.credentials.local_ufrag + b":" + self.credentials.remote_ufrag

    def operations(self, room):
        keys = (table.master_key(self.key[:16], self.key[16:]),
                table.master_key(os.urandom(16), os.urandom(12)))
        return (table.webrtc_put(self.leg, room, keys=keys),
                table.ice_put(self.leg, self.credentials))

    def describe(self):
        return {"username": self.username().decode(), "address": self.where[0],
                "port": self.where[1], "local_pwd": self.credentials.local_pwd.decode(),
                "remote_pwd": self.credentials.remote_pwd.decode(),
                "seen": [message.hex() for message in self.seen]}

    def check(self, udp, to):
        transaction = os.urandom(12)
        message = chromium_check(self.username(), self.credentials.local_pwd, self.nominates,
                                 transaction)
        self.waiting[transaction] = self.where, message
        self.checks += 1
        udp.send(self.where, to, message)

    def receive(self, udp, source, where, payload):
        """A datagram to an address of this peer: challenges are answered, the rest is counted."""
        if not payload or payload[0] > 3:
            self.media += 1
            self.media_at.setdefault(where, time.monotonic())
            self.media_to[where] = self.media_to.get(where, 0) + 1
            return
        message = stun.Parsed(payload)
        if not message.fingerprint_right():
            self.wrong += 1
        elif message.kind == stun.REQUEST and message.signed_by(self.credentials.remote_pwd):
            self.challenges += 1
            udp.send(where, source, stun.answer(message, self.credentials, source))
        elif message.kind == stun.SUCCESS and message.signed_by(self.credentials.local_pwd) \
                and self.waiting.get(message.transaction, (None,))[0] == where:
            self.seen.append(self.waiting.pop(message.transaction)[1])
            self.answers += 1
            self.nominates = True  # as Chromium does, once a check was answered
        else:
            self.wrong += 1

    def report(self):
        return {"checks": self.checks, "answers": self.answers, "challenges": self.challenges,
                "media": self.media, "wrong": self.wrong}


def speaker_put(room, where, key, ssrc):
    """A keyed speaker; key: AEAD_AES_128_GCM's key and salt, what it sends under."""
    return table.op("LEG_PUT", "stn_op_leg_put", leg_id=1, room_id=room, member_id=1,
                    remote=table.address(*where), role=table.constant("ROLE_SPEAKER"),
                    protection=table.constant("PROTECTION_LEG"), source_ssrc=ssrc,
                    transport=table.constant("TRANSPORT_KEYED"), payload_type=111,
                    audio_level_id=1, tx=table.master_key(os.urandom(16), os.urandom(12)),
                    rx=table.master_key(key[:16], key[16:]))


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def write_json(path, what):
    """Whole or not at all: somebody waits for the file."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(what, file)
    os.rename(path + ".new", path)
