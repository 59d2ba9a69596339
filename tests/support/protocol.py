# SPDX-License-Identifier: BSD-3-Clause
"""The protocol's text as a script: every example in it is asked of the real program.

In a code block `> ` is a request, `< ` its answer, `* ` an event that a subscriber gets, the first of
its type; `~ until TYPE` waits for one. In requests "$name" is the value that `name` had in the last
answer that had one, $now+N is Unix time in ms. What differs from run to run is written as "…".
"""
import json
import re
import subprocess
import time

from controlplane import wait_for

WIDTH = 118
ANY = "\u2026"
# Named by a number or a secret that is another one each time.
VOLATILE = {
    "room_id", "member_id", "leg", "token", "url", "tx_key", "rx_key", "group_key", "seq", "room_seq",
    "pin", "share", "code", "report", "ticket", "offer", "reminder", "entry", "audit", "next", "ssrc",
    "at_ms", "opened_ms", "joined_ms", "starts_ms", "expires_ms", "until_ms", "due_ms", "issued_ms",
    "resolved_ms", "sale_from_ms", "sale_until_ms", "uptime_ms", "updated_ms", "ends_ms", "index",
    "packets", "idle_ms", "instance_id", "index_store_id", "workers", "version", "engine", "hello",
    "retry_after_ms", "rooms_max", "legs_max", "reporter_id", "holder"}


CODES = {"invalid", "not_allowed", "no_such_room", "no_such_member", "no_such_user",
         "no_such_thing", "already_exists", "conflict", "capacity", "rate_limited", "unavailable"}


def hide(value, key=None):
    if key == "code" and value in CODES:
        return value
    if key == "workers":
        return ANY + "#"
    if key in VOLATILE and value is not None and not isinstance(value, bool):
        # A ticket's or an offer's object is shown, its number is not.
        if not isinstance(value, dict) and not (
                isinstance(value, list) and value and isinstance(value[0], dict)):
            return ANY if isinstance(value, str) else ANY + "#"
    if isinstance(value, dict):
        return {name: hide(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [hide(item, key if key == "ssrc" else None) for item in value]
    # Sentences name things, too.
    return re.sub(r"\d{9,}", ANY, value) if isinstance(value, str) else value


def write(mark, value):
    """One JSON text, in lines of WIDTH: cut behind a comma between members."""
    text = json.dumps(hide(value), ensure_ascii=False, separators=(",", ":"))
    text = text.replace(f'"{ANY}#"', ANY)
    lines, line = [], mark + " "
    for part in re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*")*,?', text):
        if len(line) + len(part) > WIDTH and line.strip():
            lines.append(line)
            line = "   "
        line += part
    return lines + [line]


def find(value, key, kinds=(str, int)):
    """The first value of that key, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get(key), kinds) and not isinstance(value[key], bool):
            return value[key]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            found = find(item, key, kinds)
            if found is not None:
                return found
    return None


class Verbs:
    """The same requests by stentorctl: a verb, and an option for every field."""

    def __init__(self, program, socket):
        self.command = [program, "--socket", socket, "--json"]
        self.names = {}
        for name in self.run("complete", "").stdout.split():
            found = re.search(r"\(([a-z._]+)\)$", self.run(name, "--help").stdout)
            if found:
                self.names[found.group(1)] = name
        self.used = set()

    def run(self, *arguments):
        return subprocess.run([self.command[0], *arguments], check=False, capture_output=True,
                              text=True)

    @staticmethod
    def option(name, value):
        if isinstance(value, bool):
            value = "yes" if value else "no"
        elif isinstance(value, list):
            plain = all(isinstance(item, str) for item in value)
            value = ",".join(value) if plain else json.dumps(value)
        return f"--{name.replace('_', '-')}={value}"

    def ask(self, **request):
        """The answer, or None when stentorctl itself says what is wrong with it."""
        kind, identity = request.pop("type"), request.pop("id")
        actor = request.pop("actor", None)
        self.used.add(kind)
        command = self.command + (["--actor", actor] if actor else []) + [self.names[kind]]
        command += [self.option(name, value) for name, value in request.items()]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == 2 and done.stderr:
            return None
        answer = json.loads(done.stdout)
        assert done.returncode == (0 if answer["ok"] else 1), f"{command}: {done}"
        # It mints its own; the text's is only for reading.
        return {"id": identity, **{key: answer[key] for key in answer if key != "id"}}


class Script:
    def __init__(self, client, subscriber, verbs=None):
        self.verbs = verbs
        self.client = client
        self.subscriber = subscriber
        self.answers = []
        self.shown = set()      # event types that the text has shown
        self.requests = set()   # request types that it has asked with success
        self.codes = set()      # error codes that it has shown
        self.waiting = []       # events received and not yet shown
        self.since = set()      # types of those since the last request
        self.count = 0

    def fill(self, text):
        text = re.sub(r"\$now([+-]\d+)?",
                      lambda m: str(int(time.time() * 1000) + int(m.group(1) or 0)), text)

        def value(match):
            for answer in reversed(self.answers):
                found = find(answer, match.group(1))
                if found is not None:
                    return str(found)
            raise AssertionError(f"no answer so far has {match.group(0)}")
        return re.sub(r"\$([a-z_]+)", value, text)

    def drain(self):
        """All events up to now: a request of the subscriber itself comes behind them."""
        self.count += 1
        identity = self.subscriber.send(id=f"fence{self.count}", type="status")
        while True:
            line = self.subscriber.receive()
            if line.get("id") == identity:
                return
            self.waiting.append(line)

    def events(self):
        self.drain()
        lines = []
        self.since = {event.get("type") for event in self.waiting}
        for event in self.waiting:
            if "type" in event and event["type"] not in self.shown:
                self.shown.add(event["type"])
                lines += write("*", event)
        self.waiting = []
        return lines

    def ask(self, text):
        request = json.loads(self.fill(text))
        answer = None
        if self.verbs is not None and request["type"] in self.verbs.names:
            answer = self.verbs.ask(**request)
        if answer is None:
            answer = self.client.ask(**request)
            assert self.verbs is None or request["type"] not in self.verbs.names or (
                answer.get("error", {}).get("code") == "invalid"), f"no verb for {request}"
        self.answers.append(answer)
        if answer["ok"]:
            self.requests.add(request["type"])
        else:
            self.codes.add(answer["error"]["code"])
        return write("<", answer) + self.events()

    def until(self, kind):
        def seen():
            self.drain()
            return kind in self.since or any(
                event.get("type") == kind for event in self.waiting)
        wait_for(f"an event {kind}", seen)
        return self.events()

    def block(self, lines):
        """The block as it has to be."""
        out, request = [], None
        for line in lines + [""]:
            if request is not None and line.startswith("   "):
                request += line.strip()
                out.append(line)
                continue
            if request is not None:
                out += self.ask(request)
                request = None
            if line.startswith("> "):
                request = line[2:]
                out.append(line)
            elif line.startswith("~ until "):
                out.append(line)
                out += self.until(line.split()[2])
        return out


def run(script, text):
    """The whole text with its examples as the program answers them."""
    out, block = [], None
    for line in text.split("\n"):
        if line.startswith("```"):
            if block is not None:
                plain = not any(row.startswith("> ") or row.startswith("~ ") for row in block)
                out += block if plain else script.block(block)
            block = [] if block is None else None
            out.append(line)
        elif block is None:
            out.append(line)
        else:
            block.append(line)
    return "\n".join(out)
