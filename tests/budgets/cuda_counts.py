#!/usr/bin/env python3
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""cuda_counts.py BUILD [--write]: what the disassembly of the CUDA kernels in BUILD says, held to cuda_counts.json.

Of every kernel: registers, accesses to local memory (spills and arrays that are not in registers), accesses of an address
whose memory the compiler did not know (generic), and of its hottest loops (the innermost ones with most multiply-adds)
the instructions per multiply-add, where a tensor core's instruction counts as what it multiplies for a lane. A count
more than 5 % over its budget fails, one register or access more does not. Other versions of nvcc count otherwise:
then there is nothing to compare (77). --write takes what is counted for the budget.

Needs cuobjdump and nvdisasm on the PATH (77 without). Ends with "N passed, N failed, N skipped".
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

BUDGETS = pathlib.Path(__file__).with_suffix(".json")
LOOPS = 6  # of a kernel that are held to
LEAST_WORK = 16  # multiply-adds of a loop that is one of them
SLACK = 1.05
# m16n8k16: 2048 multiply-adds by 32 lanes.
WORK = {"FFMA": 1, "DFMA": 1, "HFMA2": 2, "HMMA": 64}

INSTRUCTION = re.compile(r"\s*/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+ )?([A-Z][A-Z0-9]*)(\S*)\s*(.*?)\s*;")
TARGET = re.compile(r"0x([0-9a-f]+)")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def short(mangled):
    """manyfit's kernels by name and template arguments: fit_lanes_kernel<weibull,float,8>."""
    plain = output_of("c++filt", mangled).strip()
    plain = re.sub(r"\(.*\)$", "", plain.removeprefix("void "))
    plain = re.sub(r"manyfit::(cuda_build::)?|\(int\)", "", plain)
    plain = re.sub(r"(\w+_kernel<)(\w+)_operation, ", r"\2_\1", plain)  # a kernel of an operation
    return plain.replace(" ", "")


def innermost_loops(code):
    """(first, last) positions of loops that hold no other: a branch back and what it jumps to."""
    position = {address: i for i, (address, *_) in enumerate(code)}
    found = set()
    for i, (address, name, _, operands) in enumerate(code):
        if name != "BRA":
            continue
        targets = TARGET.findall(operands)
        to = position.get(int(targets[-1], 16)) if targets else None
        if to is not None and to < i:  # the last instruction of a kernel jumps to itself
            found.add((to, i))
    return [a for a in found if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in found)]


def counts_of(code, registers):
    names = [name for _, name, _, _ in code]
    loops = []
    for first, last in innermost_loops(code):
        work = sum(WORK.get(name, 0) for name in names[first : last + 1])
        if work >= LEAST_WORK:
            loops.append({"multiply_adds": work, "instructions": last + 1 - first,
                          "shared": sum(n in ("LDS", "STS", "LDSM") for n in names[first : last + 1])})  # fmt: skip
    loops.sort(key=lambda l: (-l["multiply_adds"], l["instructions"]))
    return {
        "registers": registers,
        "instructions": len(code),
        "local": sum(n in ("LDL", "STL") for n in names),
        "generic": sum(n in ("LD", "ST", "ATOM") for n in names),
        "shared": sum(n in ("LDS", "STS", "LDSM", "ATOMS") for n in names),
        "loops": loops[:LOOPS],
    }


def kernels_of(object_file):
    usage = output_of("cuobjdump", "--dump-resource-usage", object_file)
    registers = {m[1]: int(m[2]) for m in re.finditer(r"Function (\S+?):\s*\n\s*REG:(\d+)", usage)}
    code, found = None, {}
    for line in output_of("cuobjdump", "-sass", object_file).splitlines():
        begins = re.search(r"Function : (\S+)", line)
        if begins:
            code = found.setdefault(begins[1], [])
        elif code is not None:
            match = INSTRUCTION.match(line)
            if match and match[2] != "NOP":
                code.append((int(match[1], 16), match[2], match[3], match[4]))
    return {short(name): counts_of(code, registers[name]) for name, code in found.items()}


def over(budget, counted, path=""):
    """What is more than its budget allows."""
    for name, most in budget.items():
        now, where = counted[name], f"{path}{name}"
        if name == "loops":
            for i, (was, is_now) in enumerate(zip(most, now)):
                a, b = (x["instructions"] / x["multiply_adds"] for x in (was, is_now))
                if b > SLACK * a:
                    yield f"loop {i}: {b:.2f} instructions per multiply-add, not {a:.2f}"
        elif name != "shared" and now > max(SLACK * most, most + 1):
            yield f"{where}: {now}, not {most}"


def version_of(build):
    cache = (build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CUDA_COMPILER:\w+=(.*)$", cache, re.M)[1]
    return re.search(r"release.*, V(\S+)", output_of(compiler, "--version"))[1]


def main():
    build, write = pathlib.Path(sys.argv[1]), "--write" in sys.argv[2:]
    if not (shutil.which("cuobjdump") and shutil.which("nvdisasm")):
        print("skipped: counted instructions of CUDA (no cuobjdump and nvdisasm)")
        return 77
    version = version_of(build)
    budgets = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {"nvcc": version, "kernels": {}}
    if budgets["nvcc"] != version and not write:
        print(f"skipped: counted instructions of CUDA (budgets are of nvcc {budgets['nvcc']}, this is {version})")
        return 77
    counted = {}
    for object_file in sorted((build / "kernels").rglob("*.cu.o")):
        counted.update(kernels_of(object_file))
    counted = {name: counts for name, counts in sorted(counted.items()) if "_kernel<" in name}
    if not counted:
        print(f"FAILED: no kernels in {build}")
        return 1
    if write:
        lines = [f"  {json.dumps(n)}: {json.dumps(c)}" for n, c in counted.items()]
        BUDGETS.write_text('{"nvcc": "%s", "kernels": {\n%s\n}}\n' % (version, ",\n".join(lines)))
        print(f"{len(counted)} kernels written")
        return 0
    passed = failed = 0
    for name, budget in budgets["kernels"].items():
        problems = list(over(budget, counted[name])) if name in counted else ["it is not there"]
        for problem in problems:
            print(f"FAILED: {name}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    for name in counted.keys() - budgets["kernels"].keys():
        print(f"FAILED: {name}: no budget; --write takes what is counted")
        failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
