"""Time node tables and GraphML beside NetworkX, and build, prune and export a large network, in one run.

    python analysis/benchmark_network.py --out analysis/results/benchmark_network.json

Layers are of ViT-B/16 size (12 layers, 196 nodes, min_cut 0.01): softmax attention of random scores, drawn by a seed, whose density is
printed. NetworkX computes the same ten centralities on the same layers, from graphs that it has already; every value is compared. GraphML is
written from the same network, each writer in a process of its own that tells its peak memory; so is the large network, of ViT-L/16 size at
384 x 384 pixels (24 layers, 576 nodes, unpruned). NetworkX's betweenness and closeness take minutes; `--layers 2` times fewer layers.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np

import multiplex_vit as mv

MEASURES = (
    "in_strength",
    "out_strength",
    "in_degree",
    "out_degree",
    "pagerank",
    "hub",
    "in_closeness",
    "harmonic",
    "betweenness",
    "clustering",
)


def make_network(n_layers: int, grid: tuple[int, int], seed: int = 0) -> mv.Multiplex:
    """Return a network of softmax attention of standard normal scores, each layer's drawn anew; not pruned."""
    rng, n = np.random.default_rng(seed), grid[0] * grid[1]
    weights = np.exp(rng.standard_normal((n_layers, n, n), dtype=np.float32))
    return mv.Multiplex(weights / weights.sum(-1, keepdims=True), grid)


def theirs(graph: nx.DiGraph, measure: str) -> dict[int, float]:
    """Return a centrality by NetworkX; edges have `weight` and `length` = 1 / weight."""
    functions: dict[str, Callable[[], Any]] = {
        "in_strength": lambda: dict(graph.in_degree(weight="weight")),
        "out_strength": lambda: dict(graph.out_degree(weight="weight")),
        "in_degree": lambda: dict(graph.in_degree()),
        "out_degree": lambda: dict(graph.out_degree()),
        "pagerank": lambda: nx.pagerank(graph, tol=1e-12, max_iter=1000),
        "hub": lambda: nx.hits(graph, tol=1e-12, max_iter=10_000)[0],
        "in_closeness": lambda: nx.closeness_centrality(graph, distance="length"),
        "harmonic": lambda: nx.harmonic_centrality(graph, distance="length"),
        "betweenness": lambda: nx.betweenness_centrality(graph, weight="length", normalized=False),
        "clustering": lambda: nx.clustering(graph, weight="weight"),
    }
    return functions[measure]()


def compare_tables(net: mv.Multiplex) -> dict[str, Any]:
    """Return seconds of ten centralities on every layer, by us (graphs built anew) and by NetworkX (graphs given), and their agreement."""
    graphs = [
        nx.from_numpy_array(layer.astype(float), create_using=nx.DiGraph) for layer in net.weights
    ]
    for graph in graphs:
        for *_, data in graph.edges(data=True):
            data["length"] = 1 / data["weight"]
    seconds, table = timed(lambda: mv.Multiplex(net.weights, net.grid).node_table(MEASURES))
    rows = []
    for measure in MEASURES:
        own, _ = timed(
            lambda measure=measure: mv.Multiplex(net.weights, net.grid).node_table(measure)
        )
        slow, values = timed(lambda measure=measure: [theirs(graph, measure) for graph in graphs])
        other = np.concatenate([[layer[i] for i in range(net.n_nodes)] for layer in values])
        rows.append(
            {
                "measure": measure,
                "seconds": own,
                "networkx_s": slow,
                "ratio": slow / own,
                "greatest_difference": difference(table, measure, other, net),
            }
        )
        print(
            f"  {measure}: {own:.3f} s, NetworkX {slow:.2f} s, {slow / own:.0f} x; relative difference {rows[-1]['greatest_difference']:.1e}",
            flush=True,
        )
    total = sum(row["networkx_s"] for row in rows)
    return {"seconds": seconds, "networkx_s": total, "ratio": total / seconds, "measures": rows}


def difference(table: Any, measure: str, other: np.ndarray, net: mv.Multiplex) -> float:
    """Return the greatest relative difference; hubs are brought to a sum of 1 in each layer first, as NetworkX has them; clustering without self-loops."""
    own = table[measure].to_numpy(dtype=float).reshape(net.n_layers, -1)
    own = own / own.sum(1, keepdims=True) if measure == "hub" else own
    return float((np.abs(own.ravel() - other) / np.maximum(np.abs(other), 1e-12)).max())


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result of one call."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


