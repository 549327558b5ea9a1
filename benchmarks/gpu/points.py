# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Work points a to i on a GPU: which rows of the benchmark programs show them, and what an H200 could do at best.

Floors and goals are seconds, for data in float: the counts of the project's performance plan (132 multiprocessors at
1.98 GHz, 4.3 TB/s of measured copy, 67 TFLOP/s in float, 16 special functions a clock and multiprocessor). Where the
plan gives only bytes, the floor is bytes over bandwidth and says so.
"""
from dataclasses import dataclass

BANDWIDTH = 4.3e12
DEVICE_OF_FLOORS = "H200"


@dataclass(frozen=True)
class Point:
    key: str
    what: str
    row: str  # the row that the floor is held against
    call: str  # a whole call on data in device memory; empty where there is no such row
    end_to_end: str  # a whole call on data in host memory
    cpu: str  # the same work on all threads; a prefix, the number of threads follows
    rate: str  # the counter by which sizes are made comparable
    floor: float = 0.0  # 0: bytes over bandwidth
    tensor_floor: float = 0.0  # where tensor cores could do the products
    goal: float = 0.0  # 0: none given in seconds
    binding: str = "bytes"
    dense: str = ""  # ragged: the dense row whose time per byte it is held against


def mixture(key, what, shape, floor, goal, binding, tensor_floor=0.0, batch=False, cpu_shape=None):
    base = f"mixture/{key}/float/"
    return Point(
        key, what, base + shape + ("/cuda/iterations" if batch else "/cuda"), base + shape + "/cuda" if batch else "",
        base + shape + "/cuda/end_to_end", base + (cpu_shape or shape) + "/cpu/threads=", "points/s", floor,
        tensor_floor, goal, binding,
    )  # fmt: skip


def fits(key, what, family, count, floor=0.0, goal=0.0, binding="bytes", ragged=False):
    base = f"fit/{family}/float/" + ("ragged 1..10000" if ragged else "n=1000")
    rows = [f"{base}/fits={count}/cuda{kind}" for kind in ("/kernels", "", "/end_to_end")]
    dense = f"fit/{family}/float/n=1000/fits=1000000/cuda/kernels" if ragged else ""
    return Point(key, what, *rows, base + "/cpu/threads=", "values/s", floor, 0.0, goal, binding, dense)


POINTS = [
    mixture("a", "mixture, N=1e7 D=1 K=4, an EM iteration", "N=10000000 D=1 K=4", 12.6e-6, 25e-6, "exp, then bytes"),
    mixture("b", "diagonal, N=1e6 D=16 K=64, an iteration", "N=1000000 D=16 K=64", 123e-6, 220e-6, "products", 25e-6),
    mixture(
        "c", "full, N=1e6 D=16 K=64, an iteration", "N=1000000 D=16 K=64", 585e-6, 1e-3, "products", 119e-6,
        cpu_shape="N=200000 D=16 K=64",
    ),  # fmt: skip
    mixture(
        "d", "diagonal, N=1e7 D=32 K=256, an iteration", "N=10000000 D=32 K=256", 10e-3, 15e-3, "products", 2e-3,
        cpu_shape="N=200000 D=32 K=256",
    ),  # fmt: skip
    mixture(
        "e", "10,000 full mixtures, n=1000 D=2 K=3, 50 iterations", "N=1000 D=2 K=3 fits=10000", 0.85e-3, 1.8e-3,
        "issue slots", batch=True,
    ),  # fmt: skip
    fits("f", "1e6 gamma fits, n=1000", "gamma", 1000000, 0.93e-3, 1.2e-3, "bytes, read once"),
    fits("g", "1e6 Weibull fits, n=1000", "weibull", 1000000, 1.5e-3, 3e-3, "exp"),
    fits("h", "1e6 Student-t fits, n=1000", "student_t", 1000000, binding="bytes only, logarithms not counted"),
    fits("h", "1e5 negative binomial fits, n=1000", "negative_binomial", 100000,
         binding="bytes only, logarithms not counted"),  # fmt: skip
    fits("i", "1e6 gamma fits, n 1 to 10,000", "gamma", 1000000, ragged=True),
    fits("i", "1e6 Weibull fits, n 1 to 10,000", "weibull", 1000000, ragged=True),
]


def rows_in_turn(threads):
    """Names of all rows that the table of work points is made of, in groups: what must not be missing comes first."""
    groups = [[getattr(p, kind) for p in POINTS] for kind in ("row", "call", "end_to_end")]
    groups.append([p.cpu + str(threads) for p in POINTS])
    return [[name for name in dict.fromkeys(names) if name] for names in groups]


def rows_wanted(threads):
    return [name for names in rows_in_turn(threads) for name in names]
