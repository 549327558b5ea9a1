# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Writes oracles.json, faithful.csv and groundbeef.csv: public data sets with values published or measured elsewhere,
fitted as in make_references.py. Run by hand; needs Rscript with fitdistrplus, evd and MASS (GPL; only data are taken).

Published values that differ from the exact ones by more than one unit of their last digit are printed.
"""
import subprocess
from decimal import Decimal
from pathlib import Path

from maximum_likelihood import fit
from mpmath import mpf
from writing import write_cases

HERE = Path(__file__).parent
FITDISTRPLUS = "R package fitdistrplus 1.1-8 (GPL-2 or later), data set "
EVD = "R package evd 2.3-6.1 (GPL-3), data set "
MASS = "R package MASS 7.3-58.2 (GPL-2 or GPL-3), data set "
HORSE_KICKS = ("Bortkiewicz (1898), deaths by horse kick in 10 Prussian corps over 20 years, "
               "counts 109/65/22/3/1 (public domain)")

# family, case, source, published values as printed in ORACLES.md (their digits count)
ORACLES = [
    ("gamma", "groundbeef", FITDISTRPLUS + "groundbeef",
     {"shape": "4.00833903182907", "rate": "0.0544273556123481", "log_likelihood": "-1253.62511368925"}),
    ("weibull", "groundbeef", FITDISTRPLUS + "groundbeef",
     {"shape": "2.18561233225939", "scale": "83.3466688316322", "log_likelihood": "-1255.22471986365"}),
    ("lognormal", "groundbeef", FITDISTRPLUS + "groundbeef",
     {"meanlog": "4.16937008945", "sdlog": "0.536609513395", "log_likelihood": "-1261.31929868"}),
    ("lognormal", "danishuni", FITDISTRPLUS + "danishuni",
     {"meanlog": "0.786950080", "sdlog": "0.716554513", "log_likelihood": "-4057.89746127"}),
    ("generalized_pareto", "danishuni_over_10", FITDISTRPLUS + "danishuni, losses over 10 less 10",
     {"scale": "6.97545", "shape": "0.496988", "log_likelihood": "-374.892992"}),
    ("poisson", "toxocara", FITDISTRPLUS + "toxocara", {"log_likelihood": "-507.533429785"}),
    ("negative_binomial", "toxocara", FITDISTRPLUS + "toxocara",
     {"size": "0.396996", "mean": "8.67925", "log_likelihood": "-159.344086"}),
    ("gev", "portpirie", EVD + "portpirie",
     {"location": "3.87475", "scale": "0.198044", "shape": "-0.050110", "log_likelihood": "4.33905847"}),
    ("gumbel", "portpirie", EVD + "portpirie", {"log_likelihood": "4.21768189"}),
    ("gev", "venice", EVD + "venice, largest of each year",
     {"location": "111.0979", "scale": "17.1760", "shape": "-0.07672", "log_likelihood": "-222.714530"}),
    ("poisson", "horse_kicks", HORSE_KICKS, {"rate": "0.61", "log_likelihood": "-206.106721472"}),
    ("student_t", "galaxies", MASS + "galaxies, divided by 1000",
     {"location": "21.1378", "scale": "2.13566", "df": "1.85986", "log_likelihood": "-226.459841"}),
]


def data_sets():
    output = subprocess.run(["Rscript", HERE / "oracles.R"], check=True, capture_output=True, text=True).stdout
    sets = {name: [float(v) for v in values] for name, *values in map(str.split, output.splitlines())}
    sets["danishuni_over_10"] = [v - 10 for v in sets["danishuni"] if v > 10]
    sets["galaxies"] = [v / 1000 for v in sets["galaxies"]]
    sets["horse_kicks"] = [float(k) for k, times in enumerate([109, 65, 22, 3, 1]) for _ in range(times)]
    return sets


def disagreements(case, published):
    """The published numbers that are off by more than one unit of their last digit."""
    for name, text in published.items():
        exact = case["log_likelihood"] if name == "log_likelihood" else case["parameters"][name]
        unit = mpf(10) ** Decimal(text).as_tuple().exponent
        if not abs(exact - mpf(text)) <= unit:
            off = mpf(abs(exact - mpf(text)) / unit)
            yield f"{case['family']} {case['case']}: {name} {text}, exact {float(exact)!r} ({float(off):.1f} units)"


def main():
    sets, cases, wrong = data_sets(), [], []
    for family, name, source, published in ORACLES:
        case = {"family": family, "case": name, "source": source, "values": sets[name], "weights": None, "fixed": {},
                **fit(family, sets[name])}
        wrong += disagreements(case, published)
        cases.append({**case, "published": {key: float(text) for key, text in published.items()}})
    write_cases(HERE / "oracles.json", cases)
    subprocess.run(["Rscript", HERE / "oracles.R", HERE], check=True)
    print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
