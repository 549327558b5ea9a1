// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every special function of the families, under one include.
#pragma once

#include "kernels/math/bessel.hpp"       // log_bessel_i0, bessel_ratio, ...
#include "kernels/math/gamma.hpp"        // log_gamma, digamma, trigamma, log_minus_digamma, ...
#include "kernels/math/gamma_ratio.hpp"  // log_gamma_ratio and its derivatives; log_gamma of jets
#include "kernels/math/log1p_minus.hpp"
#include "kernels/math/log1p_ratio.hpp"
#include "kernels/math/normal.hpp"    // normal_quantile
#include "kernels/math/stirling.hpp"  // log_gamma_remainder, log_factorial_remainder, minus_half_deviance
