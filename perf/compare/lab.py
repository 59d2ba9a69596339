# SPDX-License-Identifier: BSD-3-Clause
"""What contenders run in: the namespaces of configs/lab/lab.sh, which compare.sh has made.

contest.py runs in the relay's namespace, so a child started here is the relay's too.
"""
import contextlib
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import time

RELAY_CPU = 1 if (os.cpu_count() or 1) > 1 else 0
OTHER_CPU = 0
SPEAKER = "172.16.1.2"
RELAY = "172.16.1.1"
FIRST = "10.0.0.1:5004"
TICKS = os.sysconf("SC_CLK_TCK")


class Skipped(Exception):
    """This contender cannot run here, and why."""


def need(program):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        raise Skipped(f"{program} is not installed")
    return path


def version_of(package):
    """As dpkg knows it."""
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=False,
                           capture_output=True, text=True)
    return found.stdout or "not a package"


def cpu_seconds(pids):
    """utime and stime of all threads of these processes."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Child:
    """A program of the contest, on a CPU of its own, that ends with us."""

    def __init__(self, command, cpu, log, priority=(), **options):
        self.command = [*priority, "taskset", "-c", str(cpu), *command]
        self.log = log
        with open(log, "ab") as out:
            options.setdefault("stdout", out)
            options.setdefault("stdin", subprocess.DEVNULL)
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command], stderr=out, **options)

    @property
    def pid(self):
        return self.process.pid

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return " | ".join(file.read().strip().splitlines()[-3:])[:400]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def wait_for(self, ready, seconds, what):
        """Until ready() is true; Skipped when it ends before or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Skipped(f"{what}: {self.tail() or 'nothing said'}")
            select.select([], [], [], 0.02)


class Lab:
    def __init__(self, prefix, folder, build, lock=None):
        self.prefix, self.folder, self.build, self.lock = prefix, folder, build, lock
        # Who ends badly shall not write its memory to wherever we were started.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.priority = ()
        if (os.cpu_count() or 1) > 1 and subprocess.run(
                ["chrt", "--rr", "10", "true"], check=False, capture_output=True).returncode == 0:
            self.priority = ("chrt", "--rr", "10")

    @contextlib.contextmanager
    def turn(self):
        """While it is ours, nobody else on this machine measures, if they ask for the same lock."""
        if not self.lock:
            yield
            return
        with open(self.lock, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def path(self, name):
        return os.path.join(self.folder, name)

    def relay(self, name, command, **options):
        return Child(command, RELAY_CPU, self.path(name + ".log"), self.priority, **options)

    def load(self, listeners, target, pids, extra=()):
        return Load(self, listeners, target, pids, extra)

    # Kernel senders do not need their checksums made in software, as AF_XDP does.
    def checksum_offload(self, on):
        subprocess.run(["ethtool", "-K", "to-listeners", "tx", "on" if on else "off"], check=False,
                       capture_output=True)

    def swallow(self, on):
        """Copies end behind the kernel's whole UDP path, counted, without a link: the best case of
        who sends through the kernel, as a null port is for who does not."""
        if not on:
            subprocess.run(["nft", "delete", "table", "netdev", "compare"], check=False,
                           capture_output=True)
            return
        rules = ('table netdev compare {\n counter copies { }\n chain out {\n'
                 '  type filter hook egress device "to-listeners" priority 0\n'
                 '  ip daddr 10.0.0.0/8 udp dport 5004 counter name copies drop\n }\n}\n')
        made = subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=False,
                              capture_output=True)
        if made.returncode:
            raise Skipped("nftables has no egress hook here: " + made.stderr.strip()[:200])

    @staticmethod
    def swallowed():
        listed = subprocess.run(["nft", "-j", "list", "counters", "table", "netdev", "compare"],
                                check=True, capture_output=True, text=True)
        return next(entry["counter"]["packets"] for entry in json.loads(listed.stdout)["nftables"]
                    if "counter" in entry)


class Load:
    """stentor-load: speaker and listeners."""

    def __init__(self, lab, listeners, target, pids, extra):
        command = [f"{lab.build}/perf/stentor-load",
                   "--publisher-netns", f"/run/netns/{lab.prefix}-speaker",
                   "--listeners-netns", f"/run/netns/{lab.prefix}-listeners",
                   "--from", f"{SPEAKER}:6000", "--to", target, "--first", FIRST,
                   "--listeners", str(listeners), *extra]
        for pid in pids:
            command += ["--pid", str(pid)]
        self.lab = lab
        self.child = Child(command, OTHER_CPU, lab.path("load.log"), stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)

    def begin(self, rate, seconds):
        """Returns when the first packet is about to be sent."""
        self.child.process.stdin.write(f"{rate} {seconds}\n")
        self.child.process.stdin.flush()
        self.end()

    def end(self):
        line = self.child.process.stdout.readline()
        if not line:
            raise Skipped("stentor-load: " + self.child.tail())
        return json.loads(line)

    def step(self, rate, seconds):
        with self.lab.turn():
            self.begin(rate, seconds)
            return self.end()

    def stop(self):
        self.child.stop()
        self.child.process.stdin.close()
        self.child.process.stdout.close()
