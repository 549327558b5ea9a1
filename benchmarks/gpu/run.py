# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""run.py PROGRAMS RESULTS [--only tests|sanitizer|bench] [--sanitizer PATH]: what ./dev gpu runs where a GPU is.

Each part has a time limit, and all together end within six minutes: a GPU may be lent for a quarter of an hour, its start
counted in. What would be missed most comes first, and a part writes its section of
RESULTS/<gpu>/report.json; sections of an earlier run of the same programs on the same GPU stay, so that parts can be
run one by one. Exit status 1 where a part failed: a test failed, was skipped or did not end, the sanitizer found
something, a benchmark program failed or a work point has no time, or CUDA and CPU end a fit differently.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import counters
import points
import report as reporting

# Seconds: with what lies between them less than the six minutes that all of it may take.
LIMITS = {"tests": 60, "bench": 100, "agreement": 40, "sanitizer": 140, "counters": 150}
PARTS = ("tests", "bench", "agreement", "sanitizer")
ON_REQUEST = ("counters",)  # --only counters, in a run of its own
# What compute-sanitizer sees: a few multiprocessors' blocks, since every block that waits for work costs time under it.
SANITIZED = {"MANYFIT_CUDA_MULTIPROCESSORS": "4"}
SHARDS = 4
SHARDS_OF_TOOL = {"racecheck": 8}  # what takes longest
FILTER_OF_REDUCED = "--gtest_filter=*cuda_reduced*"


def threads_here():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Clock:
    """A time limit that several programs share."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())


def run(command, clock, environment=None):
    """(exit status, or None where the clock ran out; what it printed)."""
    if clock.left() < 1:
        return None, ""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            [str(c) for c in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            status = process.wait(timeout=clock.left())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = None
        output.seek(0)
        return status, output.read()


# --- tests -----------------------------------------------------------------------------------------------------------


def read_tests(output, status):
    """Counts of what a GoogleTest program printed; what it did not come to is unfinished."""
    ends = re.findall(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] (\S+?),?(?: where .*)? \(\d+ ms\)", output, re.MULTILINE)
    expected = re.search(r"^\[=+\] Running (\d+) tests?", output, re.MULTILINE)
    counts = {word: sum(e == word for e, _ in ends) for word in ("OK", "FAILED", "SKIPPED")}
    unfinished = int(expected.group(1)) - len(ends) if expected else int(status != 0)
    problems = [f"{word.lower()}: {name}" for word, name in ends if word != "OK"]
    if status is None:
        problems.append("cut short by the time limit")
    elif status != 0 and not counts["FAILED"]:
        problems.append(f"ended with status {status}: {last_lines(output)}")
    return {"passed": counts["OK"], "failed": counts["FAILED"], "skipped": counts["SKIPPED"],
            "unfinished": max(0, unfinished), "problems": problems}  # fmt: skip


def last_lines(output):
    return " / ".join(output.strip().splitlines()[-3:]) or "nothing printed"


def added(results):
    total = {"passed": 0, "failed": 0, "skipped": 0, "unfinished": 0, "problems": []}
    for result in results:
        for name in total:
            total[name] += result[name]
    return total


def sharded(command, count, shard):
    return command, {"GTEST_TOTAL_SHARDS": str(count), "GTEST_SHARD_INDEX": str(shard)}


def run_tests(programs, clock, log):
    """What failing programs printed goes to `log`."""
    jobs = [sharded([programs / "cuda_tests"], SHARDS, i) for i in range(SHARDS)]
    jobs += [([program], {}) for program in sorted(programs.glob("cuda_*_test"))]
    with concurrent.futures.ThreadPoolExecutor(SHARDS) as pool:
        done = list(pool.map(lambda job: run(job[0], clock, job[1]), jobs))
    result = added(read_tests(output, status) for status, output in done)
    if any(status != 0 for status, _ in done):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(output for status, output in done if status != 0), encoding="utf-8")
    counted = result["failed"] + result["skipped"] + result["unfinished"]
    return result, counted == 0 and result["passed"] > 0 and all(status == 0 for status, _ in done)


def run_agreement(programs, clock):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "agreement.json"
        status, output = run([programs / "cuda_agreement", path], clock)
        if not path.exists():
            print(f"gpu: the table of agreement was not made: {last_lines(output)}", file=sys.stderr)
            return None, False
        return json.loads(path.read_text()), status == 0


# --- compute-sanitizer -----------------------------------------------------------------------------------------------


def errors_found(output):
    """How many errors or hazards compute-sanitizer reports at its end; None where it reports nothing."""
    found = re.findall(r"ERROR SUMMARY: (\d+) error", output) + re.findall(r"RACECHECK SUMMARY: (\d+) hazard", output)
    return sum(map(int, found)) if found else None


def run_tool(sanitizer, tool, program, clock):
    shards = SHARDS_OF_TOOL.get(tool, SHARDS)

    def one(shard):
        command = [sanitizer, "--tool", tool, "--error-exitcode", "9", program, FILTER_OF_REDUCED]
        command, environment = sharded(command, shards, shard)
        return run(command, clock, {**environment, **SANITIZED})

    with concurrent.futures.ThreadPoolExecutor(shards) as pool:
        done = list(pool.map(one, range(shards)))
    results, errors, incomplete, problems = [], 0, "", []
    for status, output in done:
        found = errors_found(output)
        results.append(read_tests(output, status))
        errors += found or 0
        if status is None:
            incomplete = "cut short by the time limit"
        elif found is None or (status != 0 and not found):
            incomplete = incomplete or f"it ended with status {status}: {last_lines(output)}"
        if found:
            problems += [line for line in output.splitlines() if line.startswith("=========")][:20]
    result = added(results)
    result.update(errors=errors, incomplete=incomplete, problems=(problems + result["problems"])[:40])
    return result


def run_sanitizer(sanitizer, programs, clock, at_once):
    def one(tool):
        return run_tool(sanitizer, tool, programs / "cuda_tests", clock)

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        found = dict(zip(reporting.TOOLS, pool.map(one, reporting.TOOLS)))
    good = all(
        not r["errors"] and not r["incomplete"] and r["passed"] > 0 and not r["failed"] + r["skipped"] + r["unfinished"]
        for r in found.values()
    )
    return found, good


# --- benchmarks ------------------------------------------------------------------------------------------------------

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
NO_COUNTERS = {"family_index", "per_family_instance_index", "repetitions", "threads", "iterations", "real_time",
               "cpu_time", "repetition_index"}  # fmt: skip


def read_rows(text):
    """Rows of Google Benchmark's JSON, also where the program was stopped while it wrote."""
    try:
        found = json.loads(text)["benchmarks"]
    except ValueError:
        found = []
        for begin in (m.start() for m in re.finditer(r"^    \{$", text, re.MULTILINE)):
            end = re.compile(r"^    \}", re.MULTILINE).search(text, begin)
            if end:
                found.append(json.loads(text[begin : end.end()]))
    rows = {}
    for row in found:
        name = re.sub(r"(/iterations:\d+)?(/repeats:\d+)?(/manual_time|/real_time)?$", "", row["run_name"])
        kept = rows.setdefault(name, {})
        if row.get("error_occurred"):
            kept["failure"] = row.get("error_message", "no reason given")
        statistic = row.get("aggregate_name")
        if statistic in ("median", "p10", "p90") and row.get("aggregate_unit") == "time":
            kept[statistic] = row["real_time"] * SECONDS[row["time_unit"]]
        if statistic == "median":
            kept["repetitions"] = row["repetitions"]
            kept.update((k, v) for k, v in row.items() if k not in NO_COUNTERS and isinstance(v, (int, float)))
    for row in rows.values():
        if "failure" in row or "median" not in row:
            row.pop("median", None)
            row.setdefault("failure", "it gave no median")
    return rows


