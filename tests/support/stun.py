# SPDX-License-Identifier: BSD-3-Clause
"""
STUN as a browser speaks it (RFC 8489, RFC 8445), and as it should not be spoken: for tests against
the real data plane. Only the standard library; shares no code with the relay.
"""
import hashlib
import hmac
import os
import select
import socket
import struct
import time
import zlib

COOKIE = 0x2112A442
REQUEST, INDICATION, SUCCESS, ERROR = 0x0001, 0x0011, 0x0101, 0x0111
USERNAME, MESSAGE_INTEGRITY, XOR_MAPPED_ADDRESS = 0x0006, 0x0008, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT = 0x0024, 0x0025, 0x8028
ICE_CONTROLLED, ICE_CONTROLLING = 0x8029, 0x802A


class Credentials:
    """Both sides of one ICE generation; local is the relay's."""

    def __init__(self, leg_id, remote_ufrag=b"wEb+", remote_pwd=None):
        self.local_random = os.urandom(4)
        self.local_pwd = letters(24)
        self.remote_ufrag = remote_ufrag
        self.remote_pwd = remote_pwd or letters(24)
        self.local_ufrag = local_ufrag(leg_id, self.local_random)


def letters(count):
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return bytes(alphabet[byte % 64] for byte in os.urandom(count))


def local_ufrag(leg_id, random):
    import base64
    return base64.b64encode(struct.pack(">Q", leg_id) + random)


