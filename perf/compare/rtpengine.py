# SPDX-License-Identifier: BSD-3-Clause
"""rtpengine in user space, driven by its ng protocol: one publisher, N subscribers with SDES.

Each subscription is offered by rtpengine with a key of its own, which the answer accepts, so every
copy is encrypted under another key. The publisher sends plain RTP, which spares it a decryption.
"""
import json
import re
import socket

from lab import RELAY, SPEAKER, Skipped, need, version_of

NG = ("127.0.0.1", 22222)
SUITES = {"gcm128": "AEAD_AES_128_GCM", "cm80": "AES_CM_128_HMAC_SHA1_80"}
CALL = "compare"
# One port a subscriber (RTCP shares it), and rtpengine takes two.
LISTENERS_MAX = 30000
TRIES = 5
TIMEOUT_S = 8


def publisher_sdp():
    return (f"v=0\r\no=- 1 1 IN IP4 {SPEAKER}\r\ns=-\r\nc=IN IP4 {SPEAKER}\r\nt=0 0\r\n"
            "m=audio 6000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\na=sendonly\r\n"
            "a=rtcp-mux\r\n")


def port_of(sdp):
    return int(re.search(r"^m=audio (\d+)", sdp, re.M).group(1))


def crypto_of(sdp, suite):
    """Tag and whole line of the wanted suite in an offer."""
    for tag, name in re.findall(r"^a=crypto:(\d+) (\S+) ", sdp, re.M):
        if name == suite:
            return tag
    raise Skipped(f"rtpengine offers no {suite}")


def subscriber_sdp(offer, listener, suite, key):
    """The answer of listener 0, 1, ...: their address, receive only."""
    number = listener + 1
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            "m=audio 5004 RTP/SAVP 111\r\na=rtpmap:111 opus/48000/2\r\na=recvonly\r\n"
            f"a=rtcp-mux\r\na=crypto:{crypto_of(offer, suite)} {suite} inline:{key}\r\n")


class Rtpengine:
    paths = ("veth", "best")
    # It reads a socket when an edge says so, gives up after 50 packets, and a queue that has filled
    # up meanwhile makes no more edges: after an overload it never reads that socket again.
    fragile, patient = True, False
    load_options = ()

    def __init__(self, lab, suite="gcm128"):
        self.lab, self.suite = lab, suite
        self.program = need("rtpengine")
        self.version = f"rtpengine-daemon {version_of('rtpengine-daemon')}"
        self.child = self.socket = None
        self.count = 0

    def ask(self, **request):
        """An ng request; repeated with the same cookie when no answer comes, as UDP wants it."""
        self.count += 1
        cookie = f"c{self.count}"
        message = f"{cookie} {json.dumps(request)}".encode()
        for _ in range(TRIES):
            self.socket.sendto(message, NG)
            try:
                while True:
                    answer = self.socket.recv(65536).decode()
                    if answer.startswith(cookie + " "):
                        break
            except (TimeoutError, ConnectionError):
                continue
            answer = json.loads(answer.split(" ", 1)[1])
            if answer["result"] not in ("ok", "pong"):
                raise Skipped(f"rtpengine: {request['command']}: {answer.get('error-reason')}")
            return answer
        raise Skipped(f"rtpengine does not answer {request['command']}: {self.child.tail()}")

    def launch(self):
        command = [self.program, "--config-file=none", "--foreground", "--log-stderr",
                   "--log-level=3", "--table=-1", "--num-threads=1", "--no-fallback",
                   f"--interface={RELAY}", f"--listen-ng={NG[0]}:{NG[1]}", "--port-min=1024",
                   "--port-max=65535", "--timeout=3600", "--silent-timeout=3600"]
        self.child = self.lab.relay("rtpengine", command)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT_S)

        def answers():
            self.socket.settimeout(0.2)
            try:
                self.socket.sendto(b'p {"command": "ping"}', NG)
                return b"pong" in self.socket.recv(1000)
            except OSError:
                return False

        self.child.wait_for(answers, 40, "rtpengine does not start")
        self.socket.settimeout(TIMEOUT_S)

    def start(self, listeners):
        if listeners > LISTENERS_MAX:
            raise Skipped(f"rtpengine has a pair of ports a subscriber: {LISTENERS_MAX} at most")
        self.launch()
        suite = SUITES[self.suite]
        key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYg==" if self.suite == "gcm128" else \
            "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"
        published = self.ask(command="publish", **{"call-id": CALL, "from-tag": "speaker"},
                             sdp=publisher_sdp())
        for listener in range(listeners):
            offer = self.ask(command="subscribe request",
                             **{"call-id": CALL, "from-tag": "speaker",
                                "transport-protocol": "RTP/SAVP", "rtcp-mux": ["offer"],
                                "ICE": "remove"})
            self.ask(command="subscribe answer", **{"call-id": CALL, "to-tag": offer["to-tag"]},
                     sdp=subscriber_sdp(offer["sdp"], listener, suite, key))
        return f"{RELAY}:{port_of(published['sdp'])}"

    def pids(self):
        return [self.child.pid]

    def command(self):
        return self.child.command

    def stop(self):
        if self.child:
            self.child.stop()
        if self.socket:
            self.socket.close()
        self.child = self.socket = None
