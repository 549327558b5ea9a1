// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Compiled with the tests' common headers, so that these are precompiled; a program of nothing.

int main() {
  return 0;
}
