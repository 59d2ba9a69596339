# SPDX-License-Identifier: BSD-3-Clause
"""The lints themselves: a clean tree passes each of them, a tree with one fault does not."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = "/* SPDX-License-Identifier: BSD-3-Clause */\n"
BODY = "\tx++;\n"

CLEAN = {
    "dataplane/core/rtp.c": SPDX + "#include <string.h>\n\nint rtp_id(int x)\n{\n" + BODY
                            + "\treturn x;\n}\n",
    "dataplane/api/table.h": SPDX + "#include <stdint.h>\n",
    "tests/smoke/a_test.sh": "#!/bin/bash\n# SPDX-License-Identifier: BSD-3-Clause\ntrue\n",
}

# What: script, file, its text, words that the finding must contain.
FAULTS = (
    ("a function of 81 lines", "sizes.py", "dataplane/io/a.c",
     SPDX + "int f(int x)\n{\n" + BODY * 81 + "}\n", "f: 81 lines"),
    ("21 branches", "sizes.py", "dataplane/io/a.c",
     SPDX + "int f(int x)\n{\n" + "\tif (x)\n" * 21 + "}\n", "f: 21 branches"),
    ("7 parameters", "sizes.py", "dataplane/io/a.c",
     SPDX + "int f(int a, int b, int c, int d, int e, int g, int (*h)(int, int))\n{\n}\n",
     "f: 7 parameters"),
    ("601 lines", "sizes.py", "dataplane/io/a.c", SPDX + "\n" * 600, "601 lines"),
    ("a header of 201 lines", "sizes.py", "dataplane/io/a.h", SPDX + "\n" * 200, "201 lines"),
    ("core includes DPDK", "layers.py", "dataplane/core/a.c",
     SPDX + "#include <rte_mbuf.h>\n", "may not include <rte_mbuf.h>"),
    ("core includes io", "layers.py", "dataplane/core/a.c",
     SPDX + '#include "dataplane/io/command.h"\n', "may not include"),
    ("core opens a socket", "layers.py", "dataplane/core/a.c",
     SPDX + "#include <sys/socket.h>\n", "pure code"),
    ("the data plane includes the control plane", "layers.py", "dataplane/ctl/a.c",
     SPDX + '#include "controlplane/rooms/a.h"\n', "may not include"),
    ("ctl includes a worker", "layers.py", "dataplane/ctl/a.c",
     SPDX + '#include "dataplane/io/worker.h"\n', "may not include"),
    ("a second user of libconfig", "layers.py", "controlplane/a.c",
     SPDX + "#include <libconfig.h>\n", "may not include <libconfig.h>"),
    ("SQLite outside the store", "layers.py", "controlplane/events/a.c",
     SPDX + "#include <sqlite3.h>\n", "may not include <sqlite3.h>"),
    ("no SPDX line", "text.py", "dataplane/io/a.c", "int x;\n", "no SPDX line"),
    ("work left over", "text.py", "dataplane/io/a.c", SPDX + "/* TO" "DO: more */\n", "banned"),
    ("a test that sleeps in C", "text.py", "tests/io/a.c",
     SPDX + "void f(void)\n{\n\tusl" "eep(5);\n}\n", "sleeps"),
    ("a test that sleeps in shell", "text.py", "tests/smoke/b.sh",
     "# SPDX-License-Identifier: BSD-3-Clause\nfoo; sl" "eep 1\n", "sleeps"),
    ("spaces where tabs belong", "format.sh", "dataplane/io/a.c",
     SPDX + "int f(void)\n{\n    return 1;\n}\n", "clang-format"),
    ("a header that leans on another", "headers.sh", "dataplane/io/a.h",
     SPDX + "struct a {\n\tuint32_t b;\n};\n", "does not compile alone"),
    ("an unclosed quote", "shell.sh", "configs/a.sh",
     "#!/bin/bash\n# SPDX-License-Identifier: BSD-3-Clause\necho 'a\n", "unexpected EOF"),
)


def run(script, top):
    command = ["python3" if script.endswith(".py") else "bash", os.path.join(HERE, script), top]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def write(top, tree):
    for path, text in tree.items():
        full = os.path.join(top, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
    style = os.path.join(HERE, "..", "..", ".clang-format")
    with open(style, encoding="utf-8") as source, \
            open(os.path.join(top, ".clang-format"), "w", encoding="utf-8") as copy:
        copy.write(source.read())


def check(what, script, tree, wanted):
    """wanted: None for a clean pass, else words of the finding."""
    with tempfile.TemporaryDirectory(prefix="lint.") as top:
        write(top, tree)
        code, output = run(script, top)
    if code == 77:
        return True
    good = code == 0 if wanted is None else code == 1 and wanted in output
    # clang-format and bash have exit codes of their own; any but 0 will do for them.
    if wanted is not None and not good:
        good = code != 0 and wanted in output
    print(f"{'ok' if good else 'not ok'} - {what}")
    if not good:
        print(output)
    return good


def main():
    scripts = sorted({fault[1] for fault in FAULTS})
    results = [check(f"a clean tree passes {s}", s, CLEAN, None) for s in scripts]
    for what, script, path, text, wanted in FAULTS:
        results.append(check(f"{script} finds {what}", script, {**CLEAN, path: text}, wanted))
    a_needs_b, b_needs_a = (SPDX + f'#include "dataplane/io/{name}.h"\n' for name in "ba")
    results.append(check("a cycle of two headers", "layers.py", {
        **CLEAN, "dataplane/io/a.h": a_needs_b, "dataplane/io/b.h": b_needs_a},
        "include each other"))
    results.append(check("a cycle of two .c files", "layers.py", {
        **CLEAN, "dataplane/io/a.c": a_needs_b, "dataplane/io/b.c": b_needs_a},
        "include each other"))
    results.append(check("a private header that builds on the public one passes", "layers.py", {
        **CLEAN, "dataplane/io/a.c": a_needs_b, "dataplane/io/b.h": b_needs_a}, None))
    results.append(check("an exception nobody needs", "sizes.py", {
        **CLEAN, "tests/lint/exceptions.txt": "sizes dataplane/io/gone.c was long\n"},
        "no longer needed"))
    print(f"{sum(results)} of {len(results)} passed")
    sys.exit(0 if all(results) else 1)


main()
