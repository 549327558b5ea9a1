# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with other software have in common: how a time is shown and where results go."""
import json
import os
import platform
import sys
import time
from pathlib import Path


def shown(seconds):
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def processor():
    try:
        names = [s for s in Path("/proc/cpuinfo").read_text().splitlines() if s.startswith("model name")]
        return names[0].split(":", 1)[1].strip()
    except (OSError, IndexError):
        return platform.machine()


def rows_of(points):
    """Which (point, software without its version, precision) are there."""
    named = [(p, row["software"].split(), row["precision"]) for p, rows in points.items() for row in rows]
    return {(p, " ".join(word for word in words if not word[0].isdigit()), precision) for p, words, precision in named}


def without_manyfit(points):
    """The points whose rows lack manyfit's own in double: what is left compares nothing with anything."""
    there = rows_of(points)
    return [p for p in points if (p, "manyfit", "double") not in there]


def write(results, what, script, table, points):
    """peers-WHAT.md, a table for people, and peers-WHAT.json, every round, which report.py reads. Raises RuntimeError and
    writes nothing where manyfit is missing. Rows that lack some of those that stand there are written beside them, as
    peers-WHAT-partial, not over them. Gives the name written."""
    gone = without_manyfit(points)
    if gone:
        raise RuntimeError(f"manyfit has no row in {', '.join(gone)}: that is no comparison, and nothing is written")
    name, old = f"peers-{what}", results / f"peers-{what}.json"
    lost = rows_of(json.loads(old.read_text())["points"]) - rows_of(points) if old.exists() else set()
    if lost:
        name += "-partial"
        shown_rows = "; ".join(sorted(" ".join(row) for row in lost))
        print(f"these rows of {old.name} were not measured now, so it stays as it is: {shown_rows}", file=sys.stderr)
    about = f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, load at the end {os.getloadavg()[0]:.1f}"
    text = f"# The same {what} in other software\n\n"
    text += f"{about}. Written by ./dev bench --peers; how: benchmarks/peers/{script}.\n\n"
    (results / f"{name}.md").write_text(text + table + "\n")
    (results / f"{name}.json").write_text(json.dumps({"machine": about, "points": points}, indent=1) + "\n")
    return name
