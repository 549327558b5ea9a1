# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Count, mean and mean logarithm by key, over 5 million rows, in manyfit and DuckDB, and beside them the whole of
`manyfit fit gamma --by`: the same files, on two threads, in alternation. compare_keys.py FOLDER_OF_PROGRAMS RESULTS

CSV and Parquet (of pyarrow, as it writes by default), rows sorted by key or shuffled, 1e5 and 1e6 keys. A program is
started anew for every round and does one file; its whole run counts, as a user waits for it, with the start of Python
for DuckDB measured and taken off. Both wall-clock and processor time are kept, since what else a machine does adds to
the first alone; the best round counts. A time counts only if keys, rows and the sums of means agree to 1e-9.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from common import shown, write

HERE = Path(__file__).resolve().parent
ROWS, ROUNDS, THREADS = 5_000_000, 5, 2


def make_files(folder, keys, order):
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
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    wall, after = time.perf_counter() - began, os.times()
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed"])[-1])
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, done.stdout


def agrees(a, b):
    close = all(abs(a[name] - b[name]) <= 1e-9 * abs(b[name]) for name in ("means", "log_means"))
    return a["keys"] == b["keys"] and a["rows"] == b["rows"] and close


def compare(path, programs, start):
    commands = {
        "manyfit": [str(programs / "keys_manyfit"), str(path), str(THREADS)],
        "DuckDB": [sys.executable, str(HERE / "keys_duckdb.py"), str(path), str(THREADS)],
        "manyfit fit gamma": [str(programs / "manyfit"), "fit", "gamma", str(path), "--by", "k", "--column", "x"]
        + ["--quiet", "--device", "cpu", "--threads", str(THREADS), "--format", "csv", "--out", os.devnull],
    }
    rows, reference = {name: {"software": name, "wall": [], "cpu": []} for name in commands}, None
    for _ in range(ROUNDS):
        for name, command in commands.items():
            wall, cpu, out = run(command)
            if out:
                found = json.loads(out)
                rows[name]["software"] = found["software"]
                reference = reference or found
                if not agrees(found, reference):
                    raise RuntimeError(f"{name}: {found} for {reference}")
            offset = start if name == "DuckDB" else (0.0, 0.0)
            rows[name]["wall"].append(wall - offset[0])
            rows[name]["cpu"].append(cpu - offset[1])
    return list(rows.values())


def start_of_python():
    """The least wall-clock and processor time in which Python is up and has loaded DuckDB."""
    times = [run([sys.executable, "-c", "import duckdb; duckdb.connect()"])[:2] for _ in range(ROUNDS)]
    return min(wall for wall, _ in times), min(cpu for _, cpu in times)


def table(points):
    heads = ["file", "software", "wall-clock", "processor", "wall-clock / DuckDB", "processor / DuckDB"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for point, rows in points.items():
        duck = next(row for row in rows if row["software"].startswith("DuckDB"))
        for i, row in enumerate(rows):
            wall, cpu = min(row["wall"]), min(row["cpu"])
            cells = ["" if i else point, row["software"], shown(wall), shown(cpu)]
            cells += [f"{wall / min(duck['wall']):.2f}", f"{cpu / min(duck['cpu']):.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    programs, results = Path(sys.argv[1]), Path(sys.argv[2])
    start, points = start_of_python(), {}
    for keys in (100_000, 1_000_000):
        for order in ("sorted", "shuffled"):
            with tempfile.TemporaryDirectory(dir=programs) as folder:
                make_files(Path(folder), keys, order)
                for name in ("data.csv", "data.parquet"):
                    point = f"{name.split('.')[1]}, {order}, {keys:.0e} keys"
                    points[point] = compare(Path(folder) / name, programs, start)
                    write(results, "keys", "compare_keys.py", table(points), points)
    print(table(points))


main()
