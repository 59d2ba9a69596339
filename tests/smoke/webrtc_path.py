# SPDX-License-Identifier: BSD-3-Clause
"""
Browsers' legs on the real data plane, programmed by hand over table.sock: checks, challenges, DTLS
both ways, rebinding, removal, and a restart of the data plane. Run by webrtc_path_test.sh.

    webrtc_path.py live TABLE_SOCKET STATE RELAY PORT    the life of some legs
    webrtc_path.py again TABLE_SOCKET STATE RELAY PORT   the data plane was started again
"""
import os
import pickle
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import stun  # noqa: E402
import table as t  # noqa: E402

ROOM = 7
LEGS = range(1001, 1009)  # both workers have some of them
HELLO = b"\x16\xfe\xfd" + bytes(40)  # looks like DTLS 1.2
FLIGHT = b"\x16\xfe\xfd" + b"server" * 100
QUIET_S = 1.0


def fail(text):
    print(f"FAIL: {text}", file=sys.stderr)
    sys.exit(1)


def equal(what, got, wanted):
    if got != wanted:
        fail(f"{what} is {got!r}, not {wanted!r}")


def step(text):
    print(f"{time.monotonic():.2f} {text}", flush=True)


def say_hello(table, leg, peer):
    """DTLS up, as often as it takes (it is UDP), and an answer to where it came from."""
    deadline = time.monotonic() + 5
    while True:
        peer.send(HELLO)
        try:
            datagram = table.wait("DATAGRAM", 0.3, lambda m: m.leg_id == leg)
            break
        except TimeoutError:
            if time.monotonic() > deadline:
                fail(f"DTLS of leg {leg} does not reach the control plane")
    equal("what DTLS says", datagram.body[:datagram.size], HELLO)
    equal("where DTLS is from", datagram.address, peer.name)
    table.datagram(leg, FLIGHT, datagram.address)
    peer.until(lambda: FLIGHT in peer.other, 5, f"no DTLS to leg {leg}")
    peer.other.clear()


def begin(table, relay):
    peers = {}
    step("nothing is looked at before a check")
    table.subscribe()
    operations = [t.room_put(ROOM)]
    for leg in LEGS:
        role = "SPEAKER" if leg % 4 == 0 else "LISTENER"
        peers[leg] = stun.Peer(relay, stun.Credentials(leg))
        operations += [t.webrtc_put(leg, ROOM, role), t.ice_put(leg, peers[leg].credentials)]
    table.transact(*operations)
    unvalidated = table.drops("dtls_unvalidated")
    for peer in peers.values():
        peer.send(HELLO)
    deadline = time.monotonic() + 5
    while table.drops("dtls_unvalidated") < unvalidated + len(peers):
        if time.monotonic() > deadline:
            fail(f"{table.drops('dtls_unvalidated')} of {len(peers)} were refused")
    for leg, peer in peers.items():
        if not peer.silent(0):
            fail(f"leg {leg} was answered before its check")

    step("checks, challenges, DTLS")
    for leg, peer in peers.items():
        equal("the mapped address", peer.prove(), peer.name)
        equal("the notice's address", table.wait_notice("leg_moved", leg).address, peer.name)
        say_hello(table, leg, peer)
    if any(message.type == "DATAGRAM" and message.leg_id not in peers for message in table.inbox):
        fail("DTLS of a leg that is none")
    return peers


def rebind(table, relay, peers):
    step("another port, as behind a NAT that forgot")
    for leg, old in peers.items():
        new = stun.Peer(relay, old.credentials)
        new.prove()
        moved = table.wait("NOTICE", 5, lambda m, leg=leg: m.notice == "leg_moved" and
                           m.leg_id == leg)
        equal("the address after rebinding", moved.address, new.name)
        table.datagram(leg, FLIGHT)  # wherever the leg is
        new.until(lambda new=new: FLIGHT in new.other, 5, f"no DTLS to leg {leg} where it is now")
        new.other.clear()
        say_hello(table, leg, new)
        if FLIGHT in old.waiting():
            fail(f"leg {leg} is still sent DTLS where it was")
        old.close()
        peers[leg] = new


def compare_dump(table, peers):
    step("the dump says where they are")
    dump = table.dump(ROOM)
    equal("operations in the dump", [kind for kind, _ in dump],
          ["room_put"] + ["leg_put", "leg_ice"] * len(peers))
    for kind, fields in dump[1:]:
        leg = fields["leg_id"]
        if kind == "leg_put":
            equal(f"the path of leg {leg}", t.address_text(fields["remote"]), peers[leg].name)
        else:
            size = fields["remote_ufrag_size"].to_bytes(2, "little")
            equal("the ufrag", fields["remote_ufrag"][:size[0]], peers[leg].credentials.remote_ufrag)


def remove(table, leg, peer):
    step("removed: silence")
    table.transact(t.leg_remove(leg))
    while peer.take(0):  # what was under way
        pass
    strangers = table.drops("stun_ufrag")
    deadline = time.monotonic() + QUIET_S
    while time.monotonic() < deadline:
        peer.send(stun.check(peer.credentials))
        peer.send(HELLO)
        if not peer.silent(0.05):
            fail(f"leg {leg} was removed and is still answered")
    if table.drops("stun_ufrag") == strangers:
        fail("the checks of a removed leg were not even seen")
    table.datagram(leg, FLIGHT)
    if not peer.silent(0.2):
        fail("DTLS to a removed leg")


def live(path, state, relay):
    with t.Table(path, epoch=1) as table:
        if not table.hello.media_count:
            fail("the hello does not say where media is received")
        peers = begin(table, relay)
        rebind(table, relay, peers)
        compare_dump(table, peers)
        remove(table, LEGS[0], peers.pop(LEGS[0]))
        answered = table.counter("answered")
        equal("as many workers", len(table.stats()), int(os.environ.get("SMOKE_WORKERS", "1")))
        if answered < 3 * len(LEGS):
            fail(f"only {answered} STUN messages were counted as answered")
        with open(state, "wb") as file:
            pickle.dump({leg: (peer.credentials, peer.name) for leg, peer in peers.items()}, file)


def again(path, state, relay):
    """Put back with the paths that were validated: used at once, no browser has to do anything."""
    with open(state, "rb") as file:
        known = pickle.load(file)
    with t.Table(path, epoch=2) as table:
        operations, peers = [t.room_put(ROOM)], {}
        for leg, (credentials, name) in known.items():
            peers[leg] = stun.Peer(relay, credentials, name)
            role = "SPEAKER" if leg % 4 == 0 else "LISTENER"
            operations += [t.webrtc_put(leg, ROOM, role, remote=name), t.ice_put(leg, credentials)]
        table.transact(*operations, resync=True)
        step("DTLS goes to where they were")
        for leg, peer in peers.items():
            deadline = time.monotonic() + 5
            while FLIGHT not in peer.other:  # next hops have to be found first
                table.datagram(leg, FLIGHT)
                peer.take(0.05)
                if time.monotonic() > deadline:
                    fail(f"no DTLS to leg {leg} after the restart")
            peer.other.clear()
            peer.check()
            say_hello(table, leg, peer)


def main():
    phase, path, state, relay, port = sys.argv[1:]
    {"live": live, "again": again}[phase](path, state, (relay, int(port)))


main()
