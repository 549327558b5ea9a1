# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# ./dev gpu, a part of ./dev, which sources it: what it refuses, what it builds to be carried, and peers on a GPU.
# shellcheck shell=bash disable=SC2154 # jobs, results and cuda_folder are dev's

carried=build/gpu/carried # programs that need nothing but glibc, and what built them; carried.tar.xz holds the same

# Google Benchmark as a static library, of which Debian has the source only: from where its packages come from.
static_benchmark() {
  local folder=$PWD/build/gpu/google_benchmark file
  [[ ! -f $folder/lib/cmake/benchmark/benchmarkConfig.cmake ]] || return 0
  rm -rf "$folder" && mkdir -p "$folder/lists/partial" "$folder/parts" "$folder/source"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [[ ! -f $file ]] || sed -E 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$file" >"$folder/parts/$(basename "$file")"
  done
  mv "$folder/parts/sources.list" "$folder/sources.list" 2>/dev/null || : >"$folder/sources.list"
  local apt=(apt-get -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts="$folder/parts"
    -o Dir::State::lists="$folder/lists")
  "${apt[@]}" update || true # what other sources lack does not matter here
  (cd "$folder" && "${apt[@]}" source --download-only benchmark && tar xf benchmark_*.orig.tar.* --strip-components=1 -C source)
  cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DBENCHMARK_ENABLE_TESTING=OFF -DCMAKE_INSTALL_PREFIX="$folder" -DCMAKE_INSTALL_LIBDIR=lib
  cmake --build "$folder/build" -j "$jobs" --target install
}

# build/gpu/carried: every program of the preset gpu, stripped; the archive finds again in one what the others hold too.
gpu_build() {
  local program commit=unknown
  find_nvcc || die "nvcc is missing: ./dev build --with-cuda fetches it" 5
  if git rev-parse --verify --quiet HEAD >/dev/null; then
    commit=$(git rev-parse HEAD)$(git diff --quiet HEAD -- . || echo -modified)
  fi
  quietly gpu-google-benchmark static_benchmark || die "Google Benchmark's source could not be had or built"
  configure gpu "-DCMAKE_CUDA_COMPILER=$CUDACXX" "-DCMAKE_CUDA_ARCHITECTURES=${gpu_target:-90}-real" \
    "-Dbenchmark_DIR=$PWD/build/gpu/google_benchmark/lib/cmake/benchmark"
  quietly build-gpu cmake --build build/gpu -j "$jobs"
  rm -rf "$carried" && mkdir -p "$carried"
  for program in build/gpu/test_programs/* build/gpu/bench_* build/gpu/mixture_manyfit; do
    [[ -f $program && -x $program ]] || continue
    strip -o "$carried/$(basename "$program")" "$program"
    ! ldd "$program" | grep -vE 'linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so' ||
      die "$program needs a library that may be missing where it is carried to"
  done
  printf '{"commit": "%s", "compilers": "nvcc %s for sm_%s, g++ %s"}\n' "$commit" \
    "$("$CUDACXX" --version | sed -n 's/.*release.*, V//p')" "${gpu_target:-90}" "$(g++ -dumpfullversion)" >"$carried/built.json"
  XZ_OPT=--lzma2=preset=6,dict=128MiB tar cJf "$carried.tar.xz" -C "$carried" .
  say "gpu: $carried.tar.xz, $(du -m "$carried.tar.xz" | cut -f1) MiB to be carried, commit $commit"
}

# The programs in build/gpu/carried, out of the archive where there is one, else built.
gpu_programs() {
  if [[ -f $carried.tar.xz && ! $carried/built.json -nt $carried.tar.xz ]]; then # Python reads xz also where there is no xz
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$carried.tar.xz" "$carried"
    touch "$carried/built.json"
  elif [[ ! -d $carried ]]; then
    gpu_build
  fi
}

# The mixtures in other people's software on a machine with a GPU: by the python3 that has PyTorch and scikit-learn.
gpu_peers() { # [POINT...]
  local gpu_target name packages=$PWD/build/gpu/peers
  gpu_target=$(gpu_architecture)
  python3 -c 'import numpy' 2>/dev/null || die "the comparison needs python3 with numpy, and on the GPU with torch"
  gpu_programs
  export PYTHONPATH=$packages${PYTHONPATH:+:$PYTHONPATH}
  python3 -c 'import gmm_gpu' 2>/dev/null ||
    quietly gmm-gpu python3 -m pip --disable-pip-version-check install --quiet --timeout 8 --retries 0 --no-deps \
      --target "$packages" gmm-gpu || say "bench: going on without gmm-gpu, which could not be fetched"
  name=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
  name=$(sed -E 's/[^a-z0-9]+/-/g' <<<"${name,,}")
  mkdir -p "$results/$name"
  python3 benchmarks/peers/compare.py "$carried" "$results/$name" "$@"
}

# What keeps ./dev gpu from running, a line each.
gpu_missing() { # ONLY
  if ! have nvidia-smi; then
    echo "a GPU: no NVIDIA driver here (nvidia-smi is missing)"
  elif [[ -z $gpu_target ]]; then
    echo "a GPU: nvidia-smi lists none"
  fi
  [[ -d $carried || -f $carried.tar.xz ]] || find_nvcc ||
    echo "nvcc, and nothing is built: ./dev build --with-cuda fetches it, or carry build/gpu/carried.tar.xz of ./dev gpu --build here"
  [[ $1 != counters || -n $ncu ]] || echo "ncu (Nsight Compute), which comes with the CUDA toolkit"
  [[ $1 != sanitizer || -n $sanitizer ]] || echo "compute-sanitizer, which comes with the CUDA toolkit"
  have python3 || echo "python3, which writes the report"
}

gpu() {
  local only="" missing gpu_target sanitizer ncu
  gpu_target=$(gpu_architecture)
  if [[ ${1:-} == --build && $# == 1 ]]; then
    gpu_build
    return
  fi
  [[ ${1:-} != --only ]] || only=${2:-}
  [[ ($# == 0) || ($# == 2 && $only =~ ^(tests|bench|agreement|sanitizer|counters)$) ]] ||
    die "gpu takes --build or --only tests|bench|agreement|sanitizer|counters" 2
  sanitizer=$(command -v compute-sanitizer || command -v "$cuda_folder/bin/compute-sanitizer" || true)
  ncu=$(command -v ncu || command -v "$cuda_folder/bin/ncu" || true)
  missing=$(gpu_missing "$only")
  if [[ -n $missing ]]; then
    say "dev: ./dev gpu cannot run here. Missing:"
    sed 's/^/  - /' <<<"$missing" >&2
    exit 5
  fi
  gpu_programs
  exec python3 benchmarks/gpu/run.py "$carried" "$results" ${only:+--only "$only"} ${sanitizer:+--sanitizer "$sanitizer"} \
    ${ncu:+--ncu "$ncu"}
}