def one_of(names):
    """Google Benchmark's filter for just these rows."""
    return "^(" + "|".join(re.escape(name).replace("\\ ", " ") for name in names) + ")(/iterations|/repeats|/manual)"


def bench_programs(programs, clock):
    """The work points' rows, group by group: mixtures before fits in each."""
    rows, problems = {}, []
    for names in points.rows_in_turn(threads_here()):
        for program in ("bench_mixture", "bench_fit"):
            wanted = [name for name in names if name.startswith(program.removeprefix("bench_") + "/")]
            if not wanted:
                continue
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "rows.json"
                status, output = run(
                    [programs / program, f"--benchmark_filter={one_of(wanted)}", "--benchmark_min_time=0.01",
                     f"--benchmark_out={path}", "--benchmark_out_format=json"], clock,
                )  # fmt: skip
                text = path.read_text() if path.exists() else ""
                rows.update(read_rows(text) if text.strip() else {})
                if status is None:
                    problems.append(f"{program} was cut short by the time limit")
                elif status != 0:
                    problems.append(f"{program} ended with status {status}: {last_lines(output)}")
    for name, row in rows.items():
        row["all_threads"] = name.endswith(f"threads={threads_here()}")
    return rows, list(dict.fromkeys(problems))


def run_bench(programs, clock):
    samples, over = [], threading.Event()

    def sample():
        while not over.wait(1):
            samples.append(query(["clocks.sm", "clocks.mem"]))

    watch = threading.Thread(target=sample)
    watch.start()
    try:
        rows, problems = bench_programs(programs, clock)
    finally:
        over.set()
        watch.join()
    clocks = {}
    for name, column in (("sm_mhz", 0), ("memory_mhz", 1)):
        values = [int(s[column]) for s in samples if s and s[column].isdigit()]
        if values:
            clocks[name] = f"{min(values)}, {statistics.median_low(values)}, {max(values)}"
    missing = [p.row for p in points.POINTS if "median" not in rows.get(p.row, {})]
    problems += [f"work point without a time: {name}" for name in missing]
    note = "; ".join(problems)
    failed = missing or any("ended with status" in p for p in problems)
    return {"rows": rows, "clocks": clocks if len(clocks) == 2 else {}, "note": note}, not failed


