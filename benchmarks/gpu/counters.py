# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""What the hardware's counters say of the work points' kernels: Nsight Compute's ncu over the benchmark programs, one
launch of each point's kernel. ncu leaves the clocks alone (--clock-control none), so that times are those of ./dev gpu."""
import csv
import io

METRICS = {
    "gpu__time_duration.sum": "time",
    "sm__inst_executed.sum": "warp instructions",
    "smsp__issue_active.avg.pct_of_peak_sustained_active": "issue slots, %",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "warps, %",
    "dram__bytes.sum": "bytes of memory",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed": "memory, %",
    "sm__inst_executed_pipe_xu.avg.pct_of_peak_sustained_active": "special functions, %",
    "sm__inst_executed_pipe_fma.avg.pct_of_peak_sustained_active": "FMA pipe, %",
    "sm__inst_executed_pipe_fp64.avg.pct_of_peak_sustained_active": "double pipe, %",
    "l1tex__data_pipe_lsu_wavefronts_mem_shared.avg.pct_of_peak_sustained_elapsed": "shared memory, %",
    "l1tex__data_bank_conflicts_pipe_lsu.sum": "bank conflicts",
    "launch__registers_per_thread": "registers",
}
STALLS = ("long_scoreboard", "short_scoreboard", "barrier", "math_pipe_throttle", "mio_throttle", "wait", "no_instruction",
          "not_selected", "lg_throttle", "dispatch_stall")  # fmt: skip
STALL = "smsp__average_warps_issue_stalled_{}_per_issue_active.ratio"
KERNELS = "regex:(fit|mixture)_.*kernel"


def command(ncu, program, filter_of_row, skip, count):
    metrics = list(METRICS) + [STALL.format(s) for s in STALLS]
    return [ncu, "--clock-control", "none", "--csv", "--page", "raw", "--print-units", "base", "--kernel-name-base", "function",
            "--kernel-name", KERNELS, "--launch-skip", str(skip), "--launch-count", str(count), "--kill", "yes",
            "--metrics", ",".join(metrics), program, f"--benchmark_filter={filter_of_row}"]  # fmt: skip


def read(text):
    """Rows of ncu's raw page: what was asked for of each launch, with its kernel's name; not the device's attributes."""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    found = []
    for row in csv.DictReader(io.StringIO("\n".join(lines))):
        if not (row.get("ID") or "").isdigit():
            continue  # the line of units
        numbers = {}
        for name in (*METRICS, *map(STALL.format, STALLS)):
            value = row.get(name)
            try:
                numbers[name] = float((value or "").replace(",", ""))
            except ValueError:
                continue
        found.append({"kernel": row.get("Kernel Name", ""), "numbers": numbers})
    return found


def cells(launch):
    """The counters of one launch as a table's cells, the three largest stalls last."""
    numbers = launch["numbers"]
    shown = []
    for metric, what in METRICS.items():
        value = numbers.get(metric)
        text = "" if value is None else f"{value * 1e-3:.4g} µs" if what == "time" else f"{value:.4g}"
        shown.append(text)
    stalls = sorted(((numbers.get(STALL.format(s), 0.0), s) for s in STALLS), reverse=True)[:3]
    return shown + [", ".join(f"{s.replace('_', ' ')} {v:.2g}" for v, s in stalls if v > 0)]


HEADS = [*METRICS.values(), "warps that wait, per issue"]
