# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""What ./dev gpu says and writes, without a GPU. The GPU, its programs and all their numbers are made up here: scripts
that print what the real ones would print. Nothing of it is a measurement."""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "benchmarks" / "gpu"))

import points  # noqa: E402
import report as reporting  # noqa: E402
import run as running  # noqa: E402

TOOLS_OF_DEV = "bash basename cat cut dirname env grep head mkdir nproc readlink sed tr uname".split()

NVIDIA_SMI = """#!/bin/sh
case "$*" in
  *compute_cap*) echo 9.0 ;;
  *driver_version*) echo "Made-up H200, 0.0, 1, 2, 3" ;;
  *clocks.sm*) echo "1000, 2000" ;;
esac
"""

GTEST = """#!/bin/sh
echo "[==========] Running 2 tests from 1 test suite."
echo "[       OK ] suite.one (3 ms)"
echo "{second}"
{end}
"""
PASSED = GTEST.format(second="[       OK ] suite.two (0 ms)", end="exit 0")
SKIPPED = GTEST.format(second="[  SKIPPED ] suite.two (0 ms)", end="exit 0")
CRASHED = GTEST.format(second="[ RUN      ] suite.two", end="exit 139")

SANITIZER = """#!/bin/sh
tool=$2
shift 4
"$@"
[ $tool = racecheck ] && echo "========= RACECHECK SUMMARY: {races} hazards displayed (0 errors, 0 warnings)"
[ $tool = racecheck ] || echo "========= ERROR SUMMARY: 0 errors"
[ {races} = 0 ] || [ $tool != racecheck ] || exit 9
"""

NCU = """#!/bin/sh
echo '==PROF== made up'
stalled=smsp__average_warps_issue_stalled
echo '"ID","Kernel Name","gpu__time_duration.sum","sm__inst_executed.sum",'\\
'"'$stalled'_wait_per_issue_active.ratio","'$stalled'_long_scoreboard_per_issue_active.ratio"'
echo '"","","ns","inst","",""'
echo '"0","fit_warp_kernel","1,500","2000000","2","7"'
"""

AGREEMENT = """#!/bin/sh
cat >"$1" <<'END'
{"first": "cuda:0", "second": "cpu", "complete": true,
 "families": [{"family": "gamma", "type": "double", "tier": "warp", "fits": 3, "status_differs": 0,
   "parameters": {"difference": 1.5e-10, "where": "shape, n = 20"},
   "log_likelihood": {"difference": 0.0, "where": ""}, "std_errors": {"difference": 2e-9, "where": "rate, n = 20"}}],
 "mixtures": []}
