# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# A part of ./dev, which sources it: the CUDA tests on the simulated device.
# shellcheck shell=bash disable=SC2154 # jobs is dev's

simulated_build() { # PRESET [TARGET...]
  local targets=baseline preset=$1
  shift
  # What `test_release`, `test_asan` and `test_tsan` have compiled for the CPU is then in the compiler's cache.
  if [[ $preset != simulated-tsan ]] && grep -qw avx2 /proc/cpuinfo 2>/dev/null; then targets=avx2; fi
  configure "$preset" -DMF_CPU_TARGETS=$targets
  cmake --build "build/$preset" -j "$jobs" --target "${@:-all}"
}

# run_ctest on each of several devices, and the sum of what they count. A RUN is "NAME=VALUE ... -- CTEST OPTIONS".
run_on_devices() { # FOLDER RUN...
  local folder=$1 run settings options log counts p f s passed=0 failed=0 skipped=0
  shift
  log=$(mktemp)
  for run in "$@"; do
    echo "device: $run"
    read -ra settings <<<"${run%% -- *}"
    options=()
    [[ $run != *" -- "* ]] || read -ra options <<<"${run#* -- }"
    # Programs run side by side: an OpenMP thread that has nothing to do must not keep another program's from working.
    (export OMP_WAIT_POLICY=passive "${settings[@]}" && run_ctest "$folder" "${options[@]}") >"$log" 2>&1 || true
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1 || true)
    grep -vE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" || true
    read -r p _ f _ s _ <<<"${counts:-0 passed, 1 failed, 0 skipped}"
    ((passed += p, failed += f, skipped += s)) || true
  done
  rm -f "$log"
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}

# Three devices and seeds, and a machine without a device.
test_simulated() {
  simulated_build simulated
  run_on_devices build/simulated "MF_DEVICE_SEED=1" \
    "MF_DEVICE_SEED=2 MF_DEVICE_MULTIPROCESSORS=2 MF_DEVICE_BLOCKS=1 -- -E simulated_agreement" \
    "MF_DEVICE_SEED=3 MF_DEVICE_MULTIPROCESSORS=5 -- -E simulated_agreement" \
    "MF_DEVICE_COUNT=0 -- -R without_a_device"
}
test_simulated_asan() {
  simulated_build simulated-asan cuda_tests simulated_device_test simulated_host_test simulated_groups_test
  run_on_devices build/simulated-asan "MF_DEVICE_SEED=4 -- -E D32_K100|NOT_BUILT"
}
# Lanes are threads to this sanitizer, a few hundred at once; OpenMP's own waiting is not known to it, hence one thread.
test_simulated_tsan() {
  simulated_build simulated-tsan cuda_tests simulated_groups_test
  local device="MF_DEVICE_SEED=5 MF_DEVICE_MULTIPROCESSORS=2 MF_DEVICE_BLOCKS=1 OMP_NUM_THREADS=1"
  run_on_devices build/simulated-tsan "$device -- -R cuda_reduced|simulated_groups -E grid_tiles|grid_chunks|NOT_BUILT"
}
