# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""What the comparison's programs on PyTorch have in common: the work as compare.py lays it down in files, times with the
device waited for, and the line that they answer with. Arguments as in mixture_work.hpp, then a device, cuda by default.
"""
import json
import sys
import time

import numpy as np
import torch


class Work:
    """values: [fits, rows, D]; weights: [fits, K]; means, variances: [fits, K, D]: tensors on the device."""

    def __init__(self):
        values, start = (np.fromfile(name) for name in sys.argv[1:3])
        self.rows, self.D, self.K = map(int, sys.argv[3:6])
        self.structure, self.fits, self.iterations = sys.argv[6], int(sys.argv[7]), int(sys.argv[8])
        self.device = torch.device(sys.argv[10] if len(sys.argv) > 10 else "cuda")
        if self.device.type == "cuda" and not torch.cuda.is_available():
            sys.exit("PyTorch sees no CUDA device")
        self.dtype = {"float": torch.float32, "double": torch.float64}[sys.argv[9]]
        shape = (self.fits, self.rows, self.D)
        self.values = self.tensor(values[: self.fits * self.rows * self.D].reshape(shape))
        start = start[: self.fits * self.K * (1 + 2 * self.D)].reshape(self.fits, -1)
        self.weights = self.tensor(start[:, : self.K])
        self.means = self.tensor(start[:, self.K : self.K * (1 + self.D)].reshape(self.fits, self.K, self.D))
        self.variances = self.tensor(start[:, self.K * (1 + self.D) :].reshape(self.fits, self.K, self.D))

    def tensor(self, array):
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device, self.dtype)

    def synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def seconds(self, call):
        """By the clock, with nothing of the call left to do on the device; and what the call returned."""
        self.synchronize()
        began = time.perf_counter()
        returned = call()
        self.synchronize()
        return time.perf_counter() - began, returned

    def answer(self, software, run, log_likelihood):
        """Warms up, a GPU for a second, in which its clocks rise; times one iteration and one more than those asked for, and
        prints the answer. run(iterations) returns a model, log_likelihood(model) one number per fit."""
        began = time.perf_counter()
        self.seconds(lambda: run(1))
        while self.device.type == "cuda" and time.perf_counter() - began < 1:
            self.seconds(lambda: run(1))
        first, _ = self.seconds(lambda: run(1))
        everything, model = self.seconds(lambda: run(1 + self.iterations))
        name = torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu"
        found = {"software": f"{software}, PyTorch {torch.__version__} on {name}", "first": [first, None]}
        found.update(all=[everything, None], log_likelihood=[float(x) for x in log_likelihood(model)])
        print(json.dumps(found))
