# SPDX-License-Identifier: BSD-3-Clause
"""perf/compare: the ramp against relays of paper, the table's arithmetic, the baseline's verdicts."""
import os
import json
import sys
import tempfile
import types
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../perf/compare"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../perf/plots"))
sys.dont_write_bytecode = True
import baseline  # noqa: E402
import best  # noqa: E402
import contest  # noqa: E402
import data  # noqa: E402
import janus  # noqa: E402
import lab  # noqa: E402
import machine  # noqa: E402
import ramp  # noqa: E402
import rtpengine  # noqa: E402
import table  # noqa: E402

LISTENERS = 1000


def paper(capacity, hiccups=()):
    """A relay that carries so many packets a second; it fails the n-th steps of hiccups anyhow."""
    steps = []

    def measure(rate):
        steps.append(rate)
        fits = rate <= capacity and len(steps) not in hiccups
        share = 1.0 if fits else 0.9
        return {"rate": rate, "sent": 100, "received": int(100 * LISTENERS * share), "lag_s": 0.0,
                "late": 0, "failed": 0}

    return measure


def good(step):
    return ramp.whole(step, LISTENERS)


class Ramp(unittest.TestCase):
    def climb(self, capacity, hiccups=(), bisections=6, start=10, limit=100000):
        steps = ramp.ramp(paper(capacity, hiccups), good, start, limit, bisections)
        return ramp.best(steps, good), steps

    def test_it_comes_close_from_below(self):
        for capacity in (11, 100, 333, 4096, 9999):
            found, _ = self.climb(capacity)
            self.assertLessEqual(found["rate"], capacity)
            # Between a power of two and the next, halved six times.
            self.assertGreaterEqual(found["rate"], capacity * (1 - 2 / 64))

    def test_a_single_hiccup_is_not_held_against_anybody(self):
        undisturbed, _ = self.climb(1000)
        disturbed, steps = self.climb(1000, hiccups=(3,))
        self.assertEqual(undisturbed["rate"], disturbed["rate"])
        self.assertEqual(steps[2]["rate"], steps[3]["rate"])

    def test_a_late_sender_gets_one_more_try(self):
        steps = []

        def measure(rate):
            steps.append(rate)
            late = len(steps) <= 2
            return {"rate": rate, "sent": 100, "received": 90 * LISTENERS if late else 100 * LISTENERS,
                    "lag_s": 0.0, "late": 50 if late else 0, "failed": 0}

        ramp.ramp(measure, good, 10, 10, 0)
        self.assertEqual(steps, [10, 10, 10])

    def test_it_ends_when_told(self):
        steps = ramp.ramp(paper(1e9), good, 10, 1e9, 4, enough=iter([False] * 5 + [True]).__next__)
        self.assertEqual(len(steps), 5)

    def test_it_ends_at_the_limit(self):
        found, steps = self.climb(1e9, limit=1000)
        self.assertEqual(found["rate"], 1000)
        self.assertEqual(len(steps), 8)  # 10, 20, ... 640, 1000

    def test_below_the_start_it_looks_as_well(self):
        found, _ = self.climb(4, start=10)
        self.assertLessEqual(found["rate"], 4)
        self.assertGreater(found["rate"], 3.5)

    def test_who_carries_nothing_has_no_best(self):
        found, steps = self.climb(0)
        self.assertIsNone(found)
        self.assertEqual(len(steps), 2 + 2 * 6)

    def test_late_is_as_bad_as_missing(self):
        step = {"rate": 50.0, "sent": 100, "received": 100 * LISTENERS, "lag_s": 0.069, "late": 0,
                "failed": 0}
        self.assertTrue(ramp.whole(step, LISTENERS))
        step["lag_s"] = 0.071  # 20 ms of one packet and 50 ms of grace
        self.assertFalse(ramp.whole(step, LISTENERS))

    def test_half_a_percent(self):
        step = {"rate": 50.0, "sent": 200, "received": 199 * LISTENERS, "lag_s": 0.0, "late": 4,
                "failed": 0}
        self.assertAlmostEqual(ramp.missing(step, LISTENERS), 0.005)
        self.assertFalse(ramp.whole(step, LISTENERS))
        self.assertTrue(ramp.whole(step, LISTENERS, 0.0051))
        self.assertTrue(ramp.kept_pace(step))
        self.assertFalse(ramp.kept_pace({**step, "late": 5}))


