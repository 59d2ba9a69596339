# SPDX-License-Identifier: BSD-3-Clause
"""Which way dependencies point, read from the #include lines."""
import collections
import os
import re

import source

START = ("configs/option.h", "configs/log.h", "configs/notify.h")

# The longest matching prefix of the including file says what of the tree it may include.
INSIDE = {
    "bpf/": ("bpf/",) + START,
    "configs/": ("configs/",),
    "dataplane/api/": ("dataplane/api/",),
    "dataplane/crypto/": ("dataplane/crypto/",),
    "dataplane/core/": ("dataplane/core/", "dataplane/crypto/engine.h", "dataplane/crypto/digest.h",
                        "dataplane/api/"),
    "dataplane/io/": ("dataplane/io/", "dataplane/core/", "dataplane/crypto/", "dataplane/api/",
                      "dataplane/config.h", "bpf/") + START,
    "dataplane/ctl/": ("dataplane/ctl/", "dataplane/core/", "dataplane/api/",
                       "dataplane/io/command.h") + START,
    "dataplane/": ("dataplane/", "bpf/", "configs/"),
    # Of the api only sizes and numbers: it needs nothing but <stdint.h>.
    "controlplane/rooms/": ("controlplane/rooms/", "dataplane/api/"),
    "controlplane/store/": ("controlplane/store/", "controlplane/rooms/") + START,
    "controlplane/link/": ("controlplane/link/", "controlplane/rooms/", "dataplane/api/") + START,
    "controlplane/events/": ("controlplane/events/", "controlplane/rooms/", "controlplane/store/",
                             "controlplane/link/", "controlplane/loop.h") + START,
    "controlplane/http/": ("controlplane/http/", "controlplane/rooms/", "controlplane/loop.h") + START,
    "controlplane/cli/": ("controlplane/cli/",) + START,
    # Text to structs and back; rooms/ is where the writer is.
    "controlplane/webrtc/sdp": ("controlplane/webrtc/sdp", "controlplane/rooms/writer.h",
                                "dataplane/api/"),
    "controlplane/webrtc/": ("controlplane/webrtc/", "dataplane/api/") + START,
    "controlplane/": ("controlplane/", "dataplane/api/", "configs/"),
    "perf/": ("perf/", "dataplane/", "controlplane/", "bpf/", "configs/", "tests/support/"),
    "tests/": ("",),
}

TOOLS = ("perf/", "tests/")

# Outside libraries: who may include them.
OUTSIDE = (
    (r"rte_|ethdev|bus_", ("dataplane/io/", "dataplane/main.c") + TOOLS),
    (r"(bpf|xdp)/", ("bpf/", "tests/bpf/")),
    (r"linux/(bpf|if_link|if_xdp)\.h", ("bpf/",) + TOOLS),
    (r"libconfig\.h", ("configs/option.c",)),
    (r"jansson\.h", ("controlplane/events/", "controlplane/cli/") + TOOLS),
    (r"sqlite3\.h", ("controlplane/store/",) + TOOLS),
    (r"zlib\.h", ("dataplane/crypto/digest.c",)),
    (r"openssl/", ("dataplane/crypto/", "controlplane/webrtc/", "controlplane/http/tls.c",
                    "controlplane/rooms/secret.c") + TOOLS),
    (r"srtp2?/", ("dataplane/crypto/",) + TOOLS),
    (r"(intel-)?ipsec-mb\.h", ("dataplane/crypto/",) + TOOLS),
    (r"libmnl/|linux/(rt)?netlink\.h", ("dataplane/io/",) + TOOLS),
    (r"microhttpd\.h", ("controlplane/http/",)),
    (r"opus/", TOOLS),
    (r"check\.h", ("tests/",)),
)

# Pure code: no descriptors, no threads, no clocks, no printing to anywhere. <arpa/inet.h> is there
# for addresses as text.
PURE = ("dataplane/core/", "controlplane/rooms/", "controlplane/webrtc/sdp")
PURE_HEADERS = {
    "arpa/inet.h", "assert.h", "ctype.h", "endian.h", "errno.h", "inttypes.h", "limits.h",
    "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
    "strings.h",
}
API_HEADERS = {"stdint.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def longest(table, path):
    return max((key for key in table if path.startswith(key)), key=len, default=None)


def check_inside(report, path, number, name):
    allowed = INSIDE.get(longest(INSIDE, path), ())
    # A skeleton is made in the build directory and has no folder.
    if name.endswith(".skel.h") and path.startswith(("bpf/", "tests/bpf/")):
        return
    if not name.startswith(allowed):
        report.add(f"{path}:{name}", f"{path}:{number}: may not include \"{name}\"")


def check_outside(report, path, number, name):
    for pattern, allowed in OUTSIDE:
        if re.match(pattern, name) and not path.startswith(allowed):
            report.add(f"{path}:{name}", f"{path}:{number}: may not include <{name}>")
    if path.startswith(PURE) and name not in PURE_HEADERS:
        report.add(f"{path}:{name}", f"{path}:{number}: pure code may not include <{name}>")
    if path.startswith("dataplane/api/") and path.endswith(".h") and name not in API_HEADERS:
        report.add(f"{path}:{name}", f"{path}:{number}: the api needs only <stdint.h>")


def check_cycles(report, needs):
    """Two modules that include each other. One kind is none: the private half of a module, whose
    header builds on the public one, is used by the public half's .c only."""
    for one in sorted(needs):
        for other in sorted(needs[one]):
            there, back = needs[one][other], needs.get(other, {}).get(one)
            if one < other and back and (there == back):
                report.add(f"{one}:{other}", f"{one} and {other} include each other")


def main():
    report = source.Report("layers")
    needs = collections.defaultdict(dict)
    for path in source.files(".c", ".h"):
        if path.endswith(("vmlinux.h", ".skel.h")):
            continue
        module, kind_of_file = os.path.splitext(path)
        for number, line in enumerate(source.lines(path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, name = match.groups()
            if kind == "<":
                check_outside(report, path, number, name)
                continue
            check_inside(report, path, number, name)
            # A header weighs more than a .c: whoever includes it gets the other as well.
            other = os.path.splitext(name)[0]
            if needs[module].get(other) != ".h":
                needs[module][other] = kind_of_file
    check_cycles(report, needs)
    report.finish()


main()
