# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Count, mean and mean logarithm by key, over 5 million rows, in manyfit and DuckDB, and beside them the whole of
`manyfit fit gamma --by`: the same files, on two threads, in alternation. compare_keys.py FOLDER_OF_PROGRAMS RESULTS

CSV and Parquet (of pyarrow, as it writes by default), rows sorted by key or shuffled, 1e5 and 1e6 keys. A program is
started anew for every round and does one file; its whole run counts, as a user waits for it, with the start of Python
for DuckDB measured and taken off. Both wall-clock and processor time (user and system, of all threads) are kept, since
what else a machine does adds most to the first; the table has the medians. A point counts only if keys, rows and the
sums of means agree to 1e-9 in every round, and is left out, with the reason, where manyfit or DuckDB fails at it.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import shown, write

HERE = Path(__file__).resolve().parent
ROWS, ROUNDS, THREADS = 5_000_000, 5, 2


def make_files(folder, keys, order):
    import numpy as np
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(3)
    number = random.integers(0, keys, ROWS)
    if order == "sorted":
        number.sort()
    names = np.char.add("k", np.arange(keys).astype(str))
    x = np.round(random.gamma(2.0, 2.0, ROWS) + 1e-4, 6)
    data = pyarrow.table({"k": pyarrow.array(names).take(pyarrow.array(number)), "x": x})
    pyarrow.csv.write_csv(data, folder / "data.csv", pyarrow.csv.WriteOptions(quoting_style="none"))
    pyarrow.parquet.write_table(data, folder / "data.parquet")


def run(command):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed"])[-1])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done.stdout


def agrees(a, b):
    close = all(abs(a[name] - b[name]) <= 1e-9 * abs(b[name]) for name in ("means", "log_means"))
    return a["keys"] == b["keys"] and a["rows"] == b["rows"] and close


def commands_of(path, programs):
    fit = [str(programs / "manyfit"), "fit", "gamma", str(path), "--by", "k", "--column", "x", "--quiet"]
    return {
        "manyfit": [str(programs / "keys_manyfit"), str(path), str(THREADS)],
        "DuckDB": [sys.executable, str(HERE / "keys_duckdb.py"), str(path), str(THREADS)],
        "manyfit fit gamma": fit + ["--device", "cpu", "--threads", str(THREADS), "--format", "csv", "--out", os.devnull],
    }


def compare(commands, start, run_one=run):
    """The rows of a point: name and version, and the time of every round. Raises RuntimeError where manyfit or DuckDB
    fails or they disagree; any other program that fails is left out, with a line on stderr."""
    rows = {name: {"software": name, "precision": "double", "wall": [], "cpu": []} for name in commands}
    reference = None
    for _ in range(ROUNDS):
        for name in list(rows):
            try:
                wall, cpu, out = run_one(commands[name])
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as failure:
                if name in ("manyfit", "DuckDB"):
                    raise RuntimeError(f"{name}: {failure}") from failure
                print(f"left out: {name}: {failure}", file=sys.stderr)
                del rows[name]
                continue
            if name in ("manyfit", "DuckDB"):
                found = json.loads(out)
                rows[name]["software"] = found["software"]
                reference = reference or found
                if not agrees(found, reference):
                    raise RuntimeError(f"{name} found {found} where {reference} was found before")
            offset = start if name == "DuckDB" else (0.0, 0.0)
            rows[name]["wall"].append(wall - offset[0])
            rows[name]["cpu"].append(cpu - offset[1])
    return list(rows.values())


def start_of_python():
    """The median wall-clock and processor time in which Python is up and has loaded DuckDB."""
    times = [run([sys.executable, "-c", "import duckdb; duckdb.connect()"])[:2] for _ in range(ROUNDS)]
    return statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times)


def table(points):
    heads = ["file", "software", "processor", "wall-clock", "processor / DuckDB", "wall-clock / DuckDB"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for point, rows in points.items():
        median = {row["software"]: [statistics.median(row[kind]) for kind in ("cpu", "wall")] for row in rows}
        duck = next(times for name, times in median.items() if name.startswith("DuckDB"))
        for i, (name, times) in enumerate(median.items()):
            cells = ["" if i else point, name] + [shown(t) for t in times]
            cells += [f"{t / d:.2f}" for t, d in zip(times, duck)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def commit():
    """The tree's commit, and whether there is anything in it that was not committed."""
    git = ["git", "-C", str(HERE)]
    try:
        name = run(git + ["rev-parse", "--short", "HEAD"])[2].strip()
        return name + (" with changes" if run(git + ["status", "--porcelain", "--untracked-files=no"])[2] else "")
    except (RuntimeError, OSError):
        return "unknown"


def main():
    programs, results = Path(sys.argv[1]), Path(sys.argv[2])
    start, points, left_out = start_of_python(), {}, []
    about = (
        f"Commit {commit()}. {ROWS} rows, {THREADS} threads, medians of {ROUNDS} rounds in turns. Processor time is user and "
        "system time of all threads; wall-clock time includes waiting for whatever else the machine did. The start of "
        f"Python with DuckDB ({shown(start[1])} of processor time) is taken off; manyfit's own start is not."
    )
    for keys in (100_000, 1_000_000):
        for order in ("sorted", "shuffled"):
            with tempfile.TemporaryDirectory(dir=programs) as folder:
                make_files(Path(folder), keys, order)
                for name in ("data.csv", "data.parquet"):
                    point = f"{name.split('.')[1]}, {order}, {keys:.0e} keys"
                    try:
                        points[point] = compare(commands_of(Path(folder) / name, programs), start)
                    except RuntimeError as failure:
                        left_out.append(f"{point} ({failure})")
                        print(f"left out: {left_out[-1]}", file=sys.stderr)
    if not points:
        sys.exit("no point could be compared; nothing is written")
    if left_out:
        about += f" Left out: {'; '.join(left_out)}."
    write(results, "keys", "compare_keys.py", f"{about}\n\n{table(points)}", points)
    print(table(points))


if __name__ == "__main__":
    main()
