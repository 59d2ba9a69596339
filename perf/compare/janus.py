# SPDX-License-Identifier: BSD-3-Clause
"""Janus, driven by its API on a Unix socket: an RTP mountpoint of the streaming plugin and N WebRTC
legs that watch it, each with the keys of its own DTLS handshake.

Its best case on one core: one event loop for all legs, ICE lite, no RTCP to answer, plain RTP in.
"""
import json
import os
import resource
import socket
import subprocess

from lab import OTHER_CPU, RELAY, Child, Skipped, need, version_of

LIBRARY = "/usr/lib/x86_64-linux-gnu/janus"
MOUNTPOINT = 1
PORT = 5002
WINDOW = 32
TIMEOUT_S = 20
LISTENERS_MAX = 5000

CONFIG = """general: {{
	configs_folder = "{folder}"
	plugins_folder = "{library}/plugins"
	transports_folder = "{library}/transports"
	events_folder = "{library}/events"
	loggers_folder = "{library}/loggers"
	log_to_stdout = true
	debug_level = 2
	session_timeout = 0
	event_loops = 1
}}
media: {{
	rtp_port_range = "10000-60000"
	no_media_timer = 0
}}
nat: {{
	ice_lite = true
	ice_enforce_list = "172.16.2.1"
}}
plugins: {{
	disable = "{plugins}"
}}
transports: {{
	disable = "{transports}"
}}
"""
TRANSPORT = """general: {{
	enabled = true
	json = "compact"
	path = "{path}"
	type = "SOCK_SEQPACKET"
}}
admin: {{
	admin_enabled = false
}}
"""


def others(folder, wanted):
    """All libraries of a folder but the wanted one, as janus.jcfg lists what to leave out."""
    return ",".join(sorted(name for name in os.listdir(folder)
                           if ".so" in name and wanted not in name))


def answer_of(sdp, address):
    """The leg's description as an answer to the offer: its candidate is known beforehand."""
    return (sdp + f"a=candidate:1 1 udp 2130706431 {address} 5004 typ host\r\n"
            "a=end-of-candidates\r\n")


def address_of(listener):
    number = listener + 1
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