# --- counters --------------------------------------------------------------------------------------------------------


def run_counters(ncu, programs, clock):
    """The kernels of the work points under ncu: of a mixture the third launch, which runs all iterations (the first is
    to warm up, the second one iteration), of fits the first six, which are every tier's."""
    found, problems = {}, []
    for point in points.POINTS:
        mixture = point.row.startswith("mixture/")
        program = programs / ("bench_mixture" if mixture else "bench_fit")
        count = 1 if mixture else 6
        status, output = run(counters.command(ncu, program, one_of([point.row]), 2 if mixture else 0, count), clock)
        launches = counters.read(output)
        if launches:
            found[point.row] = launches
        else:
            problems.append(f"{point.row}: no counters: " + ("time ran out" if status is None else last_lines(output)))
    return {"launches": found, "note": "; ".join(problems)}, not problems


# --- the report ------------------------------------------------------------------------------------------------------


def query(fields):
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return [s.strip() for s in done.stdout.splitlines()[0].split(",")] if done.returncode == 0 and done.stdout else []


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown"


def machine_facts(built):
    gpu, driver, memory, sm, memory_clock = query(
        ["name", "driver_version", "memory.total", "clocks.max.sm", "clocks.max.mem"]
    )
    return {"gpu": gpu, "driver": driver, "memory_mib": memory, "max_sm_mhz": sm, "max_memory_mhz": memory_clock,
            "cpu": processor(), "threads": threads_here(), "built_by": built.get("compilers", "unknown")}  # fmt: skip


def earlier_parts(folders, commit, machine):
    """Sections of the newest earlier report of the same programs on the same GPU and driver."""
    found = []
    for folder in folders:
        try:
            earlier = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        same = all(earlier["machine"][k] == machine[k] for k in ("gpu", "driver"))
        if same and earlier["commit"] == commit:
            found.append(earlier)
    return max(found, key=lambda e: e["date"])["parts"] if found else {}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(report, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(reporting.markdown(report), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--only", choices=PARTS + ON_REQUEST)
    parser.add_argument("--sanitizer", help="compute-sanitizer's path; without it that part is not run")
    parser.add_argument("--ncu", default="ncu", help="Nsight Compute's command, for --only counters")
    parser.add_argument("--sanitizer-at-once", type=int, default=len(reporting.TOOLS), help="tools that run together")
    given = parser.parse_args()
    built = json.loads((given.programs / "built.json").read_text())
    machine = machine_facts(built)
    name = re.sub(r"[^a-z0-9]+", "-", machine["gpu"].lower()).strip("-")
    folder = given.results / name
    parts = {part: None for part in PARTS + ON_REQUEST}
    parts.update(earlier_parts({folder, pathlib.Path("benchmarks/results") / name}, built["commit"], machine))
    report = {"format": 1, "date": now(), "commit": built["commit"], "folder": name, "machine": machine, "parts": parts}
    runs = {
        "tests": lambda clock: run_tests(given.programs, clock, folder / "tests.log"),
        "agreement": lambda clock: run_agreement(given.programs, clock),
        "sanitizer": lambda clock: run_sanitizer(given.sanitizer, given.programs, clock, given.sanitizer_at_once),
        "bench": lambda clock: run_bench(given.programs, clock),
        "counters": lambda clock: run_counters(given.ncu, given.programs, clock),
    }
    bad = []
    for part in [given.only] if given.only else PARTS:
        if part == "sanitizer" and not given.sanitizer:
            print("gpu: sanitizer: not run, there is no compute-sanitizer here", flush=True)
            continue
        began = time.monotonic()
        found, good = runs[part](Clock(LIMITS[part]))
        if found is not None:
            found.update(date=now(), seconds=round(time.monotonic() - began, 1))
        parts[part] = found
        bad += [] if good else [part]
        report["date"] = now()
        write(report, folder)  # after every part: a run cut short leaves what it has
        print(f"gpu: {part}: {'passed' if good else 'FAILED'}, {time.monotonic() - began:.0f} s", flush=True)
    sys.stdout.reconfigure(encoding="utf-8")
    print(reporting.readme_part(report))
    print(f"gpu: {folder}/report.md and report.json" + (f"; failed: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
