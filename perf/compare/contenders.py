# SPDX-License-Identifier: BSD-3-Clause
"""The contenders that are ours or of a few lines: Stentor in its lab, the loop, dpdk-testpmd."""
import base64
import json
import os
import re
import socket
import subprocess
import time

from lab import RELAY, SPEAKER, Skipped, need, version_of

LOOP_PORT = 40000
BATCH = 450


class Loop:
    """stentor-loop with one of its back-ends, see loop.h."""

    paths = ("veth", "best")
    fragile = patient = False
    suite = "gcm128"

    def __init__(self, lab, backend):
        self.lab, self.backend = lab, backend
        self.child = None
        package = {"evp": "libssl3", "srtp": "libsrtp2-1"}.get(backend)
        self.version = f"{package} {version_of(package)}" if package else "no encryption"
        self.load_options = ()

    def start(self, listeners):
        command = [f"{self.lab.build}/perf/stentor-loop", "--backend", self.backend,
                   "--local", f"{RELAY}:{LOOP_PORT}", "--first", "10.0.0.1:5004",
                   "--listeners", str(listeners), "--batch", "64"]
        self.child = self.lab.relay("loop", command, stdout=subprocess.PIPE, text=True)
        if self.child.process.stdout.readline().strip() != "ready":
            raise Skipped("stentor-loop: " + self.child.tail())
        return f"{RELAY}:{LOOP_PORT}"

    def pids(self):
        return [self.child.pid]

    def command(self):
        return self.child.command

    def stop(self):
        if self.child:
            self.child.stop()
            self.child.process.stdout.close()
        self.child = None


class Events:
    """events.sock, a request at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rwb")
        self.count = 0

    def ask(self, **request):
        self.count += 1
        request["id"] = f"compare-{time.time_ns()}-{self.count}"
        self.stream.write(json.dumps(request).encode() + b"\n")
        self.stream.flush()
        while True:
            line = self.stream.readline()
            if not line:
                raise Skipped("events.sock was closed")
            answer = json.loads(line)
            if answer.get("id") == request["id"]:
                break
        if not answer["ok"]:
            raise Skipped(f"{request['type']}: {answer['error']['message']}")
        return answer

    def close(self):
        self.stream.close()
        self.socket.close()


class Stentor:
    """Both programs, which compare.sh has started, over AF_XDP on the same link."""

    paths = ("veth",)
    fragile = patient = False
    suite = "gcm128"
    ssrc = 0x53544E01

    def __init__(self, lab, engine):
        self.lab, self.engine = lab, engine
        self.events = Events(lab.path("events.sock"))
        self.rooms = 0
        self.version = "of this tree"
        self.key = base64.b64encode(os.urandom(28)).decode()
        self.load_options = ("--key", self.key, "--suite", "gcm128", "--ssrc", str(self.ssrc))
        with open(lab.path("pids"), encoding="ascii") as file:
            self.processes = [int(word) for word in file.read().split()]

    def start(self, listeners):
        self.rooms += 1
        room = f"compare{self.rooms}"
        status = self.events.ask(type="status")["dataplane"]
        if self.engine not in ("auto", status["engine"]):
            raise Skipped(f"this CPU has no engine {self.engine}: {status['engine']}")
        common = {"actor": "speaker", "room": room}
        self.events.ask(type="room.open", title=room, capacity=listeners + 10, **common)
        self.events.ask(type="member.join", role="host", address=SPEAKER, port=6000,
                        suite="AEAD_AES_128_GCM", rx_key=self.key, payload_type=111,
                        ssrc=self.ssrc, **common)
        for at in range(0, listeners, BATCH):
            members = [{"member": f"l{i}", "port": 5004, "suite": "AEAD_AES_128_GCM",
                        "address": f"10.{i + 1 >> 16}.{i + 1 >> 8 & 255}.{i + 1 & 255}"}
                       for i in range(at, min(at + BATCH, listeners))]
            self.events.ask(type="member.join", role="listener", members=members, **common)
        return f"{RELAY}:40000"

    def pids(self):
        return self.processes

    def command(self):
        return ["stentor-dataplane", "--config", "stentor.conf", "engine", self.engine]

    def stop(self):
        self.events.ask(type="room.close", actor="speaker", room=f"compare{self.rooms}")


class Testpmd:
    """dpdk-testpmd txonly: frames of the same size, made once, to one address. The ceiling."""

    paths = ("veth", "best")
    suite = "none"
    load_options = ()
    frame = 14 + 20 + 8 + 12 + 100 + 16

    def __init__(self, lab):
        self.lab = lab
        self.program = need("dpdk-testpmd")
        self.version = f"dpdk {version_of('dpdk')}"
        self.child = None

    def start_port(self, path):
        with open("/proc/sys/vm/nr_hugepages", encoding="ascii") as file:
            memory = ["--in-memory"] if int(file.read()) else ["--no-huge", "-m", "512"]
        port = "net_null0"
        if path == "veth":
            port = "net_af_xdp0,iface=to-listeners,start_queue=0,queue_count=1"
        with open("/proc/net/arp", encoding="ascii") as file:
            peer = re.search(r"^172\.16\.2\.2\s.*?(([0-9a-f]{2}:){5}[0-9a-f]{2})", file.read(), re.M)
        command = [self.program, "-l", "0,1", "--main-lcore", "0", *memory, "--no-telemetry",
                   "--no-pci", "--file-prefix", self.lab.prefix, "--vdev", port, "--",
                   "--forward-mode=txonly", f"--txpkts={self.frame}", "--burst=64",
                   "--tx-ip=172.16.2.1,10.0.0.1", "--tx-udp=5004,5004", "--nb-cores=1",
                   "--total-num-mbufs=16384", "--auto-start", "--stats-period=1",
                   f"--eth-peer=0,{peer.group(1) if peer else '02:00:00:00:00:02'}"]
        # Both of its threads choose their CPU by -l.
        self.child = self.lab.relay("testpmd", command)
        subprocess.run(["taskset", "-ap", "3", str(self.child.pid)], check=False,
                       capture_output=True)

    def pids(self):
        return [self.child.pid]

    def command(self):
        return self.child.command

    def rates(self):
        """Tx-pps of each second so far."""
        with open(self.child.log, encoding="utf-8", errors="replace") as file:
            return [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", file.read())]

    def stop(self):
        if self.child:
            self.child.stop()