def row(contender, path, listeners, per_s, per_cpu, kind="lossless", **more):
    return {"contender": contender, "path": path, "listeners": listeners, "version": "1",
            kind: {"copies_per_s": per_s, "copies_per_cpu_s": per_cpu}, **more}


ROWS = [
    row("stentor-vaes", "best-null", 100, 40e6, 40e6, "saturated"),
    row("stentor-vaes", "best-null", 100, 44e6, 44e6, "saturated"),
    row("stentor-vaes", "best-null", 100, 42e6, 42e6, "saturated"),
    row("stentor-vaes", "best-memif", 100, 20e6, 20e6, "saturated"),
    row("stentor-vaes", "veth", 100, 1.5e6, 1.6e6),
    row("loop-evp", "best", 100, 1.0e6, 1.05e6, "saturated"),
    row("loop-evp", "veth", 100, 0.6e6, 0.75e6, half_percent={"copies_per_s": 0.7e6}),
    {"contender": "janus", "listeners": 100, "path": "veth", "skipped": "janus is not installed"},
    row("testpmd", "veth", 1, 1.8e6, 1.9e6, "saturated"),
]


def facts():
    return {"command": ["x"], "commit": "c", "date": "d", "parameters": {},
            "reasons": [], "validity": {"steal_percent": 0},
            "machine": {"cpu": "paper", "cores": 2, "kernel": "k", "load_average": 0.1}}


class Table(unittest.TestCase):
    def test_medians_of_repeats(self):
        results = table.results_of(ROWS)
        self.assertEqual(results["stentor-vaes.best-null.100.mpps"],
                         {"unit": "Mpps", "better": "higher", "median": 42.0, "minimum": 40.0,
                          "maximum": 44.0, "repeats": [40.0, 44.0, 42.0]})
        self.assertEqual(results["loop-evp.veth.100.mpps_per_cpu_s"]["median"], 0.75)

    def test_ratios_are_of_the_best_paths_and_of_the_same_veth(self):
        ratios = table.ratios_of(ROWS)
        self.assertAlmostEqual(ratios["ratio.best.100.loop-evp"]["median"], 40.0)  # 42 / 1.05
        self.assertAlmostEqual(ratios["ratio.veth.100.loop-evp"]["median"], 2.5)   # 1.5 / 0.6
        self.assertEqual(len(ratios), 2)  # nobody to compare the others with

    def test_who_was_skipped_is_named_and_has_no_figure(self):
        made = table.report(ROWS, facts())
        self.assertEqual(made["tables"]["skipped"]["rows"],
                         [["janus", 100, "veth", "janus is not installed"]])
        self.assertFalse([name for name in made["results"] if "janus" in name])
        self.assertIn("janus is not installed", table.markdown(made))
        self.assertTrue(made["validity"]["valid"])
        made = table.report(ROWS, {**facts(), "reasons": ["noise"]})
        self.assertEqual([made["validity"][name] for name in ("valid", "correct", "quiet")],
                         [False, True, False])

    def test_a_late_sender_makes_it_invalid(self):
        made = table.report(ROWS + [row("loop-evp", "veth", 1000, 1, 1, sender_late=2)], facts())
        self.assertFalse(made["validity"]["valid"])
        self.assertIn("Not valid: in 2 steps", table.markdown(made))

    def test_a_row_without_a_lossless_step_has_no_speed(self):
        made = table.report([{"contender": "rtpengine", "path": "veth", "listeners": 100}], facts())
        self.assertEqual(made["results"], {})
        self.assertEqual(made["tables"]["contenders"]["rows"][0][3], None)

    def test_a_run_that_was_cut_off_is_reported_as_far_as_it_came(self):
        seen = {"total": 1, "busy": 1, "steal": 0, "own": 1, "loop_s": 1, "load_average": 0}
        lines = [{"begun": {"commit": "c", "command": ["x"], "parameters": {}}},
                 {"look": seen, "after": ""}, *ROWS, {"interrupted": True}]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines) + '{"contender": "ja')
            file.flush()
            made = table.report(*table.read(file.name))
        self.assertEqual(made["results"]["loop-evp.best.100.mpps"]["median"], 1.0)
        self.assertEqual(made["validity"]["reasons"], ["it was interrupted"])

    def test_commands_name_no_folder_of_this_machine(self):
        folder = os.path.join(tempfile.gettempdir(), "lab.x1")
        words = ["taskset", "-c", "1", table.TOP + "/build/perf/stentor-loop", "/usr/bin/janus",
                 "--config", folder + "/janus.jcfg"]
        self.assertEqual(
            table.command_line(words),
            "taskset -c 1 build/perf/stentor-loop /usr/bin/janus --config janus.jcfg")

    def test_who_had_no_time_to_the_end_is_named_and_has_a_figure(self):
        made = table.report([row("janus", "veth", 100, 1e6, 1e6, cut="its time was up")], facts())
        self.assertEqual(made["results"]["janus.veth.100.mpps"]["median"], 1.0)
        self.assertIn("Janus, streaming to WebRTC legs, 100 listeners, veth: its time was up",
                      table.markdown(made))

    def test_markdown_has_a_line_a_contender(self):
        text = table.markdown(table.report(ROWS, facts()))
        self.assertIn("| loop of OpenSSL EVP and sendmmsg | 1.05 |", text)
        self.assertIn("| loop of OpenSSL EVP and sendmmsg | 40 x |", text)
        self.assertIn("| Stentor, engine vaes (null) | 42 |", text)
        self.assertIn("| veth | 100 |", text)
        self.assertIn("| dpdk-testpmd txonly, nothing encrypted | 1.8 |", text)


