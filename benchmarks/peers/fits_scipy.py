# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison's fits in SciPy, one process per core; arguments as in compare_fits.py. Known locations are fixed, which
is what turns SciPy's closed and one-dimensional solutions on."""
import json
import sys
import time
import warnings

import numpy as np
import scipy
from joblib import Parallel, cpu_count, delayed
from scipy import stats

warnings.filterwarnings("ignore")

FAMILIES = {
    "normal": (stats.norm, {}),
    "gamma": (stats.gamma, {"floc": 0}),
    "beta": (stats.beta, {"floc": 0, "fscale": 1}),
    "weibull": (stats.weibull_min, {"floc": 0}),
    "student_t": (stats.t, {}),
    "gev": (stats.genextreme, {}),
}


def fit_part(samples, family):
    distribution, fixed = FAMILIES[family]
    return [distribution.fit(x, **fixed) for x in samples]


def main():
    family, fits, n = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    values = np.fromfile(sys.argv[1], count=fits * n).reshape(fits, n)
    parts_of_all = np.array_split(values, cpu_count())
    with Parallel(n_jobs=cpu_count()) as workers:
        workers(delayed(fit_part)(part[:2], family) for part in parts_of_all)  # warm
        began = time.perf_counter()
        parts = workers(delayed(fit_part)(part, family) for part in parts_of_all)
        taken = time.perf_counter() - began
    found = [p for part in parts for p in part]
    likelihoods = [float(FAMILIES[family][0].logpdf(x, *p).sum()) for x, p in zip(values[:200], found)]
    print(json.dumps({"software": "SciPy " + scipy.__version__, "all": taken, "log_likelihood": likelihoods}))


if __name__ == "__main__":
    main()
