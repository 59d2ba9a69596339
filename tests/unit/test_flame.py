# SPDX-License-Identifier: BSD-3-Clause
"""perf script in, folded stacks out; folded stacks in, a drawing out whose boxes are as wide as their
samples."""
import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../perf"))
import flame  # noqa: E402

SCRIPT = """\
rte-worker-1  4229
\t           44d9 _mm_storeu_si128 (inlined)
\t           443d run_128_7
\t           cbbb fan_for
\t           b15e lane_run
\tffffffffffff [unknown]

rte-worker-1  4229
\t           44d9 run_128_7
\t           cbbb fan_for
\t           b15e lane_run

rte-worker-1  4229
\t           1cb7 apply_commands
\t           b15e lane_run

rte-worker-1  4229
\t          79333 aes_gcm_enc_128

rte-worker-1  4229
\t           d475 operator new[](unsigned long)
\t           d475 reference_run

stentor-bench  4226
\t           44d9 fan_for
"""
SVG = "{http://www.w3.org/2000/svg}"


class Fold(unittest.TestCase):
    def test_only_the_loop_of_the_worker(self):
        self.assertEqual(
            flame.fold(SCRIPT.splitlines(keepends=True), "rte-worker"),
            {"fan_for;run_128_7;_mm_storeu_si128": 1, "fan_for;run_128_7": 1, "aes_gcm_enc_128": 1})


class Draw(unittest.TestCase):
    def boxes(self, counts, title="a <title> & more"):
        svg = ElementTree.fromstring("\n".join(flame.draw(counts, title)))
        self.assertEqual(svg.find(f"{SVG}text").text, title)
        return {group.find(f"{SVG}title").text.split(":")[0]: group.find(f"{SVG}rect")
                for group in svg.iter(f"{SVG}g")}

    def test_width_is_the_share(self):
        boxes = self.boxes(flame.parse(["a;b<x> 3\n", "a;c 1\n", "d e 4\n"]))
        widths = {name: float(box.get("width")) for name, box in boxes.items()}
        whole = flame.WIDTH - 2 * flame.MARGIN
        self.assertEqual(widths, {"all": whole, "a": whole / 2, "b<x>": whole * 3 / 8,
                                  "c": whole / 8, "d e": whole / 2})
        self.assertEqual(float(boxes["c"].get("x")), float(boxes["a"].get("x")) + whole * 3 / 8)
        self.assertLess(int(boxes["b<x>"].get("y")), int(boxes["a"].get("y")))

    def test_nothing_is_no_drawing(self):
        with self.assertRaises(SystemExit):
            list(flame.draw({}, "nothing"))


if __name__ == "__main__":
    unittest.main()
