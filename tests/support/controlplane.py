# SPDX-License-Identifier: BSD-3-Clause
"""Runs the real stentor-controlplane (and, on null ports, stentor-dataplane) in a folder of its own.

For Python tests: every wait has a deadline and a reason, everything started is ended by its id.
"""
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DEADLINE_SECONDS = 20
POLL_SECONDS = 0.005  # between two looks at something nobody announces


def wait_for(what, condition, seconds=DEADLINE_SECONDS):
    """Polls until condition() is true; its last value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        select.select((), (), (), POLL_SECONDS)
    raise AssertionError(f"never: {what}")


class Client:
    """A connection to events.sock."""

    count = 0

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE_SECONDS)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, **request):
        Client.count += 1
        request.setdefault("id", f"c{os.getpid()}.{Client.count}")
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return request["id"]

    def receive(self):
        line = self.stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the server closed the connection")
        return json.loads(line)

    def ask(self, **request):
        """The answer; what a subscription sends meanwhile is skipped."""
        identity = self.send(**request)
        while True:
            answer = self.receive()
            if answer.get("id") == identity:
                return answer

    def good(self, **request):
        answer = self.ask(**request)
        assert answer["ok"], f"{request}: {answer}"
        return answer

    def refused(self, code, **request):
        answer = self.ask(**request)
        assert not answer["ok"] and answer["error"]["code"] == code, f"{request}: {answer}"
        return answer["error"]["message"]


class Planes:
    def __init__(self, controlplane, dataplane=None, **options):
        self.programs = {"controlplane": controlplane, "dataplane": dataplane}
        self.folder = tempfile.mkdtemp(prefix="stentor-test-")
        self.events = f"{self.folder}/events.sock"
        self.running = {}
        self.clients = []
        # Ports are the machine's: who wants HTTP says http="true" and where.
        options.setdefault("http", "false")
        # Anybody hosts, and as fast as they like; tests of these rules set them.
        options.setdefault("host_min_followers", "0")
        options.setdefault("moderation_per_second", "0")
        lines = "".join(f"{key} = {value};\n" for key, value in options.items())
        with open(f"{self.folder}/stentor.conf", "w", encoding="utf-8") as file:
            file.write(
                f'controlplane = {{ events_socket = "{self.events}";\n'
                f'table_socket = "{self.folder}/table.sock";\n'
                f'database = "{self.folder}/db";\n{lines}}};\n'
                'dataplane = { ports = ( { driver = "null"; addresses = [ "10.0.0.254/8" ];\n'
                'gateway_mac = "02:00:00:00:00:01"; } );\n'
                f'table_socket = "{self.folder}/table.sock";\n'
                f'index_store = "{self.folder}/index"; huge_pages = "never";\n'
                'legs_max = 16384; };\n')

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for client in self.clients:
            client.close()
        for name in list(self.running):
            self.kill(name)
        if kind is not None:
            for name in self.programs:
                self.show(name)
        shutil.rmtree(self.folder)

    def show(self, name):
        path = f"{self.folder}/{name}.log"
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                print(f"--- {name}\n{''.join(file.readlines()[-30:])}")

    def launch(self, name, *arguments):
        """Its output goes to a log; the caller ends it."""
        with open(f"{self.folder}/{name}.log", "ab") as log:
            return subprocess.Popen(
                [self.programs[name], "--config", f"{self.folder}/stentor.conf", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self, name="controlplane"):
        process = self.running[name] = self.launch(name)
        if name == "controlplane":
            return wait_for("the control plane listens", lambda: self.try_connect(process))
        wait_for("the data plane listens", lambda: self.try_table(process))
        return None

    def http_port(self):
        """Of the control plane that was started last."""
        path = f"{self.folder}/controlplane.log"

        def said():
            with open(path, encoding="utf-8", errors="replace") as log:
                return re.findall(r"http_listening .*port=(\d+)", log.read())
        return int(wait_for("the control plane listens for HTTP", said)[-1])

    def try_connect(self, process):
        assert process.poll() is None, f"the control plane ended with {process.returncode}"
        try:
            return self.connect()
        except OSError:
            return None

    def try_table(self, process):
        assert process.poll() is None, f"the data plane ended with {process.returncode}"
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            probe.connect(f"{self.folder}/table.sock")
            return True
        except OSError:
            return False
        finally:
            probe.close()

    def connect(self):
        client = Client(self.events)
        self.clients.append(client)
        return client

    def kill(self, name="controlplane", number=signal.SIGKILL):
        process = self.running.pop(name)
        process.send_signal(number)
        return process.wait(DEADLINE_SECONDS)

    def restart(self, name="controlplane"):
        self.kill(name)
        return self.start(name)

    def limit_files(self, size):
        """A full disk, as the control plane sees it; -1: room again."""
        subprocess.run(["prlimit", "--pid", str(self.running["controlplane"].pid),
                        f"--fsize={'unlimited' if size < 0 else f'{size}:unlimited'}"], check=True)
