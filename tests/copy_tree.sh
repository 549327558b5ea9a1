#!/usr/bin/env bash
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# copy_tree.sh FOLDER: the tree without what is built, for tests that change sources. A build folder that an earlier run
# left in FOLDER stays; every file counts as new, so that nothing built from a changed one is taken for current.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
mkdir -p "$1"
find "$1" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
tar --exclude=./build --exclude=./.venv --exclude=./.git --exclude=./demo-output -cf - . | tar -xmf - -C "$1"