class Peers(unittest.TestCase):
    OFFER = ("v=0\r\nm=audio 1036 RTP/SAVP 111\r\na=crypto:1 AEAD_AES_256_GCM inline:aa\r\n"
             "a=crypto:2 AEAD_AES_128_GCM inline:bb\r\n")

    def test_listeners_are_where_the_sink_counts(self):
        # configs/lab: 10.0.0.1 is the first, and the sink goes by address.
        for peer in (janus.address_of, lambda i: rtpengine.subscriber_sdp(
                self.OFFER, i, "AEAD_AES_128_GCM", "k").split("IP4 ")[1].split("\r")[0]):
            self.assertEqual([peer(i) for i in (0, 254, 255, 65535)],
                             ["10.0.0.1", "10.0.0.255", "10.0.1.0", "10.1.0.0"])

    def test_the_answer_takes_the_wanted_suite_by_its_tag(self):
        sdp = rtpengine.subscriber_sdp(self.OFFER, 0, "AEAD_AES_128_GCM", "key")
        self.assertIn("a=crypto:2 AEAD_AES_128_GCM inline:key\r\n", sdp)
        self.assertEqual(rtpengine.port_of(self.OFFER), 1036)
        with self.assertRaises(lab.Skipped):
            rtpengine.crypto_of(self.OFFER, "AES_CM_128_HMAC_SHA1_80")

    def test_who_is_not_installed_is_skipped(self):
        with self.assertRaises(lab.Skipped):
            lab.need("no-such-program")


def look(total, busy, steal, own, loop_s=0.010):
    return {"total": total, "busy": busy, "steal": steal, "own": own, "loop_s": loop_s}


