# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison's work in plain PyTorch: EM as one writes it for a GPU, all fits at once, nothing but batched matrix
products and elementwise operations. Points are centred, so that second moments lose no digits in float; TF32 is off, as
it is by default."""
import math

import torch
from torch_work import Work


def log_densities(X, model, full):
    """[fits, rows, K]: log π_k N(x; μ_k, Σ_k)."""
    weights, means, covariances = model
    B, N, D = X.shape
    K = weights.shape[1]
    if full:
        L = torch.linalg.cholesky(covariances)
        identity = torch.eye(D, dtype=X.dtype, device=X.device).expand(B, K, D, D)
        W = torch.linalg.solve_triangular(L, identity, upper=False)
        log_det = W.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        offset = (W @ means.unsqueeze(-1)).reshape(B, 1, K * D)
        Y = X @ W.reshape(B, K * D, D).transpose(1, 2)
        distance = Y.sub_(offset).square_().view(B, N, K, D).sum(-1)
    else:
        precision = 1 / covariances
        log_det = 0.5 * precision.log().sum(-1)
        constant = (means.square() * precision).sum(-1).unsqueeze(1)
        distance = X.square() @ precision.transpose(1, 2) - 2 * X @ (means * precision).transpose(1, 2) + constant
    constant = weights.log() + log_det - 0.5 * D * math.log(2 * math.pi)
    return distance.mul_(-0.5).add_(constant.unsqueeze(1))


def fit(X, products, model, full, iterations):
    B, N, D = X.shape
    for _ in range(iterations):
        density = log_densities(X, model, full)
        R = density.sub_(density.logsumexp(-1, keepdim=True)).exp_().transpose(1, 2)
        counts = R.sum(-1)
        means = R @ X / counts.unsqueeze(-1)
        second = R @ products / counts.unsqueeze(-1)
        if full:
            covariances = second.view(B, -1, D, D) - means.unsqueeze(-1) * means.unsqueeze(-2)
        else:
            covariances = second - means.square()
        model = counts / N, means, covariances
    return model


def main():
    work = Work()
    full = work.structure == "full"
    centre = work.values.mean(1, keepdim=True)
    X = work.values - centre
    products = (X.unsqueeze(-1) * X.unsqueeze(-2)).flatten(2) if full else X.square()
    variances = torch.diag_embed(work.variances) if full else work.variances
    start = (work.weights / work.weights.sum(-1, keepdim=True), work.means - centre, variances)
    work.answer(
        "plain EM",
        lambda iterations: fit(X, products, start, full, iterations),
        lambda model: log_densities(X, model, full).logsumexp(-1).sum(-1),
    )


if __name__ == "__main__":
    main()
