# SPDX-License-Identifier: BSD-3-Clause
"""What a harness relies on: cheap runs of the benchmarks keep to perf/report.schema.json, to what
--list --json promises and to the exit codes.

usage: benchmarks_report_test.py STENTOR_BENCH SCHEMA
"""
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import json_schema  # noqa: E402

BENCH, SCHEMA_FILE = sys.argv.pop(1), sys.argv.pop(1)
with open(SCHEMA_FILE, encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)


def run(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=120)


def measure(*arguments):
    """A report, valid or not, that nothing but the machine made invalid."""
    done = run(*arguments, "--json")
    assert done.returncode in (0, 3), (done.returncode, done.stderr)
    report = json.loads(done.stdout)
    assert report["validity"]["correct"], report["validity"]
    assert (done.returncode == 0) == report["validity"]["valid"], report["validity"]
    return report


class Benchmarks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.listed = {entry["name"]: entry for entry in json.loads(run("--list", "--json").stdout)}
        cls.fanout = measure("fanout", "--listeners", "1000", "--seconds", "1", "--repeats", "2")

    def check(self, report, *arguments):
        self.assertEqual(list(json_schema.errors(SCHEMA, report)), [])
        name = report["benchmark"]
        self.assertEqual(report["command"], [name, *arguments, "--json"])
        promised = {result["name"]: result for result in self.listed[name]["results"]}
        for key, result in report["results"].items():
            self.assertIn(key, promised)
            self.assertEqual(result["unit"], promised[key]["unit"], key)
            self.assertEqual(result["better"], promised[key]["better"], key)
            self.assertAlmostEqual(result["median"], statistics.median(result["repeats"]),
                                   delta=1e-6 * abs(result["median"]), msg=key)
            self.assertEqual(result["minimum"], min(result["repeats"]), key)
            self.assertEqual(result["maximum"], max(result["repeats"]), key)
            self.assertEqual(report[key], result["median"], key)
        for table in report["tables"].values():
            for row in table["rows"]:
                self.assertEqual(len(row), len(table["columns"]))

    def test_fanout(self):
        self.check(self.fanout, "--listeners", "1000", "--seconds", "1", "--repeats", "2")
        results = self.fanout["results"]
        for name in ("mpps", "ns_per_copy", "reference_ns", "ratio"):
            self.assertEqual(len(results[name]["repeats"]), 2, name)
        self.assertEqual(self.fanout["verify_failures"], 0)
        self.assertGreater(self.fanout["verified"], 0)

    def test_fanout_over_memif(self):
        """Both processes on real-time priority: nothing is measured before they have connected."""
        command = [BENCH, "fanout", "--listeners", "1000", "--seconds", "1", "--repeats", "2",
                   "--sink", "memif", "--reference", "off", "--json"]
        if subprocess.run(["chrt", "--rr", "10", "true"], capture_output=True).returncode == 0:
            command = ["chrt", "--rr", "10", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        report = json.loads(done.stdout)
        self.assertTrue(report["validity"]["correct"], report["validity"])
        self.assertGreater(min(report["results"]["mpps"]["repeats"]), 0)
        self.assertEqual(report["sink_read"], report["copies"])

    def test_events(self):
        arguments = ("--members", "1000", "--seconds", "1")
        self.check(measure("events", *arguments), *arguments)

    def test_memory(self):
        arguments = ("--listeners", "1000", "--repeats", "1")
        self.check(measure("memory", *arguments), *arguments)

    def test_account(self):
        with tempfile.TemporaryDirectory() as folder:
            folded, sampled = f"{folder}/folded", f"{folder}/report.json"
            report = copy.deepcopy(self.fanout)
            report["validity"].update(valid=True, quiet=True, reasons=[])
            report["results"]["ns_per_copy"]["median"] = 20
            with open(sampled, "w", encoding="utf-8") as file:
                json.dump(report, file)
            with open(folded, "w", encoding="utf-8") as file:
                file.write("fan_for;fanout_write 3000\nfan_for;fanout_write;vaes_gcm_run 7000\n")
            arguments = ("--folded", folded, "--report", sampled)
            account = measure("account", *arguments)
        self.check(account, *arguments)
        rows = {row[0]: row[1:] for row in account["tables"]["stages"]["rows"]}
        self.assertEqual(rows["headers"], [6, 30])
        self.assertEqual(rows["protect"], [14, 70])
        self.assertEqual(sum(row[1] for row in rows.values()), 100)
        self.assertEqual(account["parameters"], report["parameters"])

    def test_list(self):
        self.assertEqual([line.split()[0] for line in run("--list").stdout.splitlines()],
                         list(self.listed))
        for name, entry in self.listed.items():
            self.assertTrue(entry["summary"] and entry["results"], name)
            self.assertIn("json", [option["name"] for option in entry["parameters"]], name)
            # account only reads what others have left.
            self.assertEqual("repeats" in [option["name"] for option in entry["parameters"]],
                             name != "account", name)
            help_text = run(name, "--help")
            self.assertEqual(help_text.returncode, 0)
            self.assertIn(f"stentor-bench {name}", help_text.stdout)
            units = SCHEMA["properties"]["results"]["additionalProperties"]["properties"]
            for result in entry["results"]:
                self.assertIn(result["unit"], units["unit"]["enum"], (name, result))
                self.assertIn(result["better"], units["better"]["enum"], (name, result))

    def test_exit_codes(self):
        for arguments in ((), ("nothing",), ("--list", "x"), ("fanout", "--listeners", "0"),
                          ("fanout", "--suite", "des"), ("fanout", "x"), ("account",),
                          *((name, "--no-such-option") for name in self.listed)):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
        done = run("fanout", "--engine", "none", "--json")
        self.assertEqual((done.returncode, done.stdout), (1, ""))

    def test_the_checker_finds_what_is_wrong(self):
        for path, value in ((("schema",), "stentor.benchmark/2"), (("date",), "yesterday"),
                            (("machine", "cores"), 0), (("machine", "cores"), True),
                            (("machine", "packages", "dpdk"), 22), (("parameters", "x"), None),
                            (("results", "mpps", "unit"), "Gpps"), (("results", "x"), {}),
                            (("results", "mpps", "repeats"), []), (("tables", "x"), {"columns": ["a"]}),
                            (("validity", "valid"), 1), (("validity", "more"), 1), (("more",), [])):
            report = copy.deepcopy(self.fanout)
            at = report
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
            self.assertTrue(list(json_schema.errors(SCHEMA, report)), path)


if __name__ == "__main__":
    unittest.main()
