#!/usr/bin/env python3
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
#
# registers.py BUILD [NAME...]: writes tests/device/runtime/registers.def anew from what ptxas says. BUILD is a build
# folder with CUDA for compute capability 9.0; the units whose file names hold one of the NAMEs are compiled (all without
# any), and rows of kernels that none of them has stay as they are.
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).parent / "runtime/registers.def"
ROW = re.compile(r"^MF_KERNEL\((\w+), (\w+), (\d+), (\d+)\)$", re.M)


def measure(entry, folder):
    """{mangled name: [most threads, registers]} of a unit's kernels."""
    command = shlex.split(entry["command"])
    command = command[next(i for i, word in enumerate(command) if word.endswith("nvcc")):]
    kept = [w for w in command if not w.startswith("--generate-code") and w not in ("-c", "-MD")]
    for flag in ("-o", "-MT", "-MF"):
        if flag in kept:
            del kept[kept.index(flag):kept.index(flag) + 2]
    kept += ["-cubin", "-arch=sm_90", "-Xptxas=-v", "--keep", f"--keep-dir={folder}", "-o", f"{folder}/unit.cubin"]
    said = subprocess.run(kept, cwd=entry["directory"], capture_output=True, text=True, check=True).stderr
    kernels = {}
    for name, registers in re.findall(r"entry function '(\w+)'.*?Used (\d+) registers", said, re.S):
        kernels[name] = [1024, int(registers)]
    for ptx in pathlib.Path(folder).glob("*.ptx"):
        for name, rest in re.findall(r"\.entry (\w+)\((.*?)\{", ptx.read_text(), re.S):
            threads = re.search(r"\.maxntid (\d+)", rest)
            if threads and name in kernels:
                kernels[name][0] = int(threads.group(1))
    return kernels


def main():
    build, names = sys.argv[1], sys.argv[2:]
    rows = {(k, t): (int(n), int(r)) for k, t, n, r in ROW.findall(TABLE.read_text())}
    found = {}
    for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
        file = entry["file"]
        if not file.endswith(".cu") or "/cuda_" not in file or (names and not any(n in file for n in names)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for mangled, (threads, registers) in measure(entry, folder).items():
                plain = subprocess.run(["c++filt", mangled], capture_output=True, text=True, check=True).stdout
                plain = re.sub(r"::(\w+_kernel<)(?:\w+::)*(\w+)_operation, ", r"::\2_\1", plain)
                name = re.search(r"::(\w+)<(?:.*, )?(double|float)(?:, (?:\(int\))?\d+)*>\(", plain)
                if name:
                    before = found.get(name.groups(), (0, 0))
                    found[name.groups()] = (threads, max(before[1], registers))
        print(file, flush=True)
    rows.update(found)
    text = TABLE.read_text()
    head = text[: text.index("MF_KERNEL(", text.index("registers.py"))]
    TABLE.write_text(head + "".join(f"MF_KERNEL({k}, {t}, {n}, {r})\n" for (k, t), (n, r) in sorted(rows.items())))


if __name__ == "__main__":
    main()
