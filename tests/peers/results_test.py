# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Results of the comparison with other software: none without manyfit, and none over fuller ones. All rows are made up."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "peers"))

import common  # noqa: E402
import compare_keys  # noqa: E402


def row(software, precision="double"):
    return {"software": software, "precision": precision, "seconds": [1.0]}


WHOLE = {"a": [row("manyfit 0.1.0"), row("manyfit 0.1.0", "float"), row("Armadillo 1.2")]}


class peers_results(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = pathlib.Path(folder.name)

    def write(self, points):
        return common.write(self.results, "mixtures", "compare.py", "a table", points)

    def test_without_manyfit_is_no_comparison_and_leaves_what_stands(self):
        self.assertEqual(self.write(WHOLE), "peers-mixtures")
        before = (self.results / "peers-mixtures.json").read_text()
        for rows in ([], [row("Armadillo 1.2")], [row("manyfit 0.1.0", "float"), row("Armadillo 1.2")]):
            with self.assertRaisesRegex(RuntimeError, "manyfit has no row in a"):
                self.write({"a": rows})
        self.assertEqual((self.results / "peers-mixtures.json").read_text(), before)
        self.assertEqual(len(list(self.results.iterdir())), 2)

    def test_fewer_rows_are_not_written_over_more(self):
        self.write(WHOLE)
        before = (self.results / "peers-mixtures.json").read_text()
        self.assertEqual(self.write({"a": WHOLE["a"][:2]}), "peers-mixtures-partial")
        self.assertEqual((self.results / "peers-mixtures.json").read_text(), before)
        partial = json.loads((self.results / "peers-mixtures-partial.json").read_text())
        self.assertEqual(len(partial["points"]["a"]), 2)

    def test_another_version_of_the_same_software_is_the_same_row(self):
        self.write(WHOLE)
        newer = {"a": [row("manyfit 0.2.0"), row("manyfit 0.2.0", "float"), row("Armadillo 9.9"), row("mclust 6")]}
        self.assertEqual(self.write(newer), "peers-mixtures")
        self.assertIn("Armadillo 9.9", (self.results / "peers-mixtures.json").read_text())

    def test_manyfit_on_a_gpu_alone_is_not_manyfit(self):
        self.assertEqual(common.without_manyfit({"a": [row("manyfit 0.1.0 on cuda:0")]}), ["a"])


class peers_keys(unittest.TestCase):
    """The comparison of keys, with made-up programs."""

    COMMANDS = {"manyfit": ["m"], "DuckDB": ["d"], "manyfit fit gamma": ["f"]}

    def compare(self, **changes):
        found = {"keys": 3, "rows": 10, "means": 1.5, "log_means": 0.25}
        outs = {"m": {"software": "manyfit 0.1.0", **found}, "d": {"software": "DuckDB 1", **found}, "f": None, **changes}

        def run_one(command):
            out = outs[command[0]]
            if isinstance(out, str):
                raise RuntimeError(out)
            return 2.0, 3.0, json.dumps(out) if out else ""

        return compare_keys.compare(self.COMMANDS, (0.5, 1.0), run_one)

    def test_the_start_of_python_comes_off_duckdb_alone(self):
        rows = {row["software"]: row for row in self.compare()}
        self.assertEqual(set(rows), {"manyfit 0.1.0", "DuckDB 1", "manyfit fit gamma"})
        self.assertEqual(rows["manyfit 0.1.0"]["cpu"], [3.0] * compare_keys.ROUNDS)
        self.assertEqual(rows["DuckDB 1"]["cpu"], [2.0] * compare_keys.ROUNDS)
        self.assertEqual(common.without_manyfit({"a": list(rows.values())}), [])
        self.assertIn("| 1.50 | 1.33 |", compare_keys.table({"a": list(rows.values())}))

    def test_other_numbers_or_a_failure_of_either_side_are_no_comparison(self):
        other = {"software": "DuckDB 1", "keys": 3, "rows": 10, "means": 1.5, "log_means": 0.25}
        for name, value in (("keys", 4), ("rows", 9), ("means", 1.5 + 1e-8), ("log_means", float("nan"))):
            with self.assertRaisesRegex(RuntimeError, "was found before"):
                self.compare(d={**other, name: value})
        for side in ("m", "d"):
            with self.assertRaisesRegex(RuntimeError, "no such file"):
                self.compare(**{side: "no such file"})

    def test_a_fit_that_fails_is_left_out_alone(self):
        self.assertEqual([row["software"] for row in self.compare(f="it failed")], ["manyfit 0.1.0", "DuckDB 1"])


if __name__ == "__main__":
    unittest.main()
