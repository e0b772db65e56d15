"""The Markdown of a comparison: one table for each part of what bench/run has measured."""
import math, statistics

TITLES = {"torch": "PyTorch", "torch-compile": "torch.compile", "jax": "JAX", "onnxruntime": "ONNX Runtime", "neurona": "neurona"}


def number(x):
    return f"{x:.3g}" if x < 1000 else f"{x:.0f}"


def medians(runs, key):
    """Median of a number over the rounds; None if one round failed or did not say."""
    values = [line.get(key) for line in runs]
    return statistics.median(values) if values and None not in values else None


def spread(cells):
    """How far the furthest two rounds of one cell lie apart, as a ratio; a cell is a list of times."""
    return max((max(times) / min(times) for times in cells if times and None not in times), default=1)


def geometric_mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else None


def ratio(cells):
    """Time of the best peer by ours, of {contender: time}; None without both."""
    peers = [t for name, t in cells.items() if name != "neurona" and t]
    return min(peers) / cells["neurona"] if peers and cells.get("neurona") else None


def markdown(head, rows):
    line = lambda cells: "| " + " | ".join(cells) + " |"
    return [line(head), "|---" * len(head) + "|", *map(line, rows)]


def contest(what, names, rows, versus=True, shown=number):
    """Rows are (name, {contender: number}); with their geometric mean if the best peer is compared with ours."""
    cell = lambda x: shown(x) if x else "fails"
    head = [what, *(TITLES[n] for n in names), *(["best peer / neurona"] if versus else [])]
    body, ratios = [], [r for r in (ratio(cells) for _, cells in rows) if r]
    for name, cells in rows:
        r = ratio(cells)
        body.append([name, *(cell(cells.get(n)) for n in names), *([f"{r:.2f}" if r else "—"] if versus else [])])
    mean = geometric_mean(ratios)
    if versus and mean:
        of = "" if len(ratios) == len(rows) else f" of {len(ratios)}"
        body.append([f"**geometric mean{of}**", *("" for _ in names), f"**{mean:.2f}**"])
    return markdown(head, body)


def steps(threads, part):
    names, first, memory = part["names"], part["first_ms"], part["peak_bytes"]
    out = [f"## A training step, {threads} thread{'s' * (int(threads) > 1)}", "",
           *contest("ms per step", names, list(part["median_ms"].items())), ""]
    if part.get("share_of_peak"):
        shares = ", ".join(f"{w} {100 * s:.0f} %" for w, s in part["share_of_peak"].items() if s)
        out += [f"Share of the machine's rate, {part['peak_gflops']:.0f} GFLOP/s in a product of two 1024 × 1024 matrices, that the products "
                f"of a step reach in neurona: {shares}.", ""]
    out += ["Time to the first step done, compilation included:", "", *contest("ms", names, list(first.items()), versus=False), ""]
    if any(x for cells in memory.values() for x in cells.values()):
        mb = lambda x: f"{x / 1e6:.0f}"
        out += ["Most memory of the process:", "", *contest("MB", names, list(memory.items()), versus=False, shown=mb), ""]
    return out


def latency(part):
    rows = [(f"{w}, batch {n}", cells) for w, batches in part["median_ms"].items() for n, cells in batches.items()]
    return ["## An answer, 1 thread", "", "The same ONNX file, written by `neurona bench --latency --onnx`; the logits agree.", "",
            *contest("ms per batch", part["names"], rows), ""]


def memory(lines):
    mb = lambda x: f"{x / 1e6:.1f}" if x is not None else "—"
    rest = lambda l: None if l["peak_bytes"] is None else l["peak_bytes"] - l["data_bytes"]
    rows = [[f"{l['workload']}, batch {l['batch']}", mb(l["data_bytes"]), mb(l["state_bytes"]), mb(l["program_bytes"]), mb(l["peak_bytes"]),
             mb(rest(l))] for l in lines]
    return ["## Memory over the batch", "", *markdown(["MB", "data", "training state", "program", "process at its peak", "process without data"], rows), ""]


def growth(lines):
    widths, batches = sorted({l["width"] for l in lines}), sorted({l["batch"] for l in lines})
    at = {(l["width"], l["batch"]): l["step_ms"] for l in lines}
    rows = [[f"width {w}", *(number(at[w, b]) if (w, b) in at else "" for b in batches)] for w in widths]
    return [f"## Growth, {lines[0]['threads']} threads", "", "A training step of three dense layers.", "",
            *markdown(["ms per step", *(f"batch {b}" for b in batches)], rows), ""]
