# SPDX-License-Identifier: BSD-3-Clause
"""The index analyser finds what it is for, and nothing else: captures made by hand."""
import os
import struct
import subprocess
import sys
import tempfile

ANALYSER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support",
                        "index_analyser.py")


def ipv4(payload, to=b"\x0a\x00\x00\x01", port=5004, tag=b""):
    udp = struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     b"\xac\x10\x02\x01", to) + udp
    return b"\0" * 12 + tag + b"\x08\x00" + ip


def ipv6(payload):
    udp = struct.pack("!HHHH", 4000, 5004, 8 + len(payload), 1) + payload
    return b"\0" * 12 + b"\x86\xdd" + struct.pack(
        "!IHBB16s16s", 6 << 28, len(udp), 17, 64, b"\xfd" * 16, b"\xfe" * 16) + udp


def rtp(sequence, body=None, ssrc=7, kind=111):
    body = struct.pack("!I", sequence) * 8 if body is None else body
    return struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF,
                       ssrc) + body


def pcap(frames, magic=0xA1B2C3D4, order="<"):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for number, frame in enumerate(frames):
        out += struct.pack(order + "IIII", 100 + number // 50, number % 50 * 20000,
                           len(frame), len(frame)) + frame
    return out


def run(*captures):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, data in enumerate(captures):
            paths.append(os.path.join(folder, f"{number}.pcap"))
            with open(paths[-1], "wb") as file:
                file.write(data)
        done = subprocess.run([sys.executable, ANALYSER, *paths], capture_output=True, text=True,
                              check=False)
    return done.returncode, done.stdout + done.stderr


def series(*numbers, **more):
    return [ipv4(rtp(n, **more)) for n in numbers]


# What, captures, exit code, words of the output.
CASES = (
    ("a steady stream passes", [pcap(series(1, 2, 3))], 0, "packets=3 missing=0"),
    ("loss is not reuse", [pcap(series(1, 2, 1000))], 0, "missing=997"),
    ("the wrap is a step forward", [pcap(series(65534, 65535, 65536, 65537))], 0, "packets=4"),
    ("loss around the wrap is a step forward", [pcap(series(65530, 65540))], 0, "missing=9"),
    ("an index again with other bytes is reuse",
     [pcap(series(5, 6) + series(6, body=b"other"))], 1, "reused=1"),
    ("an index again with the same bytes is told apart",
     [pcap(series(5, 6, 6))], 1, "repeated=1 reused=0"),
    ("an older index, late, is reuse: nothing of ours may reorder",
     [pcap(series(5, 7, 6))], 1, "reused=1"),
    ("a restart that begins again", [pcap(series(500, 501)), pcap(series(10, 11, body=b"n"))], 1,
     "sequence 10 after 501"),
    ("a restart that continues ahead", [pcap(series(500, 501)), pcap(series(4598, 4599))], 0,
     "missing=4096"),
    ("each SSRC has an index of its own",
     [pcap(series(500) + series(10, ssrc=8) + series(501) + series(11, ssrc=8))], 0, "streams=2"),
    ("each destination has an index of its own",
     [pcap([ipv4(rtp(5)), ipv4(rtp(5), to=b"\x0a\0\0\2"), ipv4(rtp(5), port=6)])], 0, "streams=3"),
    ("RTCP is left alone", [pcap(series(1, 2) + series(1, kind=200))], 0, "packets=2"),
    ("STUN and DTLS are left alone",
     [pcap(series(1, 2) + [ipv4(b"\x00\x01" + b"x" * 30), ipv4(b"\x16" + b"x" * 30)])], 0,
     "packets=2"),
    ("IPv6 counts", [pcap([ipv6(rtp(1)), ipv6(rtp(1, body=b"o"))])], 1, "reused=1"),
    ("a VLAN tag is stepped over",
     [pcap([ipv4(rtp(1), tag=b"\x81\x00\x00\x05"), ipv4(rtp(1, body=b"o"))])], 1, "reused=1"),
    ("nanoseconds and the other byte order", [pcap(series(1, 2), 0xA1B23C4D, ">")], 0, "packets=2"),
    ("a capture cut by a kill ends quietly", [pcap(series(1, 2, 3))[:-5]], 0, "packets=2"),
    ("nothing captured proves nothing", [pcap([])], 2, "no RTP"),
    ("not a capture", [b"x" * 100], 2, "not a pcap file"),
)


def main():
    failed = 0
    for what, captures, code, words in CASES:
        got, output = run(*captures)
        good = got == code and words in output
        failed += not good
        print(f"{'ok' if good else 'not ok'} - {what}")
        if not good:
            print(f"  exit {got}, wanted {code}; wanted '{words}' in:\n{output}")
    print(f"{len(CASES) - failed} of {len(CASES)} passed")
    sys.exit(1 if failed else 0)


main()