END
"""


def aggregates(name, milliseconds):
    rows = []
    for statistic, factor in (("mean", 1.1), ("median", 1.0), ("p10", 0.9), ("p90", 1.3)):
        rows.append({"name": f"{name}_{statistic}", "run_name": f"{name}/iterations:1/repeats:9/manual_time",
                     "family_index": 0, "repetitions": 9, "aggregate_name": statistic, "aggregate_unit": "time",
                     "real_time": milliseconds * factor, "time_unit": "ms", "bytes": 4e9, "points/s": 1e7,
                     "values/s": 1e9, "error": 2e-9})  # fmt: skip
    return rows


def benchmark(rows):
    text = json.dumps({"context": {}, "benchmarks": rows}, indent=2).replace("'", "")
    script = "#!/bin/sh\nfor a in \"$@\"; do case $a in --benchmark_out=*) out=${a#*=} ;; esac; done\n"
    return script + f"cat >\"$out\" <<'END'\n{text}\nEND\n"


def every_row(milliseconds=1.0):
    return [r for name in points.rows_wanted(running.threads_here()) for r in aggregates(name, milliseconds)]


def rows_of(program):
    return [row for row in every_row() if row["run_name"].startswith(program + "/")]


class Machine:
    """A folder with ./dev and its programs, and a PATH that holds what is given and nothing of CUDA."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder)
        (self.root / "bin").mkdir()
        for tool in TOOLS_OF_DEV:
            (self.root / "bin" / tool).symlink_to(shutil.which(tool))
        shutil.copy(ROOT / "dev", self.root / "dev")
        shutil.copytree(ROOT / "benchmarks" / "gpu", self.root / "benchmarks" / "gpu")
        (self.root / "tests" / "device").mkdir(parents=True)  # which dev sources
        shutil.copy(ROOT / "tests" / "device" / "simulated.sh", self.root / "tests" / "device" / "simulated.sh")

    def add(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def add_python(self):
        self.add("bin/python3", f"#!/bin/sh\nexec {sys.executable} -B \"$@\"\n")

    def add_everything(self, tests=PASSED, races=0):
        self.add_python()
        self.add("bin/nvidia-smi", NVIDIA_SMI)
        self.add("bin/compute-sanitizer", SANITIZER.format(races=races))
        self.add("build/gpu/carried/built.json", '{"commit": "0123456789abcdef", "compilers": "made up"}')
        self.add("build/gpu/carried/cuda_tests", tests)
        self.add("build/gpu/carried/cuda_math_test", PASSED)
        self.add("build/gpu/carried/cuda_agreement", AGREEMENT)
        for program in ("fit", "mixture"):
            self.add(f"build/gpu/carried/bench_{program}", benchmark(rows_of(program)))

    def dev(self, *arguments):
        environment = {"PATH": str(self.root / "bin"), "HOME": str(self.root), "CUDA_PATH": str(self.root / "no-cuda")}
        done = subprocess.run(
            [str(self.root / "dev"), "gpu", *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout + done.stderr

    def results(self):
        folder = self.root / "benchmarks" / "results" / "made-up-h200"
        read = {name: (folder / name).read_text(encoding="utf-8") for name in ("report.json", "report.md")}
        return json.loads(read["report.json"]), read["report.md"]


class dev_gpu(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.machine = Machine(folder.name)

    def test_without_anything_is_refused_with_all_that_is_missing(self):
        status, said = self.machine.dev()
        self.assertEqual(status, 5, said)
        for missing in ("no NVIDIA driver", "nvcc, and nothing is built", "python3"):
            self.assertIn(missing, said)

    def test_without_a_driver_is_refused(self):
        self.machine.add_everything()
        (self.machine.root / "bin" / "nvidia-smi").unlink()
        status, said = self.machine.dev()
        self.assertEqual(status, 5, said)
        self.assertIn("no NVIDIA driver", said)
        self.assertNotIn("nvcc", said)

    def test_with_a_driver_that_lists_no_gpu_is_refused(self):
        self.machine.add_everything()
        self.machine.add("bin/nvidia-smi", "#!/bin/sh\necho no devices were found\nexit 6\n")
        status, said = self.machine.dev("--only", "tests")
        self.assertEqual(status, 5, said)
        self.assertIn("nvidia-smi lists none", said)

    def test_without_nvcc_and_with_nothing_built_is_refused(self):
        self.machine.add_everything()
        shutil.rmtree(self.machine.root / "build")
        status, said = self.machine.dev()
        self.assertEqual(status, 5, said)
        self.assertIn("nvcc, and nothing is built", said)
        self.assertNotIn("driver", said)

    def test_without_compute_sanitizer_runs_all_the_rest_and_says_so(self):
        self.machine.add_everything()
        (self.machine.root / "bin" / "compute-sanitizer").unlink()
        status, said = self.machine.dev("--only", "sanitizer")
        self.assertEqual(status, 5, said)
        self.assertIn("compute-sanitizer", said)
        status, said = self.machine.dev()
        self.assertEqual(status, 0, said)
        self.assertIn("sanitizer: not run", said)
        report, text = self.machine.results()
        self.assertIsNone(report["parts"]["sanitizer"])
        for part in ("tests", "bench", "agreement"):
            self.assertIsNotNone(report["parts"][part])
        self.assertIn("| memcheck | not run |", text)

    def test_limits_together_are_six_minutes(self):
        self.assertLessEqual(sum(running.LIMITS[part] for part in running.PARTS), 345)
        self.assertLessEqual(running.LIMITS["tests"], 60)

    def test_writes_one_report_with_everything(self):
        self.machine.add_everything()
        status, said = self.machine.dev()
        self.assertEqual(status, 0, said)
        report, text = self.machine.results()
        self.assertEqual(report["parts"]["tests"]["passed"], 2 * running.SHARDS + 2)
        self.assertEqual(report["parts"]["sanitizer"]["racecheck"]["errors"], 0)
        self.assertIn("commit of the programs | 0123456789abcdef", text)
        self.assertNotIn(f"| {reporting.NOT_RUN} |", text.split("CUDA against CPU")[0])
        # a: floor 12.6 µs of a made-up millisecond; i: one and a half of the dense time per byte
        self.assertIn("| 1 ms | 900 µs – 1.3 ms | 12.6 µs (exp, then bytes) | 1 % | 25 µs: not reached | 2.0e-09 |", text)
        self.assertIn("1.5 ms: reached", text)
        self.assertIn("1.5e-10 (shape, n = 20)", text)

    def test_counters_come_from_one_launch_of_every_work_point(self):
        self.machine.add_everything()
        self.machine.add("bin/ncu", NCU)
        status, said = self.machine.dev("--only", "counters")
        self.assertEqual(status, 0, said)
        report, text = self.machine.results()
        self.assertEqual(set(report["parts"]["counters"]["launches"]), {p.row for p in points.POINTS})
        self.assertIn("| fit_warp_kernel | 1.5 µs | 2e+06 |", text)
        self.assertIn("long scoreboard 7, wait 2", text)
        self.machine.add("bin/ncu", "#!/bin/sh\necho no permission\nexit 1\n")
        status, said = self.machine.dev("--only", "counters")
        self.assertEqual(status, 1, said)
        self.assertIn("no counters: no permission", self.machine.results()[1])

    def test_parts_run_one_by_one_end_in_the_same_report_and_the_rest_is_not_run(self):
        self.machine.add_everything()
        self.assertEqual(self.machine.dev("--only", "tests")[0], 0)
        report, text = self.machine.results()
        self.assertIsNone(report["parts"]["bench"])
        self.assertIn("| part: bench | not run |", text)
        self.assertIn("| memcheck | not run |", text)
        self.assertIn("| a. mixture, N=1e7 D=1 K=4, an EM iteration | not run |", text)
        self.assertEqual(self.machine.dev("--only", "bench")[0], 0)
        report, _ = self.machine.results()
        self.assertIsNotNone(report["parts"]["tests"])
        self.assertIsNotNone(report["parts"]["bench"])
        self.machine.add("build/gpu/carried/built.json", '{"commit": "fedcba9876543210", "compilers": "made up"}')
        self.assertEqual(self.machine.dev("--only", "bench")[0], 0)
        self.assertIsNone(self.machine.results()[0]["parts"]["tests"], "tests of another commit must not stay")

    def test_fails_when_a_test_was_skipped_or_did_not_end(self):
        for script, problem in ((SKIPPED, "skipped: suite.two"), (CRASHED, "ended with status 139")):
            self.machine.add_everything(tests=script)
            status, said = self.machine.dev("--only", "tests")
            self.assertEqual(status, 1, said)
            self.assertIn(problem, self.machine.results()[1])

    def test_fails_when_the_sanitizer_finds_something(self):
        self.machine.add_everything(races=3)
        status, said = self.machine.dev("--only", "sanitizer")
        self.assertEqual(status, 1, said)
        self.assertIn(f"| racecheck | {3 * running.SHARDS_OF_TOOL['racecheck']} |", self.machine.results()[1])

    def test_fails_when_a_work_point_has_no_time(self):
        self.machine.add_everything()
        rows = rows_of("fit")
        gone = points.POINTS[5].row
        self.machine.add("build/gpu/carried/bench_fit", benchmark([r for r in rows if not r["run_name"].startswith(
            gone + "/iter")]))  # fmt: skip
        status, said = self.machine.dev("--only", "bench")
        self.assertEqual(status, 1, said)
        self.assertIn(f"work point without a time: {gone}", self.machine.results()[1])


class what_programs_print(unittest.TestCase):
    def test_tests_with_parameters_are_counted_by_how_they_ended(self):
        printed = "[==========] Running 3 tests from 1 test suite.\n[       OK ] a/b.c/gamma (12 ms)\n"
        printed += "[  FAILED  ] a/b.c/beta, where GetParam() = beta (1 ms)\n[  FAILED  ] a/b.c/beta\n"
        found = running.read_tests(printed, None)
        self.assertEqual((found["passed"], found["failed"], found["unfinished"]), (1, 1, 1))
        self.assertIn("cut short by the time limit", found["problems"])

    def test_a_sanitizer_that_says_nothing_has_not_found_nothing(self):
        self.assertIsNone(running.errors_found("=========  Device not supported\n"))
        self.assertEqual(running.errors_found("========= ERROR SUMMARY: 2 errors\n"), 2)

    def test_rows_written_before_a_program_was_stopped_are_read(self):
        whole = json.dumps({"context": {}, "benchmarks": aggregates("x", 2) + aggregates("y", 3)}, indent=2)
        cut = whole[: whole.rindex('"p90"')]
        rows = running.read_rows(cut)
        self.assertAlmostEqual(rows["x"]["p90"], 2.6e-3)
        self.assertAlmostEqual(rows["y"]["median"], 3e-3)

    def test_a_row_with_an_error_has_no_time(self):
        row = {"run_name": "x/manual_time", "error_occurred": True, "error_message": "made up", "aggregate_name": ""}
        self.assertEqual(running.read_rows(json.dumps({"benchmarks": [row]})), {"x": {"failure": "made up"}})

    def test_floors_are_those_of_one_device_and_shown_for_no_other(self):
        machine = {"gpu": "Made-up GPU"}
        rows = {points.POINTS[0].row: {"median": 1e-3, "p10": 1e-3, "p90": 1e-3, "bytes": 4e7, "points/s": 1e10}}
        first = next(reporting.point_rows({"machine": machine, "parts": {"bench": {"rows": rows}}}))
        self.assertEqual(first["row"]["median"], 1e-3)
        self.assertIsNone(first["floor"])


if __name__ == "__main__":
    os.environ.pop("MF_RESULTS", None)
    unittest.main()