class Machine(unittest.TestCase):
    def test_who_is_below_the_root_is_ours_and_so_is_the_softirq_thread(self):
        found = {1: (0, 1000, False), 10: (1, 1, False), 20: (10, 2, False), 15: (20, 4, False),
                 30: (1, 8, False), 16: (2, 16, True)}
        self.assertEqual(machine.own_ticks(10, found), 1 + 2 + 4 + 16)

    def test_this_process_is_below_its_parent(self):
        self.assertIn(os.getpid(), machine.processes())
        self.assertEqual(machine.processes()[os.getpid()][0], os.getppid())

    def test_our_own_work_is_not_held_against_the_machine(self):
        # Two cores for ten seconds: 1,900 of 2,000 ticks busy, 1,850 of them ours, 5 stolen.
        looks = [("", look(0, 0, 0, 0)), ("janus", look(2000, 1900, 5, 1850))]
        found, reasons = machine.judge(looks, 2)
        self.assertEqual(reasons, [])
        self.assertAlmostEqual(found["other_cpu_percent"], 5.0)
        self.assertAlmostEqual(found["steal_percent"], 0.5)

    def test_whose_time_was_disturbed_is_told(self):
        looks = [("", look(0, 0, 0, 0)), ("loop-evp", look(2000, 1000, 0, 990)),
                 ("janus", look(4000, 2500, 20, 2190, 0.011))]
        found, reasons = machine.judge(looks, 2)
        self.assertAlmostEqual(found["clock_drift_percent"], 10.0)
        self.assertEqual(reasons, [
            "the hypervisor took 2.0 % of a core during janus (at most 1)",
            "others used 30.0 % of a core during janus (at most 10)",
            "a fixed loop changed its time by 10.0 % (at most 5), slowest after janus"])


class Best(unittest.TestCase):
    def test_copies_that_do_not_verify_have_no_speed(self):
        report = {"results": {"mpps": {"repeats": [39, 40, 41]}},
                  "validity": {"correct": True, "reasons": ["5 % stolen"]}}
        self.assertEqual(best.rates_of(report), ([39, 40, 41], None))
        report["validity"] = {"correct": False, "reasons": ["3 copies did not verify"]}
        self.assertEqual(best.rates_of(report), ([], "3 copies did not verify"))
        nothing = {"results": {"mpps": {"repeats": [0, 40]}},
                   "validity": {"correct": True, "reasons": []}}
        self.assertEqual(best.rates_of(nothing), ([], "no copy came out"))


class Relay:
    """A contender of paper: what a measurement of it takes of the clock."""

    version, suite = "1", "none"


class Scheduled(unittest.TestCase):
    PLAN = [(100, "veth"), (1000, "veth"), (10000, "veth")]

    def go(self, allotted, takes, repeats=3):
        """What is emitted: (listeners, repeat), None where it was skipped."""
        clock, rows, aims = [0.0], [], []
        options = types.SimpleNamespace(contender="paper", allotted=allotted, repeats=repeats)

        def measure(_contender, _lab, listeners, path, given):
            aims.append((listeners, given.begin, given.factor))
            clock[0] += takes[listeners]
            if takes[listeners] > allotted:
                raise lab.Skipped("too slow")
            return {"path": path, "lossless": {"rate_pps": 500000 / listeners}}

        with unittest.mock.patch.object(contest, "measure", measure), \
                unittest.mock.patch.object(contest, "say", lambda text: None), \
                unittest.mock.patch.object(contest.signal, "alarm", lambda seconds: None), \
                unittest.mock.patch.object(contest.time, "monotonic", lambda: clock[0]), \
                unittest.mock.patch.object(contest, "emit", lambda name, listeners, row, _=None:
                                           rows.append((listeners, row.get("repeat")))):
            contest.Schedule(Relay(), None, options).go(self.PLAN)
        return rows, aims

    def test_all_once_before_any_again(self):
        rows, aims = self.go(1000, {100: 10, 1000: 20, 10000: 30})
        self.assertEqual(rows, [(count, repeat) for repeat in (0, 1, 2)
                                for count in (100, 1000, 10000)])
        self.assertEqual(aims[0], (100, None, 2))
        self.assertEqual(aims[1], (1000, 250000, 2))      # half of what 100 came to
        self.assertEqual(aims[3], (100, 400000, 1.5))     # 0.8 of what it came to itself

    def test_no_repeat_that_does_not_fit(self):
        rows, _ = self.go(100, {100: 10, 1000: 20, 10000: 30})
        self.assertEqual(rows, [(100, 0), (1000, 0), (10000, 0), (100, 1), (1000, 1)])

    def test_who_hangs_leaves_a_reason_and_what_came_before_counts(self):
        rows, _ = self.go(100, {100: 10, 1000: 200, 10000: 30})
        self.assertEqual(rows, [(100, 0), (1000, None), (10000, None)])


