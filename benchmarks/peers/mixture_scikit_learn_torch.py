# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison's work in scikit-learn on PyTorch tensors, by its array API (version 1.8 or newer), one fit after
another. The start is given; what init_params asks for, the cheapest, is made all the same and replaced."""
import os

os.environ["SCIPY_ARRAY_API"] = "1"  # before scipy is imported

import sys  # noqa: E402
import warnings  # noqa: E402

import sklearn  # noqa: E402
import torch  # noqa: E402
from sklearn.mixture import GaussianMixture  # noqa: E402
from torch_work import Work  # noqa: E402

warnings.filterwarnings("ignore")


def main():
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
        sys.exit(f"scikit-learn {sklearn.__version__} has no mixtures on PyTorch; 1.8 has")
    sklearn.set_config(array_api_dispatch=True)
    work = Work()
    full = work.structure == "full"

    def fit_one(fit, iterations):
        precisions = 1 / work.variances[fit]
        return GaussianMixture(
            work.K,
            covariance_type="full" if full else "diag",
            tol=0,
            reg_covar=0,
            max_iter=iterations,
            init_params="random",
            weights_init=work.weights[fit] / work.weights[fit].sum(),
            means_init=work.means[fit],
            precisions_init=torch.diag_embed(precisions) if full else precisions,
            random_state=1,
        ).fit(work.values[fit])

    work.answer(
        "scikit-learn " + sklearn.__version__,
        lambda iterations: [fit_one(fit, iterations) for fit in range(work.fits)],
        lambda models: [float(m.score(x)) * work.rows for m, x in zip(models, work.values)],
    )


if __name__ == "__main__":
    main()