# --- jobs that run in a process of their own, to know their peak memory ----------------------------------------------


def write_ours(net: mv.Multiplex, path: Path) -> tuple[float, float]:
    """Return the seconds that `Multiplex.write` takes, and the peak memory before it."""
    before = peak_mib()
    return timed(lambda: net.write(path, measures=None))[0], before


def write_networkx(net: mv.Multiplex, path: Path) -> tuple[float, float]:
    """Return the seconds that NetworkX's writer takes for the same graph, which it has already, and the peak memory before it."""
    graph = net.to_networkx()
    before = peak_mib()
    return timed(lambda: nx.write_graphml(graph, path))[0], before


def large(net: mv.Multiplex, path: Path) -> tuple[float, float]:
    """Build layers, prune and write the unpruned network; return the seconds, and the peak memory before."""
    start, before = time.perf_counter(), peak_mib()
    print(f"  {net!r}: built", file=sys.stderr)
    print(f"  {net.prune(0.01)!r}: pruned", file=sys.stderr)
    net.layer_table(("edges", "density", "isolates"))
    net.write(path, measures="in_strength")
    return time.perf_counter() - start, before


JOBS = {"write_ours": write_ours, "write_networkx": write_networkx, "large": large}


def peak_mib() -> float:
    """Return this process's peak memory; `getrusage` would tell its parent's where that is greater."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def run_job(name: str, n_layers: int, side: int, min_cut: float) -> dict[str, float]:
    """Run a job in a process of its own; return its seconds, peak memory and file size."""
    command = [
        sys.executable,
        __file__,
        "--job",
        name,
        "--layers",
        str(n_layers),
        "--side",
        str(side),
        "--min-cut",
        str(min_cut),
    ]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def job(args: argparse.Namespace) -> None:
    """Run one job here and print what it took."""
    net = make_network(args.layers, (args.side, args.side))
    net = net.prune(args.min_cut) if args.min_cut else net
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.graphml")
        seconds, before = JOBS[args.job](net, path)
        size = path.stat().st_size / 2**20
    print(
        json.dumps(
            {
                "seconds": seconds,
                "peak_before_mib": before,
                "peak_mib": peak_mib(),
                "file_mib": size,
            }
        )
    )


def main() -> None:
    """Run all comparisons and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--side", type=int, default=14, help="rows and columns of patches")
    parser.add_argument("--min-cut", type=float, default=0.01)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--job", choices=list(JOBS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        return job(args)
    net = make_network(args.layers, (args.side, args.side)).prune(args.min_cut)
    density = np.count_nonzero(net.weights) / net.weights.size
    print(f"{net!r}, density {density:.2f}")
    tables = compare_tables(net)
    print(
        f"ten centralities: {tables['seconds']:.2f} s, NetworkX {tables['networkx_s']:.1f} s: {tables['ratio']:.0f} x"
    )
    writers = {
        name: run_job(name, args.layers, args.side, args.min_cut)
        for name in ("write_ours", "write_networkx")
    }
    ratio = writers["write_networkx"]["seconds"] / writers["write_ours"]["seconds"]
    print(
        f"GraphML: {writers['write_ours']['seconds']:.2f} s, NetworkX {writers['write_networkx']['seconds']:.2f} s: {ratio:.1f} x; peak memory {writers}"
    )
    largest = run_job("large", 24, 24, 0.0)
    print(
        f"24 layers of 576 nodes, unpruned: {largest['seconds']:.1f} s, {largest['file_mib']:.0f} MiB written, peak memory {largest['peak_mib']:.0f} MiB"
    )
    facts = {
        "command": "python " + " ".join(sys.argv),
        "date": date.today().isoformat(),
        "device": f"{platform.machine()}, one process",
    }
    versions = {"networkx": nx.__version__, "igraph": igraph.__version__, "numpy": np.__version__}
    result = {
        **facts,
        **versions,
        "network": repr(net),
        "density": density,
        "tables": tables,
        "graphml": {**writers, "ratio": ratio},
        "large": largest,
    }
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
