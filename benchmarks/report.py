# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""report.py RESULTS [cpu|cuda]: turns the JSON of the benchmarks in RESULTS into a table for the README (summary.md),
one of all rows (report.md), and charts (*.svg). ./dev bench runs it after measuring, ./dev bench --report by itself.

A floor is the least time that the counted work (bytes read and written, floating-point operations, exponentials,
logarithms) could take at the ceilings that bench_ceilings measured on the same machine with as many threads in the same
type: the largest of memory, arithmetic and transcendental functions, as if each overlapped the others wholly.
"""
import json
import re
import sys
from pathlib import Path

POINTS = {
    "mixture/a": "a. mixture, N = 1e7, D = 1, K = 4: an iteration",
    "mixture/b": "b. diagonal, N = 1e6, D = 16, K = 64: an iteration",
    "mixture/c": "c. full, N = 2e5, D = 16, K = 64: an iteration",
    "mixture/d": "d. diagonal, N = 2e5, D = 32, K = 256: an iteration",
    "mixture/e": "e. 10,000 mixtures, n = 1000, D = 2, K = 3, full: 50 iterations",
    "fit/gamma/n=1000": "f. 4000 gammas, n = 1000",
    "fit/weibull/n=1000": "g. 4000 Weibulls, n = 1000",
    "fit/student_t/n=1000": "h. 4000 Student-t, n = 1000",
    "fit/negative_binomial/n=1000": "h. 4000 negative binomials, n = 1000",
    "fit/gamma/ragged 1..10000": "i. 20,000 gammas, n from 1 to 10,000",
    "fit/weibull/ragged 1..10000": "i. 20,000 Weibulls, n from 1 to 10,000",
    "fit/beta/n=1000": "4000 betas, n = 1000",
    "fit/normal/n=1000": "4000 normals, n = 1000",
    "fit/gev/n=1000": "4000 GEV, n = 1000",
    "log_density/gamma": "4e6 log-densities, gamma",
    "log_likelihood/gamma": "4000 log-likelihoods, gamma, n = 1000",
    "responsibilities/N=200000 D=4 K=16": "responsibilities, N = 2e5, D = 4, K = 16, full",
    "simulate/gamma": "4e6 draws, gamma",
}
MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
BLUE, ORANGE, GREEN, GREY = "#2b6cb0", "#c05621", "#2f855a", "#718096"


class Row:
    """One benchmark: work, type ("double"), place ("reference", "cpu/threads=2"), times in ms, counters."""

    def __init__(self, name):
        name = re.split(r"/(?:iterations|min_time|repeats|manual_time)\b", name)[0]
        kind = re.search(r"/(double|float)\b", name)
        self.type = kind.group(1)
        before, after = name[: kind.start()], name[kind.end() :].strip("/")
        place = re.search(r"(reference|cpu/threads=\d+|cuda(?:/[a-z_]+)?)$", after or before)
        self.place = place.group(1) if place else ""
        shape = after[: place.start()].strip("/") if place and after else ""
        # Mixtures and sweeps carry their shape in the name as well; the letter or the sizes are enough.
        self.shape = shape
        self.work = before if before.startswith("mixture/") or not shape else f"{before}/{shape}"
        self.times, self.counters = {}, {}

    @property
    def median(self):
        return self.times["median"]


def read(folder, machine):
    """All rows of bench_*-MACHINE.json (cuda: where there was a GPU as well), and what the programs say of the machine."""
    rows, context = {}, {}
    for path in sorted(folder.glob(f"bench_*-{machine}.json")):
        document = json.loads(path.read_text())
        context = document["context"] if not context else context
        for entry in document["benchmarks"]:
            if entry.get("error_occurred"):
                sys.exit(f"{path.name}: {entry['name']}: {entry.get('error_message')}")
            if entry.get("run_type") != "aggregate":
                continue
            row = rows.setdefault(entry["run_name"], Row(entry["run_name"]))
            row.times[entry["aggregate_name"]] = entry["real_time"] * MILLISECONDS[entry["time_unit"]]
            if entry["aggregate_name"] == "median":
                row.counters = {k: v for k, v in entry.items() if isinstance(v, float) and not k.endswith("_time")}
    if not rows:
        sys.exit(f"report: {folder} has no bench_*-{machine}.json; ./dev bench measures")
    return list(rows.values()), context


def shown(milliseconds):
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.3g} ms" if milliseconds >= 1 else f"{milliseconds * 1e3:.3g} µs"


def floor_of(row, ceilings):
    """Milliseconds and what binds; None where nothing is counted or no ceiling is known."""
    threads = 1 if row.place == "reference" else int(row.place.rsplit("=", 1)[1])

    def ceiling(what, kind):
        return ceilings.get((what, kind, threads))

    c = row.counters
    memory, flops = ceiling("read", row.type), ceiling("fma", row.type)
    exp, log = ceiling("exp", row.type), ceiling("log", "double")
    if not (memory and flops and exp and log) or not c.get("bytes"):
        return None
    # A multiply-add counts as two; transcendental functions and products share the same ports, so they add up.
    parts = {
        "memory": c["bytes"] / memory,
        "arithmetic": c.get("flops", 0) / flops + c.get("exps", 0) / exp + c.get("logs", 0) / log,
    }
    binding = max(parts, key=parts.get)
    return parts[binding] * 1e3, binding


def ceilings_of(rows):
    found = {}
    for row in rows:
        if row.work.startswith("ceiling/"):
            rate = next(v for k, v in row.counters.items() if k.endswith("/s"))
            found[(row.work.split("/")[1], row.type, int(row.place.rsplit("=", 1)[1]))] = rate
    return found


def table(heads, lines):
    return "\n".join(["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"] + ["| " + " | ".join(x) + " |" for x in lines])


def threads_of(rows):
    return max(int(r.place.rsplit("=", 1)[1]) for r in rows if r.place.startswith("cpu"))


def summary(rows, ceilings, best_peers):
    threads = threads_of(rows)
    at = {(r.work, r.type, r.place): r for r in rows}
    heads = ["work", "plain C++, one thread", "manyfit, one thread", f"{threads} threads", f"{threads} threads, float"]
    heads += ["times as fast as plain", "of the floor", "of the best other software"]
    lines = []
    for work, title in POINTS.items():
        plain = at.get((work, "double", "reference"))
        one = at.get((work, "double", "cpu/threads=1"))
        all_ = at.get((work, "double", f"cpu/threads={threads}"))
        single = at.get((work, "float", f"cpu/threads={threads}"))
        if not all_:
            continue
        floor = floor_of(all_, ceilings)
        lines.append(
            [
                title,
                shown(plain.median) if plain else "",
                shown(one.median) if one else "",
                shown(all_.median),
                shown(single.median) if single else "",
                f"{plain.median / all_.median:.1f}" if plain else "",
                f"{100 * floor[0] / all_.median:.0f} % ({floor[1]})" if floor else "",
                best_peers.get(work, ""),
            ]
        )
    return table(heads, lines)


def everything(rows, ceilings):
    lines = []
    for row in rows:
        if row.work.startswith("ceiling/"):
            continue
        floor = floor_of(row, ceilings) if not row.place.startswith("cuda") else None
        spread = f"{shown(row.times['p10'])} to {shown(row.times['p90'])}"
        rate = row.counters.get("values/s") or row.counters.get("points/s") or 0
        error = row.counters.get("error")
        lines.append(
            [
                row.work,
                row.type,
                row.place,
                shown(row.median),
                spread,
                f"{rate:.3g}",
                f"{row.counters['fits/s']:.3g}" if "fits/s" in row.counters else "",
                f"{100 * floor[0] / row.median:.0f} % ({floor[1]})" if floor else "",
                f"{error:.0e}" if error is not None and error == error else "",
            ]
        )
    heads = ["work", "type", "where", "median", "10 % to 90 %", "values or points/s", "fits/s", "of the floor", "error"]
    return table(heads, lines)


def ceiling_table(ceilings):
    units = {"read": "GB/s", "fma": "GFLOP/s", "exp": "1e9/s", "log": "1e9/s"}
    lines = [[what, kind, str(n), f"{rate / 1e9:.3g} {units[what]}"] for (what, kind, n), rate in sorted(ceilings.items())]
    return table(["ceiling", "type", "threads", "measured"], lines)


def peers_of(folder):
    """Rows of the comparisons of fits with other software, and for every work point the best of them against manyfit."""
    documents = [json.loads(p.read_text()) for p in sorted(folder.glob("peers-*.json")) if p.stem != "peers-keys"]
    points = {name: rows for d in documents for name, rows in d["points"].items()}
    best = {}
    for name, rows in points.items():
        ours = min((min(r["seconds"]) for r in rows if r["software"].startswith("manyfit") and r["precision"] == "double"), default=None)
        others = [(min(r["seconds"]), r["software"]) for r in rows if not r["software"].startswith("manyfit") and r["seconds"]]
        if ours and others:
            time, software = min(others)
            key = f"mixture/{name}" if len(name) == 1 else f"fit/{name}/n=1000"
            ratio = f"{time / ours:.0f}" if time / ours >= 20 else f"{time / ours:.1f}"
            best[key] = f"{ratio} × ({software})"
    return points, best


def charts(rows, peers, folder):
    try:
        import matplotlib
    except ImportError:
        print("report: no charts, since matplotlib is missing (Debian: python3-matplotlib)", file=sys.stderr)
        return
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "manyfit", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot

    def save(figure, name):
        figure.savefig(folder / name, format="svg", metadata={"Date": None}, bbox_inches="tight")
        pyplot.close(figure)

    threads = threads_of(rows)
    places = {
        "reference": ("plain C++, one thread", GREY),
        "cpu/threads=1": ("manyfit, one thread", ORANGE),
        f"cpu/threads={threads}": (f"manyfit, {threads} threads", BLUE),
        "cuda/end_to_end": ("manyfit, CUDA, transfers included", GREEN),
    }
    sweeps = {"sweep_fits": ("fits", "fits in the batch (n = 100)"), "sweep_points": ("n", "points per fit (4,000,000 in all)")}
    for sweep, (counter, label) in sweeps.items():
        figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True)
        for axis, family in zip(axes, ("gamma", "weibull")):
            for place, (title, colour) in places.items():
                chosen = [r for r in rows if r.work.startswith(f"{sweep}/{family}/") and r.place == place and r.type == "double"]
                chosen.sort(key=lambda r: r.counters[counter])
                if chosen:
                    xs, ys = [r.counters[counter] for r in chosen], [r.counters["values/s"] for r in chosen]
                    axis.plot(xs, ys, marker="o", markersize=4, color=colour, label=title)
            axis.set(xscale="log", yscale="log", xlabel=label, title=family)
            axis.grid(True, which="major", color="#e2e8f0")
        axes[0].set_ylabel("values per second, double")
        axes[0].legend(frameon=False)
        save(figure, f"throughput-by-{counter if counter == 'fits' else 'points'}.svg")

    at = {(r.work, r.place): r.median for r in rows if r.type == "double"}
    works = [w for w in POINTS if (w, "reference") in at and (w, f"cpu/threads={threads}") in at]
    figure, axis = pyplot.subplots(figsize=(9, 0.42 * len(works) + 1))
    for shift, place in ((0.2, "cpu/threads=1"), (-0.2, f"cpu/threads={threads}")):
        ratios = [at[(w, "reference")] / at[(w, place)] for w in works]
        bars = axis.barh([i + shift for i in range(len(works))], ratios, 0.38, color=places[place][1], label=places[place][0])
        axis.bar_label(bars, [f"{r:.1f}" for r in ratios], padding=3, fontsize=8)
    axis.axvline(1, color=GREY)
    axis.set(xscale="log", xlabel="times as fast as plain C++ on one thread (double)")
    axis.set_yticks(range(len(works)), [POINTS[w] for w in works])
    axis.invert_yaxis()
    axis.legend(frameon=False, loc="lower right")
    save(figure, "against-plain.svg")

    if peers:
        lines = []
        for name, found in peers.items():
            ours = min((min(r["seconds"]) for r in found if r["software"].startswith("manyfit") and r["precision"] == "double"), default=None)
            lines += [
                (name, r["software"], min(r["seconds"]) / ours)
                for r in found
                if ours and r["seconds"] and r["precision"] == "double" and not r["software"].startswith("manyfit")
            ]
        figure, axis = pyplot.subplots(figsize=(9, 0.3 * len(lines) + 1))
        colours = dict(zip(sorted({s.split()[0] for _, s, _ in lines}), (BLUE, ORANGE, GREEN, GREY, "#805ad5", "#b83280")))
        bars = axis.barh(range(len(lines)), [r for _, _, r in lines], 0.7, color=[colours[s.split()[0]] for _, s, _ in lines])
        axis.bar_label(bars, [f"{r:.0f}" if r >= 10 else f"{r:.1f}" for _, _, r in lines], padding=3, fontsize=8)
        axis.axvline(1, color=GREY)
        axis.set(xscale="log", xlabel="time of other software over manyfit's, all cores, double")
        axis.set_yticks(range(len(lines)), [f"{n}: {s}" for n, s, _ in lines])
        axis.invert_yaxis()
        save(figure, "peers.svg")


def main():
    folder = Path(sys.argv[1])
    rows, context = read(folder, sys.argv[2] if len(sys.argv) > 2 else "cpu")
    ceilings = ceilings_of(rows)
    peers, best = peers_of(folder)
    commit = context.get("commit", "unknown")
    about = f"{context.get('cpu', '')}; {context['date'][:10]}, commit {commit}, g++ {context.get('compiler', '')}."
    (folder / "summary.md").write_text(f"{about}\n\n{summary(rows, ceilings, best)}\n")
    report = f"# Benchmarks on the CPU\n\n{about} Written by `./dev bench`; how: benchmarks/report.py.\n\n"
    report += f"## Ceilings\n\n{ceiling_table(ceilings)}\n\n## Work points\n\n{summary(rows, ceilings, best)}\n\n"
    report += "![times as fast as plain C++](against-plain.svg)\n\n## Throughput by size\n\n"
    report += "![by number of fits](throughput-by-fits.svg)\n\n![by points per fit](throughput-by-points.svg)\n\n"
    if peers:
        report += "## Other software\n\nSee peers-mixtures.md, peers-fits.md and peers-keys.md.\n\n![other software](peers.svg)\n\n"
    report += f"## Every row\n\n{everything(rows, ceilings)}\n"
    (folder / "report.md").write_text(report)
    charts(rows, peers, folder)


main()
