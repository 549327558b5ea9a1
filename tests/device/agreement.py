#!/usr/bin/env python3
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""agreement.py PROGRAM [OUT.md]: how far the CPU and the simulated device lie apart over every family, covariance,
precision, tier and regime. PROGRAM is the preset simulated's cuda_agreement. Prints the tables; fails where a status
differs, a number is NaN on one side only, or a difference is beyond LIMITS. OUT.md is written when all of it ran."""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "benchmarks" / "gpu"))

import report  # noqa: E402

# In the units that the tables name; families in float converge to sqrt of float's rounding in flat directions.
LIMITS = {
    ("families", "parameters", "double"): 1e-6,
    ("families", "log_likelihood", "double"): 1e-9,
    ("families", "std_errors", "double"): 1e-4,
    ("families", "parameters", "float"): 1e-3,
    ("families", "log_likelihood", "float"): 1e-5,
    ("families", "std_errors", "float"): 1e-2,
    ("mixtures", "means", "double"): 1e-9,
    ("mixtures", "covariances", "double"): 1e-8,
    ("mixtures", "log_likelihood", "double"): 1e-9,
    ("mixtures", "means", "float"): 1e-3,
    ("mixtures", "covariances", "float"): 1e-3,
    ("mixtures", "log_likelihood", "float"): 1e-6,
}
HEAD = """# The CPU and the simulated device

Written by `tests/device/agreement.py`: the CUDA kernels on a device that is simulated on the CPU (tests/device). Nothing
here was measured on a GPU; `./dev gpu` makes the same tables there.

"""


def main():
    program, out = sys.argv[1], sys.argv[2:3]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "agreement.json"
        status = subprocess.run([program, path, "cuda:0", "cpu"]).returncode
        agreement = json.loads(path.read_text())
    worst = report.worst_agreement(agreement)
    text = report.agreement_summary(agreement) + "\n\n" + report.agreement_tables(agreement) + "\n"
    print(text)
    beyond = [f"{' '.join(key)}: {worst[key]}" for key, limit in LIMITS.items() if not worst[key] <= limit]
    for line in beyond:
        print(f"FAILED: {line}")
    if status != 0 or beyond or not agreement.get("complete"):
        sys.exit(1)
    if out:
        pathlib.Path(out[0]).write_text(HEAD + text)


if __name__ == "__main__":
    main()
