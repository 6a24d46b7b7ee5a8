"""What the benchmarks make of figures: charts, the page, and the fleet that is simulated."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree as xml
from unittest import mock

import benchmarks
import charts

SVG = "{http://www.w3.org/2000/svg}"


def script(name):
    path = str(pathlib.Path(__file__).with_name(name))
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def words(chart):
    return [text.text for text in xml.fromstring(chart.text).iter(f"{SVG}text")]


class Charts(unittest.TestCase):
    def test_bars_go_from_1_to_their_values_whatever_these_are(self):
        for value, name in ((0.001, "0.001"), (0.9, "0.9"), (1, "1"), (425.2, "425"), (31234, "31,234")):
            chart = charts.bars("a < b", "ratio", {"group": [charts.Bar("x & y", value, 2)]})
            self.assertLessEqual({"a < b", "group", "x & y", name}, set(words(chart)))
            bar = next(rect for rect in xml.fromstring(chart.text).iter(f"{SVG}rect") if "bar" in rect.get("class"))
            one = next(text for text in xml.fromstring(chart.text).iter(f"{SVG}text") if text.text == "1")
            start, end = float(bar.get("x")), float(bar.get("x")) + float(bar.get("width"))
            self.assertAlmostEqual(end if value < 1 else start, float(one.get("x")), delta=1)

    def test_lines_name_their_sizes_their_units_and_their_series(self):
        chart = charts.lines("t", "files", "µs", {"flat": [(10, "10", 5.0), (1000, "1,000", 5.0)]})
        self.assertLessEqual({"t", "files", "µs", "flat", "10", "1,000", "0"}, set(words(chart)))
        dots = [float(dot.get("cy")) for dot in xml.fromstring(chart.text).iter(f"{SVG}circle")]
        self.assertEqual(len(dots), 2)
        self.assertEqual(dots[0], dots[1])

    def test_charts_stay_small_and_have_colours_for_dark_pages(self):
        bars = {f"group {group}": [charts.Bar(f"a work of some length {bar}", bar + 0.5, 1) for bar in range(8)]
                for group in range(4)}
        chart = charts.bars("title", "unit", bars)
        self.assertLess(len(chart.text.encode()), 20_000)
        self.assertIn("prefers-color-scheme: dark", chart.text)


class Page(unittest.TestCase):
    def test_what_is_published_replaces_what_was_between_its_marks_alone(self):
        with tempfile.TemporaryDirectory() as directory, mock.patch("builtins.print"):
            page = pathlib.Path(directory) / "page.md"
            page.write_text("before\n<!-- a -->\nold\n<!-- a: end -->\nbetween\n<!-- b -->\n<!-- b: end -->\n")
            benchmarks.publish("a", r"new \1", [page])
            self.assertEqual(page.read_text(), "before\n<!-- a -->\n\nnew \\1\n\n<!-- a: end -->\nbetween\n"
                                               "<!-- b -->\n<!-- b: end -->\n")

    def test_who_comes_first_in_one_round_comes_last_in_the_next(self):
        order = []
        measures = [lambda name=name: order.append(name) or name for name in "ab"]
        self.assertEqual(benchmarks.paired(measures, 3), [["a", "b"]] * 3)
        self.assertEqual("".join(order), "abbaab")


class Fleet(unittest.TestCase):
    def setUp(self):
        self.at_scale = script("at-scale")
        self.at_scale.SIMULATED_IMAGES, self.at_scale.SAMPLE_FILES = 1, 20_000

    def test_the_same_seed_makes_the_same_fleet(self):
        for simulate in (self.at_scale.simulate_images, self.at_scale.simulate_files):
            first = simulate()
            self.assertEqual(first, simulate())
            with mock.patch.object(benchmarks, "SEED", benchmarks.SEED + 1):
                self.assertNotEqual(first, simulate())

    def test_days_that_write_to_the_same_places_change_fewer_blocks_together_than_apart(self):
        found = self.at_scale.simulate_images()
        self.assertLess(found["changed"], found["union"])
        self.assertLess(found["union"], found["changed"] * self.at_scale.DAYS)
        self.assertLess(found["written"], found["changed"] * 2)

    def test_places_follow_their_ranks_and_reach_everywhere(self):
        places = self.at_scale.Places(self.at_scale.random.Random(1), 10)
        found = [places.next() for _ in range(10_000)]
        self.assertEqual(set(found), set(range(10)))
        self.assertGreater(max(map(found.count, range(10))), 2 * 10_000 / 10)


if __name__ == "__main__":
    unittest.main()