class Plots(unittest.TestCase):
    def test_a_curve_a_contender_and_the_ceiling_as_wide_as_all(self):
        made = table.report(ROWS, facts())
        curves = data.PLOTS["veth"](made)
        self.assertEqual(curves["Stentor, engine vaes"], [(100, 1.5)])
        self.assertEqual(curves[table.TITLES["testpmd"]], [(100, 1.8), (100, 1.8)])
        self.assertEqual(sorted(data.PLOTS["throughput"](made)),
                         ["Stentor, engine vaes (memif)", "Stentor, engine vaes (null)",
                          "loop of OpenSSL EVP and sendmmsg"])

    def test_of_several_repeats_the_last_is_drawn(self):
        report = {"benchmark": "space", "parameters": {"listeners": 20000}, "tables": {"mute_us": {
            "columns": ["percent", "us"], "rows": [[50, 9], [100, 10], [50, 3], [100, 4]]}}}
        self.assertEqual(data.PLOTS["mute"](report), {"space, 20,000 listeners": [(3, 50), (4, 100)]})
        self.assertIsNone(data.PLOTS["latency"](report))

    def test_the_latest_report_that_has_it_is_taken(self):
        old = {"benchmark": "memory", "results": {"key": {"unit": "bytes", "median": 300},
                                                  "hot_bytes": {"unit": "bytes", "median": 1}}}
        self.assertEqual(data.latest([old, {"benchmark": "fanout"}], data.memory),
                         {"memory": [("key", 300)]})

    def test_blocks_of_gnuplot(self):
        self.assertEqual(data.text({"a b": [(1, 2.5)], "c": [("x", 3)]}),
                         '"a b"\n1 2.5\n\n\n"c"\n"x" 3\n')


def figure(median, low, high, better="lower"):
    return {"unit": "ns", "better": better, "median": median, "minimum": low, "maximum": high}


class Baseline(unittest.TestCase):
    def test_verdicts(self):
        for old, new, verdict in (
                (figure(25, 24, 26), figure(30, 29, 31), "worse"),
                (figure(25, 24, 26), figure(20, 19, 21), "better"),
                (figure(25, 24, 30), figure(30, 29, 31), "same"),   # the ranges overlap
                (figure(25, 24.9, 25.1), figure(26, 25.9, 26.1), "same"),  # 4 % is below 5
                (figure(40, 39, 41, "higher"), figure(30, 29, 31, "higher"), "worse"),
                (figure(40, 39, 41, "higher"), figure(50, 49, 51, "higher"), "better"),
                (figure(40, 39, 41, "neither"), figure(80, 79, 81, "neither"), "stated"),
                (figure(0, 0, 0), figure(3, 3, 3), "worse"),  # verify_failures
                (figure(0, 0, 0), figure(0, 0, 0), "same")):
            with self.subTest(old=old, new=new):
                self.assertEqual(baseline.judge(old, new, 5)[2], verdict)

    def test_only_the_same_is_compared(self):
        def made(suite, median):
            return {"benchmark": "fanout", "parameters": {"suite": suite, "seconds": median},
                    "results": {"ns_per_copy": figure(median, median, median)}}

        old = baseline.reports_of([made("gcm128", 25), made("cm80", 90)])
        new = baseline.reports_of(made("gcm128", 50))
        rows = baseline.compare(old, new, 5)
        self.assertEqual([[line[0], line[5], line[7]] for line in rows],
                         [["fanout gcm128", 2.0, "worse"]])
        self.assertEqual(baseline.compare(old, {}, 5), [])

    def test_what_a_noisy_machine_says_is_passed_on(self):
        noisy = {"benchmark": "fanout", "parameters": {"suite": "cm80"}, "results": {},
                 "validity": {"valid": False, "reasons": ["5 % stolen"]}}
        self.assertEqual(baseline.doubts("new", baseline.reports_of(noisy)),
                         ["new: fanout cm80 does not count: 5 % stolen"])


if __name__ == "__main__":
    unittest.main()
