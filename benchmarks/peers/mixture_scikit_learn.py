# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison's work in scikit-learn; arguments and answer as in mixture_work.hpp.

One fit has BLAS's threads to itself; many fits go to one process per core with one BLAS thread each (joblib), which is
faster than the other way round.
"""
import json
import sys
import time
import warnings

import numpy as np
import sklearn
from joblib import Parallel, cpu_count, delayed
from sklearn.mixture import GaussianMixture

warnings.filterwarnings("ignore")


def model(start, rows, dimensions, components, structure, iterations):
    weights = start[:components]
    means = start[components : components * (1 + dimensions)].reshape(components, dimensions)
    precisions = 1 / start[components * (1 + dimensions) :].reshape(components, dimensions)
    if structure == "full":
        precisions = np.stack([np.diag(p) for p in precisions])
    return GaussianMixture(
        components,
        covariance_type={"full": "full", "diagonal": "diag"}[structure],
        tol=0,
        reg_covar=0,
        max_iter=iterations,
        init_params="random",  # the cheapest; what it makes is replaced by the start given
        weights_init=weights / weights.sum(),
        means_init=means.astype(start.dtype),
        precisions_init=precisions,
        random_state=1,
    )


def fit(values, *arguments):
    return model(*arguments).fit(values)


def fit_part(values, starts, *arguments):
    return [fit(v, s, *arguments) for v, s in zip(values, starts)]


def main():
    values, start = (np.fromfile(name) for name in sys.argv[1:3])
    rows, dimensions, components = map(int, sys.argv[3:6])
    structure, fits, iterations, precision = sys.argv[6], int(sys.argv[7]), int(sys.argv[8]), sys.argv[9]
    values = values[: fits * rows * dimensions].reshape(fits, rows, dimensions)
    values = values.astype(np.float32 if precision == "float" else np.float64)
    start = start[: fits * components * (1 + 2 * dimensions)].reshape(fits, -1).astype(values.dtype)

    def run(count):
        shape = (rows, dimensions, components, structure, count)
        began = (time.perf_counter(), time.process_time())
        if fits == 1:
            models = [fit(values[0], start[0], *shape)]
        else:
            parts_of_all = np.array_split(np.arange(fits), cpu_count())
            parts = workers(delayed(fit_part)(values[s], start[s], *shape) for s in parts_of_all)
            models = [m for part in parts for m in part]
        taken = [time.perf_counter() - began[0], time.process_time() - began[1]]
        return (taken if fits == 1 else [taken[0], None]), models  # other processes' time is not known here

    with Parallel(n_jobs=cpu_count()) as workers:
        run(1)  # warm
        first, _ = run(1)
        everything, models = run(1 + iterations)
    found = [m.score(v) * rows for m, v in zip(models, values)]
    answer = {"software": "scikit-learn " + sklearn.__version__, "first": first, "all": everything}
    print(json.dumps(answer | {"log_likelihood": [float(x) for x in found]}))


if __name__ == "__main__":
    main()