class Janus:
    paths = ("veth", "best")
    load_options = ("--any-ssrc",)
    fragile = False
    # What is not sent in time stays in a queue without an end, so it is not flooded but ramped.
    patient = True
    suite = "gcm"

    def __init__(self, lab):
        self.lab = lab
        self.program = need("janus")
        self.version = f"janus {version_of('janus')}, libsrtp2-1 {version_of('libsrtp2-1')}"
        self.child = self.legs = self.socket = None
        self.count = 0
        self.events = []
        # A socket a leg, in Janus as well.
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    def configure(self):
        folder = self.lab.path("janus")
        os.makedirs(folder, exist_ok=True)
        files = {
            "janus.jcfg": CONFIG.format(
                folder=folder, library=LIBRARY,
                plugins=others(LIBRARY + "/plugins", "streaming"),
                transports=others(LIBRARY + "/transports", "pfunix")),
            "janus.transport.pfunix.jcfg": TRANSPORT.format(path=self.lab.path("janus.sock")),
            "janus.plugin.streaming.jcfg": "general: {\n}\n",
        }
        for name, text in files.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        return folder

    def launch(self):
        folder, path = self.configure(), self.lab.path("janus.sock")
        if os.path.exists(path):
            os.unlink(path)
        self.child = self.lab.relay("janus", [self.program, "--configs-folder", folder,
                                              "--config", folder + "/janus.jcfg"])
        self.child.wait_for(lambda: os.path.exists(path), 40, "janus does not start")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(path)

    def receive(self):
        try:
            message = self.socket.recv(1 << 18)
        except TimeoutError:
            raise Skipped("janus does not answer: " + self.child.tail()) from None
        if not message:
            raise Skipped("janus has closed its socket: " + self.child.tail())
        return json.loads(message)

    def ask(self, wanted=("success", "ack"), **request):
        """A request; what comes in between is kept for event_of()."""
        self.count += 1
        request["transaction"] = f"t{self.count}"
        self.socket.send(json.dumps(request).encode())
        while True:
            answer = self.receive()
            if answer.get("transaction") == request["transaction"] and \
                    answer["janus"] in (*wanted, "error"):
                break
            self.events.append(answer)
        if answer["janus"] == "error":
            raise Skipped(f"janus: {request['janus']}: {answer['error']['reason']}")
        return answer

    def event_of(self, handle, status):
        """The plugin's event of that handle, whenever it came."""
        while True:
            for event in self.events:
                data = event.get("plugindata", {}).get("data", {})
                if event.get("sender") == handle and "error" in data:
                    raise Skipped("janus: " + data["error"])
                if event.get("sender") == handle and \
                        data.get("result", {}).get("status") == status:
                    self.events.remove(event)
                    return event
            self.events = [event for event in self.events if event["janus"] == "event"]
            self.events.append(self.receive())

    def attach(self, session):
        answer = self.ask(janus="attach", session_id=session, plugin="janus.plugin.streaming")
        return answer["data"]["id"]

    def message(self, session, handle, body, wanted, **more):
        return self.ask(wanted, janus="message", session_id=session, handle_id=handle, body=body,
                        **more)

    def open_legs(self, listeners):
        subprocess.run(["ip", "netns", "exec", self.lab.prefix + "-listeners", "ip", "route",
                        "replace", "local", "10.0.0.0/8", "dev", "lo"], check=True)
        command = [f"{self.lab.build}/perf/stentor-legs", "--netns",
                   f"/run/netns/{self.lab.prefix}-listeners", "--first", "10.0.0.1:5004",
                   "--count", str(listeners)]
        self.legs = Child(command, OTHER_CPU, self.lab.path("legs.log"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
        return [self.hear()["sdp"] for _ in range(listeners)]

    def hear(self):
        line = self.legs.process.stdout.readline()
        if not line:
            raise Skipped("stentor-legs: " + self.legs.tail())
        return json.loads(line)

    def connect(self, session, listener, sdp):
        handle = self.attach(session)
        self.message(session, handle, {"request": "watch", "id": MOUNTPOINT}, ("ack",))
        offer = self.event_of(handle, "preparing")["jsep"]["sdp"]
        self.message(session, handle, {"request": "start"}, ("ack",),
                     jsep={"type": "answer", "sdp": answer_of(sdp, address_of(listener))})
        self.event_of(handle, "starting")
        self.legs.process.stdin.write(json.dumps({"client": listener, "sdp": offer}) + "\n")
        self.legs.process.stdin.flush()

    def settle(self):
        ended = self.hear()
        if ended["failure"]:
            raise Skipped(f"leg {ended['client']} of janus: {ended['failure']}")

    def start(self, listeners):
        if listeners > LISTENERS_MAX:
            raise Skipped(f"a WebRTC leg of Janus is set up too slowly for more than {LISTENERS_MAX}")
        self.launch()
        session = self.ask(janus="create")["data"]["id"]
        owner = self.attach(session)
        created = self.message(session, owner, {
            "request": "create", "type": "rtp", "id": MOUNTPOINT, "media": [{
                "type": "audio", "mid": "0", "port": PORT, "iface": RELAY, "pt": 111,
                "codec": "opus"}]}, ("success",))
        if "error" in created["plugindata"]["data"]:
            raise Skipped("janus: " + created["plugindata"]["data"]["error"])
        under_way = 0
        for listener, sdp in enumerate(self.open_legs(listeners)):
            self.connect(session, listener, sdp)
            under_way += 1
            if under_way == WINDOW:
                self.settle()
                under_way -= 1
        for _ in range(under_way):
            self.settle()
        return f"{RELAY}:{PORT}"

    def pids(self):
        return [self.child.pid]

    def command(self):
        return self.child.command

    def stop(self):
        for child in (self.legs, self.child):
            if child:
                child.stop()
        if self.legs:
            self.legs.process.stdin.close()
            self.legs.process.stdout.close()
        if self.socket:
            self.socket.close()
        self.legs = self.child = self.socket = None
        self.events = []
