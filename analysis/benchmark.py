"""Time and memory of explanations beside the naive loop and the floor, in one run.

    python analysis/benchmark.py --data FOLDER --out analysis/results/benchmark

Rows, each in a process of its own, so that one's memory is not another's:

- passes: (a) the naive loop, as published code does: one mask a forward pass, eager attention, gradients on, repeated masks too; (b) `explain`; (c) the floor:
  the matrix products that (b) really ran, recorded, as bare GEMMs of the same type on plain operands. They run in turn, several times, after one warm-up; ratios
  are medians over the turns. (a) is given (b)'s masks and makes none itself. "Laid out" is (c) with weights laid out for oneDNN beforehand, for nothing.
- memory, memory_naive: the greatest memory above what there was before one explanation; before two masks of the naive loop.
- folder: (d) images a second. stream, study: memory over many images, CIFAR-10's where --data is given.
- curves: (e) insertion and deletion. network: (f) attention, network, ten centralities, GraphML. scaling: (g) tokens, blocks, images.
- types: types in which masks are classified (`mask_dtype`): images a second, times the naive loop, the masked passes' part of the rate of a bare matrix product, and how far heatmaps
  move. On a GPU, with --rows types --models vit-base --images 512. tried: what else was tried.
- start: importing the package, --help, the demo's first heatmap.

Models: "vit-", "deit-" or "dinov2-" with tiny, small, base or large (random weights of that geometry, 16 x 16 patches), "@384" for another size in pixels; bundled ones.
Written: all figures (JSON) and tables (Markdown).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

MODELS = {
    "passes": ["vit-tiny", "vit-small", "vit-base", "deit-small", "deit-base"],
    "memory": [
        "vit-tiny",
        "vit-small",
        "vit-base",
        "vit-large",
        "vit-large@384",
        "dinov2-small@518",
        "dinov2-deep@518",
    ],
    "memory_naive": ["vit-tiny", "vit-small", "vit-base", "vit-large", "vit-large@384"],
    "folder": ["demo-vit", "demo-deit"],
    "stream": ["demo-vit", "demo-deit"],
    "study": ["demo-vit"],
    "curves": ["demo-vit", "vit-small"],
    "network": ["demo-vit", "vit-base"],
    "scaling": ["vit-tiny"],
    "types": ["demo-vit", "demo-deit"],
    "tried": ["demo-vit", "vit-small"],
    "start": ["demo-vit"],
}
STARTS = {
    "import_s": "import multiplex_vit",
    "help_s": "import sys; sys.argv = ['multiplex-vit', '--help']; from multiplex_vit.cli import main; main()",
    "first_heatmap_s": "import multiplex_vit as mv; mv.explain(mv.load('demo-vit', device=DEVICE), mv.samples()['cat']).heatmap",
}


def start(device: str, repeats: int) -> dict[str, float]:
    """Return median seconds from starting Python to the end, of each of STARTS, and the greatest memory; once before, to have the files in memory."""
    found = {}
    for name, script in STARTS.items():
        command, seconds = [sys.executable, "-c", script.replace("DEVICE", repr(device))], []
        for _ in range(repeats + 1):
            began = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds.append(time.perf_counter() - began)
        found |= {
            name: statistics.median(seconds[1:]),
            name.removesuffix("_s") + "_peak_mib": used.ru_maxrss / 1024,
        }
    return found


def measured(row: str, model: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of one row and model, from a process of its own; what fails is told and left out."""
    options = [
        "--device",
        args.device,
        "--repeats",
        args.repeats,
        "--images",
        args.images,
        "--many-images",
        args.many_images,
    ]
    data = ["--data", args.data] if args.data else []
    command = [
        sys.executable,
        __file__,
        "--job",
        row,
        "--models",
        model,
        *map(str, [*options, *data]),
    ]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        return [{"row": row, "model": model, "failed": run.returncode}]
    return [
        {"row": row, "model": model, **each} for each in json.loads(run.stdout.splitlines()[-1])
    ]


