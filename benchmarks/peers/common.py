# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with other software have in common: how a time is shown and where results go."""
import json
import os
import platform
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


def write(results, what, script, table, points):
    """peers-WHAT.md, a table for people, and peers-WHAT.json, every round, which report.py reads."""
    about = f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, load at the end {os.getloadavg()[0]:.1f}"
    text = f"# The same {what} in other software\n\n"
    text += f"{about}. Written by ./dev bench --peers; how: benchmarks/peers/{script}.\n\n"
    (results / f"peers-{what}.md").write_text(text + table + "\n")
    (results / f"peers-{what}.json").write_text(json.dumps({"machine": about, "points": points}, indent=1) + "\n")
