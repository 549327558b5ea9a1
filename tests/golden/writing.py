# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""JSON with every mpf at 17 significant digits and every double at its shortest exact form."""
import json

from mpmath import mpf, nstr


def to_json(value):
    if isinstance(value, mpf):
        return nstr(value, 17)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {to_json(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_json, value)) + "]"
    return json.dumps(value)


def write_cases(path, cases):
    """A JSON array, one case a line; a case that is text already is kept as it is."""
    with open(path, "w") as out:
        out.write("[\n" + ",\n".join(case if isinstance(case, str) else to_json(case) for case in cases) + "\n]\n")
