#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every example in the protocol's text is what the real programs answer, and every type is in it.

usage: test_protocol.py CONTROLPLANE DATAPLANE STENTORCTL CATALOG README [--write]
--write puts the answers and events into the text, as they are now.
"""
import difflib
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
# pylint: disable=wrong-import-position
import protocol
from controlplane import Planes, wait_for

# What only media or a lost data plane brings about; smoke and browser tests have them.
NOT_HERE = {"member.connected", "member.disconnected", "room.speaking", "subscribe.cut"}
# stentorctl has commands of their own for these, with output for people.
COMMANDS = {"room.get", "status", "subscribe", "leg.list", "explain"}
OPTIONS = {
    "public_url": '"https://rooms.example"', "host_min_followers": "600", "report_hold_count": "2",
    "moderation_per_second": "1000", "reactions_per_second": "1", "reactions_burst": "1", "floor_invite_s": "1",
    "host_grace_s": "1", "ticket_fee_tiers": '[ "5000:300", "2000" ]'}


def outgoing_types(root):
    """Types of events, as the sources name them."""
    types = set()
    for folder in ("controlplane", "controlplane/rooms", "controlplane/events"):
        for name in os.listdir(os.path.join(root, folder)):
            if not name.endswith(".c"):
                continue
            with open(os.path.join(root, folder, name), encoding="utf-8") as file:
                text = file.read()
            for call in re.findall(r"outgoing_begin\w*\((.*?);", text, re.S):
                types.update(re.findall(r'"([a-z]+\.[a-z_]+)"', call))
    return types


def play(controlplane, dataplane, text, stentorctl=None):
    """The script that has run, and the text as it has to be."""
    with Planes(controlplane, dataplane, **OPTIONS) as planes:
        planes.start("dataplane")
        client = planes.start()
        wait_for("the data plane is connected",
                 lambda: client.good(type="status")["dataplane"]["link"] == "up")
        subscriber = planes.connect()
        subscriber.good(type="subscribe")
        verbs = protocol.Verbs(stentorctl, planes.events) if stentorctl else None
        script = protocol.Script(client, subscriber, verbs)
        return script, protocol.run(script, text)


def differences(text, made, name):
    return list(difflib.unified_diff(
        text.split("\n"), made.split("\n"), "as it is written", name, lineterm="", n=1))


def main():
    controlplane, dataplane, stentorctl, catalog, readme = sys.argv[1:6]
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    with open(catalog, encoding="utf-8") as file:
        types = {entry["type"] for entry in json.load(file)}
    script, made = play(controlplane, dataplane, text)
    if "--write" in sys.argv:
        with open(readme, "w", encoding="utf-8") as file:
            file.write(made)
        text = made
    wrong = differences(text, made, "as it is")
    by_verbs, made = play(controlplane, dataplane, text, stentorctl)
    wrong += differences(text, made, "as stentorctl does it")
    print("\n".join(wrong))
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    missing = {
        "requests without a good example": types - script.requests,
        "requests that no verb made": types - by_verbs.verbs.used - COMMANDS,
        "errors without an example": protocol.CODES - script.codes,
        "events without an example": outgoing_types(root) - script.shown - NOT_HERE,
    }
    for what, names in missing.items():
        if names:
            print(f"{what}: {' '.join(sorted(names))}")
    return 1 if wrong or any(missing.values()) else 0


sys.exit(main())
