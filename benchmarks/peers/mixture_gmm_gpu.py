# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison's work in gmm-gpu: all fits at once, float data, full covariances, which is what it has. The start is
given, so the k-means that it runs all the same is left out of it."""
import importlib.metadata
import sys

import torch
from gmm_gpu.gmm import GMM
from torch_work import Work


class FromStart(GMM):
    def _init_clusters(self, X):
        return torch.zeros(X.shape[:2], dtype=torch.int64, device=X.device)


def main():
    work = Work()
    if work.dtype != torch.float32 or (work.structure != "full" and work.D > 1):
        sys.exit("gmm-gpu has full covariances of float data only")

    def fit(iterations):
        model = FromStart(
            work.K,
            max_iter=iterations,
            device=str(work.device),
            tol=0,
            reg_covar=0,
            means_init=work.means.clone(),
            weights_init=work.weights.clone(),
            precisions_init=torch.diag_embed(1 / work.variances),
        )
        model.fit(work.values)
        return model

    work.answer(
        "gmm-gpu " + importlib.metadata.version("gmm-gpu"),
        fit,
        lambda model: model.score_samples(work.values).double().sum(1),
    )


if __name__ == "__main__":
    main()