def attribute(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def header(kind, size, transaction):
    return struct.pack(">HHI", kind, size, COOKIE) + transaction


def sign(kind, transaction, attributes, key=None, fingerprint=True):
    """A whole message; MESSAGE-INTEGRITY with the key, then FINGERPRINT (RFC 8489, 14.5, 14.7)."""
    if key is not None:
        digest = hmac.new(key, header(kind, len(attributes) + 24, transaction) + attributes,
                          hashlib.sha1).digest()
        attributes += attribute(MESSAGE_INTEGRITY, digest)
    if fingerprint:
        crc = zlib.crc32(header(kind, len(attributes) + 8, transaction) + attributes) ^ 0x5354554E
        attributes += attribute(FINGERPRINT, struct.pack(">I", crc))
    return header(kind, len(attributes), transaction) + attributes


def check(credentials, nominate=True, transaction=None, **wrong):
    """A browser's check. wrong: username=, key=, fingerprint=, extra= (attributes) instead."""
    username = credentials.local_ufrag + b":" + credentials.remote_ufrag
    attributes = attribute(USERNAME, wrong.get("username", username))
    attributes += attribute(ICE_CONTROLLING, os.urandom(8))
    attributes += attribute(PRIORITY, struct.pack(">I", 0x6E0001FF))
    if nominate:
        attributes += attribute(USE_CANDIDATE)
    attributes += wrong.get("extra", b"")
    return sign(REQUEST, transaction or os.urandom(12), attributes,
                wrong.get("key", credentials.local_pwd), wrong.get("fingerprint", True))


def xor_address(data, transaction):
    """(host, port) of an XOR-MAPPED-ADDRESS."""
    port = struct.unpack_from(">H", data, 2)[0] ^ COOKIE >> 16
    mask = struct.pack(">I", COOKIE) + transaction
    raw = bytes(a ^ b for a, b in zip(data[4:], mask))
    family = socket.AF_INET if data[1] == 1 else socket.AF_INET6
    return socket.inet_ntop(family, raw), port


class Parsed:
    """A message that came: .kind, .transaction, .attributes {kind: value}; ValueError: it is none."""

    def __init__(self, data):
        if len(data) < 20 or data[0] > 3:
            raise ValueError("not STUN")
        self.data = data
        self.kind, size, cookie = struct.unpack_from(">HHI", data)
        self.transaction = data[8:20]
        if cookie != COOKIE or size != len(data) - 20:
            raise ValueError("not a whole message")
        self.attributes, self.offsets, at = {}, {}, 20
        while at < len(data):
            kind, length = struct.unpack_from(">HH", data, at)
            self.attributes[kind] = data[at + 4:at + 4 + length]
            self.offsets[kind] = at
            at += 4 + length + -length % 4

    def signed_by(self, key):
        at = self.offsets.get(MESSAGE_INTEGRITY)
        if at is None:
            return False
        start = header(self.kind, at + 24 - 20, self.transaction) + self.data[20:at]
        return hmac.compare_digest(hmac.new(key, start, hashlib.sha1).digest(),
                                   self.attributes[MESSAGE_INTEGRITY])

    def fingerprint_right(self):
        at = self.offsets.get(FINGERPRINT)
        value = None if at is None else self.attributes[FINGERPRINT]
        return value == struct.pack(">I", zlib.crc32(self.data[:at]) ^ 0x5354554E)


def answer(request, credentials, source):
    """What a browser answers to the relay's challenge."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    mask = struct.pack(">I", COOKIE) + request.transaction
    raw = bytes(a ^ b for a, b in zip(socket.inet_pton(family, source[0]), mask))
    mapped = struct.pack(">BBH", 0, 1 if family == socket.AF_INET else 2,
                         source[1] ^ COOKIE >> 16) + raw
    return sign(SUCCESS, request.transaction, attribute(XOR_MAPPED_ADDRESS, mapped),
                credentials.remote_pwd)


class Peer:
    """A browser's end of one leg, on one UDP port. Answers challenges while it waits."""

    def __init__(self, relay, credentials, bind=("", 0)):
        self.relay = relay
        self.credentials = credentials
        family = socket.AF_INET6 if ":" in relay[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(bind)
        self.socket.connect(relay)
        self.other = []       # datagrams that are not STUN
        self.challenges = 0   # of the relay, answered
        self.answered = {}    # transaction: the relay's answer to our check

    @property
    def name(self):
        return self.socket.getsockname()[:2]

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.send(data)
        except ConnectionRefusedError:
            pass  # somebody's ICMP; that nobody answers is what some tests want

    def take(self, timeout):
        """One datagram, handled. False: none came."""
        if not select.select([self.socket], [], [], max(timeout, 0))[0]:
            return False
        try:
            data = self.socket.recv(2048)
        except ConnectionRefusedError:
            return True
        try:
            message = Parsed(data)
        except ValueError:
            self.other.append(data)
            return True
        if message.kind == REQUEST and message.signed_by(self.credentials.remote_pwd):
            self.challenges += 1
            self.send(answer(message, self.credentials, self.relay))
        elif message.kind == SUCCESS and message.signed_by(self.credentials.local_pwd):
            self.answered[message.transaction] = message
        return True

    def until(self, done, seconds, reason, every=None):
        """Handles what comes until done(); every: called each 50 ms meanwhile."""
        deadline = time.monotonic() + seconds
        repeat = 0
        while not done():
            now = time.monotonic()
            if now > deadline:
                raise TimeoutError(reason)
            if every and now >= repeat:
                every()
                repeat = now + 0.05
            self.take(0.01)

    def check(self, seconds=5, **wrong):
        """Checks until one is answered; returns where the relay sees us."""
        transaction = os.urandom(12)

        def ask():
            self.send(check(self.credentials, transaction=transaction, **wrong))
        self.until(lambda: transaction in self.answered, seconds, "no answer to a check", ask)
        message = self.answered.pop(transaction)
        return xor_address(message.attributes[XOR_MAPPED_ADDRESS], transaction)

    def prove(self, seconds=5):
        """Checks until the relay has challenged us and we have answered."""
        before = self.challenges
        mapped = self.check(seconds)
        self.until(lambda: self.challenges > before, seconds, "no challenge",
                   lambda: self.send(check(self.credentials)))
        return mapped

    def waiting(self):
        """What has arrived and was not looked at, unanswered."""
        out = []
        while select.select([self.socket], [], [], 0)[0]:
            out.append(self.socket.recv(2048))
        return out

    def silent(self, seconds):
        """Whether nothing at all arrives in that time."""
        return not self.take(seconds)