def job(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure one row here."""
    if args.job == "start":
        return [start(args.device, args.repeats)]
    import benchmark_case
    import benchmark_memory
    import benchmark_rows
    import benchmark_tried
    import transformers

    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore", UserWarning)  # of masks that keep everything
    data = args.data / "test.parquet" if args.data else None
    case = benchmark_case.Case(
        args.models[0], args.device, args.repeats, args.images, args.many_images, data
    )
    measure = next(
        getattr(module, args.job)
        for module in (benchmark_rows, benchmark_memory, benchmark_tried)
        if hasattr(module, args.job)
    )
    rest = benchmark_case.Rest(benchmark_case.torch.device(args.device))
    rows = measure(case)
    return (
        rows
        if any(name.endswith("_mib") for name in rows[0])
        else [{**row, "peak_mib": round(sum(rest.row().values()))} for row in rows]
    )


def driver_of(device: str) -> str | None:
    """Return the version of a GPU's driver."""
    if not device.startswith("cuda"):
        return None
    return subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()


def tables(runs: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    """Return Markdown: how the figures came about, and a table a row's name; in which run each was measured where there were several."""
    import pandas as pd

    from multiplex_vit.report.markdown import markdown_table as markdown

    told = [
        f"{number}. `{facts['command']}`; {facts['date']}, commit {facts['commit']}, {facts['device']}, driver {facts['driver'] or 'none'}."
        for number, facts in enumerate(runs)
    ]
    lines = [
        "# Time and memory",
        "\n".join(told),
        "Seconds (`_s`) are medians; memory is in MiB. What each table is: `python analysis/benchmark.py --help`.",
    ]
    for name in dict.fromkeys(row["row"] for row in rows):
        hidden = ("row",) if len(runs) > 1 else ("row", "run")
        part = pd.DataFrame(
            [
                {key: value for key, value in row.items() if key not in hidden}
                for row in rows
                if row["row"] == name
            ]
        )
        text = part.map(
            lambda value: (
                f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
            )
        ).replace("nan", "")
        lines += [f"## {name}", markdown(text)]
    return "\n\n".join(lines) + "\n"


def shown(row: dict[str, Any]) -> str:
    """Return a row as a line of text."""
    return "  ".join(
        f"{value}"
        if key in ("row", "model")
        else f"{key} {value:.4g}"
        if isinstance(value, float)
        else f"{key} {value}"
        for key, value in row.items()
    )


def main() -> None:
    """Run the rows, print them as they come, and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows",
        nargs="+",
        choices=list(MODELS),
        default=list(MODELS),
        help="all of them unless given",
    )
    parser.add_argument("--models", nargs="+", help="in place of each row's own")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="turns (%(default)s)")
    parser.add_argument(
        "--images", type=int, default=64, help="of rows that take several (%(default)s)"
    )
    parser.add_argument(
        "--many-images",
        type=int,
        default=2000,
        help="of rows that look whether memory grows (%(default)s)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="folder with test.parquet, whose images those rows take; cuttings of the bundled pictures unless given",
    )
    parser.add_argument("--out", type=Path, help="results, without suffix")
    parser.add_argument(
        "--add",
        action="store_true",
        help="keep what is there of other rows and models, from an earlier run",
    )
    parser.add_argument("--job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(job(args)))
        return
    from provenance import provenance

    before = (
        json.loads(args.out.with_suffix(".json").read_text())
        if args.add
        else {"runs": [], "rows": []}
    )
    runs, rows = (
        [
            *before["runs"],
            {
                **provenance(args.device),
                "driver": driver_of(args.device),
                "load_before": os.getloadavg()[0],
            },
        ],
        before["rows"],
    )
    for row in args.rows:
        for model in args.models or MODELS[row]:
            found = [{**each, "run": len(runs) - 1} for each in measured(row, model, args)]
            print("\n".join(map(shown, found)), flush=True)
            rows = [each for each in rows if (each["row"], each["model"]) != (row, model)] + found
            rows.sort(key=lambda each: list(MODELS).index(each["row"]))
            if args.out:
                args.out.parent.mkdir(parents=True, exist_ok=True)
                args.out.with_suffix(".json").write_text(
                    json.dumps({"runs": runs, "rows": rows}, indent=1) + "\n"
                )
                args.out.with_suffix(".md").write_text(tables(runs, rows))


if __name__ == "__main__":
    main()
