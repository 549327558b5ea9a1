# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""report.py REPORT.json: what ./dev gpu found, as Markdown on standard output.

What stands between the marks "begin readme" and "end readme" is what README.md shows of the newest report. A part that
was not run is "not run", and nothing else stands in its place.
"""
import json
import sys

import counters
from points import BANDWIDTH, DEVICE_OF_FLOORS, POINTS

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
NOT_RUN = "not run"


def shown(seconds):
    if seconds is None:
        return NOT_RUN
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            return f"{seconds / size:.3g} {unit}"


def table(heads, rows):
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join(lines + [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows])


# --- tests and sanitizer ---------------------------------------------------------------------------------------------


def tests_sentence(tests):
    if not tests:
        return f"CUDA tests: {NOT_RUN}"
    text = f"CUDA tests: {tests['passed']} passed, {tests['failed']} failed, {tests['skipped']} skipped"
    if tests["unfinished"]:
        text += f", {tests['unfinished']} did not come to an end"
    return text


def sanitizer_cell(found):
    if not found:
        return NOT_RUN
    if found.get("incomplete"):
        return f"{found['errors']}, but {found['incomplete']}"
    return str(found["errors"])


def sanitizer_table(sanitizer):
    rows = []
    for tool in TOOLS:
        found = (sanitizer or {}).get(tool)
        tests = f"{found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped" if found else ""
        rows.append([tool, sanitizer_cell(found), tests])
    return table(["compute-sanitizer", "errors", "tests under it"], rows)


# --- work points -----------------------------------------------------------------------------------------------------


def point_rows(report):
    """One dictionary for every work point: times in seconds, None where it was not run."""
    rows = (report["parts"].get("bench") or {}).get("rows", {})
    has_floors = DEVICE_OF_FLOORS in report["machine"]["gpu"]
    for point in POINTS:
        found = {name: rows.get(getattr(point, name)) for name in ("row", "call", "end_to_end")}
        cpu = next((row for name, row in rows.items() if name.startswith(point.cpu) and row.get("all_threads")), None)
        main = found["row"]
        good = main if main and "median" in main else None
        result = {"point": point.key, "what": point.what, "binding": point.binding, "failure": (main or {}).get("failure")}
        result["error"] = (good or {}).get("error", (found["call"] or {}).get("error"))
        result["no_call"] = not point.call
        for name, row in found.items():
            result[name] = {k: row[k] for k in ("median", "p10", "p90")} if row and "median" in row else None
        result["floor"] = result["share"] = result["goal"] = result["tensor_floor"] = None
        if good and has_floors:
            result["floor"] = point.floor or good["bytes"] / BANDWIDTH
            result["share"] = result["floor"] / good["median"]
            result["tensor_floor"] = point.tensor_floor or None
            dense = rows.get(point.dense)
            if point.goal:
                result["goal"] = point.goal
            elif dense and "median" in dense:
                result["goal"] = 1.5 * dense["median"] / dense["bytes"] * good["bytes"]
        result["cpu"] = result["times_cpu"] = None
        if good and cpu and "median" in cpu:
            result["times_cpu"] = good[point.rate] / cpu[point.rate]
            result["cpu"] = good["median"] * result["times_cpu"]
        yield result


def point_cells(row):
    if row["failure"]:
        return [f"{row['point']}. {row['what']}", f"failed: {row['failure']}"] + [""] * 8
    if not row["row"]:
        return [f"{row['point']}. {row['what']}", NOT_RUN] + [""] * 8
    error = "" if row["error"] is None else f"{row['error']:.1e}"
    spread = f"{shown(row['row']['p10'])} – {shown(row['row']['p90'])}"
    floor = share = goal = ""
    if row["floor"]:
        floor = f"{shown(row['floor'])} ({row['binding']})"
        share = f"{100 * row['share']:.0f} %"
        if row["tensor_floor"]:
            floor += f"; on tensor cores {shown(row['tensor_floor'])}"
    if row["goal"]:
        goal = f"{shown(row['goal'])}: {'reached' if row['row']['median'] <= row['goal'] else 'not reached'}"
    call = "" if row["no_call"] else shown(row["call"]["median"]) if row["call"] else NOT_RUN
    end_to_end = shown(row["end_to_end"]["median"]) if row["end_to_end"] else NOT_RUN
    cpu = f"{shown(row['cpu'])}, {row['times_cpu']:.3g} times as long" if row["cpu"] else NOT_RUN
    return [f"{row['point']}. {row['what']}", shown(row["row"]["median"]), spread, floor, share, goal, error, call,
            end_to_end, cpu]  # fmt: skip


POINT_HEADS = ["work point, float", "median", "p10 – p90", "floor", "of the floor", "goal",
               "log-likelihood differs by", "whole call", "end to end", "CPU, all threads, same work"]  # fmt: skip


def points_table(report):
    return table(POINT_HEADS, [point_cells(row)[: len(POINT_HEADS)] for row in point_rows(report)])


def other_rows(report):
    rows = (report["parts"].get("bench") or {}).get("rows", {})
    lines = []
    for name, row in rows.items():
        if "median" in row:
            rates = [f"{row[k]:.3g} {k}" for k in ("fits/s", "points/s", "values/s") if k in row]
            lines.append([name, shown(row["median"]), f"{shown(row['p10'])} – {shown(row['p90'])}" if "p10" in row else
                          "", ", ".join(rates)])  # fmt: skip
        else:
            lines.append([name, f"failed: {row['failure']}", "", ""])
    return table(["row", "median", "p10 – p90", "rates"], lines)


# --- agreement -------------------------------------------------------------------------------------------------------


def difference(found):
    d = found["difference"]
    text = d if isinstance(d, str) else f"{d:.1e}" if d else "0"
    if found.get("nan_on_one_side"):
        text += f"; {found['nan_on_one_side']} NaN on one side only"
    return f"{text} ({found['where']})" if found["where"] else text


def agreement_tables(agreement):
    if not agreement:
        return f"Agreement: {NOT_RUN}."
    heads = ["parameters", "log_likelihood", "std_errors"]
    families = table(
        ["family", "data", "tier", "fits", *(h.replace("_", " ") for h in heads), "statuses that differ"],
        [[r["family"], r["type"], r["tier"], r["fits"], *(difference(r[h]) for h in heads),
          statuses(r)] for r in agreement["families"]],
    )  # fmt: skip
    kinds = ["weights", "means", "covariances", "log_likelihood"]
    mixtures = table(
        ["covariance", "data", "tier", "regime", "D, K, rows", *(k.replace("_", " ") for k in kinds),
         "statuses that differ"],
        [[r["structure"], r["type"], r["tier"], r["regime"], f"{r['D']}, {r['K']}, {r['rows']}",
          *(difference(r[k]) for k in kinds), statuses(r)] for r in agreement["mixtures"]],
    )  # fmt: skip
    text = "" if agreement.get("complete") else "**Cut short by its time limit: rows are missing.**\n\n"
    text += (
        f"`{agreement['first']}` against `{agreement['second']}`, worst differences: parameters in units of the larger "
        "of their size and their standard error, log-likelihoods of 1 + |ll|, standard errors and weights of "
        "themselves, means and covariances of the components' standard deviations.\n\n"
    )
    return text + families + "\n\n" + mixtures


def statuses(row):
    return f"{row['status_differs']} ({row['first_status']})" if row["status_differs"] else "0"


def worst_agreement(agreement):
    """The worst of each kind over all rows: (data type, kind) -> (difference, row's name)."""
    worst = {}
    for kind_of_row, kinds in (("families", ("parameters", "log_likelihood", "std_errors")),
                               ("mixtures", ("means", "covariances", "log_likelihood"))):  # fmt: skip
        for row in agreement[kind_of_row]:
            for kind in kinds:
                d = row[kind]["difference"]
                d = float("inf") if isinstance(d, str) or row[kind].get("nan_on_one_side") else d
                key = (kind_of_row, kind, row["type"])
                worst[key] = max(worst.get(key, 0.0), d)
    return worst


def agreement_summary(agreement):
    if not agreement:
        return f"CUDA against CPU: {NOT_RUN}."
    worst = worst_agreement(agreement)
    rows = []
    for kind_of_row, kind in dict.fromkeys((a, b) for a, b, _ in worst):
        cells = [worst.get((kind_of_row, kind, t)) for t in ("double", "float")]
        shown_cells = [NOT_RUN if c is None else f"{c:.1e}" if c else "0" for c in cells]
        rows.append([f"{kind_of_row}, {kind.replace('_', ' ')}", *shown_cells])
    return table(["CUDA against CPU, worst difference", "double", "float"], rows)


# --- counters --------------------------------------------------------------------------------------------------------


def counters_table(found):
    if not found:
        return f"Counters: {NOT_RUN}."
    rows = [[name, launch["kernel"], *counters.cells(launch)] for name, launches in found["launches"].items()
            for launch in launches]  # fmt: skip
    return table(["work point", "kernel", *counters.HEADS], rows)


# --- the whole -------------------------------------------------------------------------------------------------------


def readme_part(report):
    machine, parts = report["machine"], report["parts"]
    rows = list(point_rows(report))
    text = f"{report['date'][:10]}, {machine['gpu']}, driver {machine['driver']}, commit {report['commit'][:12]}"
    text += f" ([the whole report](benchmarks/results/{report['folder']}/report.md)). "
    text += tests_sentence(parts.get("tests")) + "."
    cells = ", ".join(f"{tool} {sanitizer_cell((parts.get('sanitizer') or {}).get(tool))}" for tool in TOOLS)
    text += f" Errors found by compute-sanitizer: {cells}.\n\n"
    shorter = []
    for row in rows:
        cells = point_cells(row)
        shorter.append([cells[0], cells[1], cells[4], cells[8], cells[9]] if row["row"] and not row["failure"]
                       else [*cells[:2], "", "", ""])  # fmt: skip
    text += table(["work point, float", "time", "of the floor", "end to end", "CPU, all threads"], shorter)
    return text + "\n\n" + agreement_summary(parts.get("agreement")) + "\n"


def about(report):
    machine = report["machine"]
    rows = [["date", report["date"]], ["commit of the programs", report["commit"]], ["GPU", machine["gpu"]],
            ["driver", machine["driver"]], ["memory", f"{machine['memory_mib']} MiB"],
            ["clocks, most", f"SM {machine['max_sm_mhz']} MHz, memory {machine['max_memory_mhz']} MHz"]]  # fmt: skip
    during = ((report["parts"].get("bench") or {}).get("clocks")) or {}
    if during:
        rows.append(["clocks while benchmarks ran", f"SM {during['sm_mhz']} MHz, memory {during['memory_mhz']} MHz "
                     "(least, median, most)"])  # fmt: skip
    rows += [["built by", machine["built_by"]], ["CPU", f"{machine['cpu']}, {machine['threads']} threads"]]
    for name, part in report["parts"].items():
        if name == "counters" and not part:
            continue  # only on request
        took = f"{part['date']}, {part['seconds']:.0f} s" if part else NOT_RUN
        rows.append([f"part: {name}", took + (f"; {part['note']}" if part and part.get("note") else "")])
    return table(["", ""], rows)


def markdown(report):
    parts = report["parts"]
    tests, bench = parts.get("tests"), parts.get("bench")
    text = f"# manyfit on {report['machine']['gpu']}\n\nWritten by `./dev gpu`.\n\n{about(report)}\n\n## In short\n\n"
    text += f"<!-- begin readme -->\n{readme_part(report)}<!-- end readme -->\n\n## Tests\n\n{tests_sentence(tests)}.\n"
    for line in (tests or {}).get("problems", []):
        text += f"\n- {line}"
    text += f"\n{sanitizer_table(parts.get('sanitizer'))}\n"
    for tool in TOOLS:
        for line in ((parts.get("sanitizer") or {}).get(tool) or {}).get("problems", []):
            text += f"\n- {tool}: {line}"
    text += f"\n\n## Work points\n\n{points_table(report)}\n\n"
    text += (
        "Fits of one family: the median is the device's own time from data in its memory to results there; a whole "
        "call also brings the results to the host. Mixtures: an iteration is the difference of two calls over the "
        "iterations between them; end to end is a whole call of all its iterations. Log-likelihoods are held against the "
        "plain reference's (fits) and the CPU's in double (mixtures), on the same numbers. The CPU's time is for the same "
        "work, by its rate where it ran on less.\n\n## Agreement\n\n"
    )
    text += agreement_tables(parts.get("agreement")) + "\n\n## Counters\n\n"
    text += counters_table(parts.get("counters")) + "\n\n## All rows\n\n"
    return text + (other_rows(report) if bench else f"Benchmarks: {NOT_RUN}.") + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(markdown(json.load(file)))
