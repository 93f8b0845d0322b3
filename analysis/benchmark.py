"""Time and memory of explanations beside the naive loop and the floor, in one run.

    python analysis/benchmark.py --out analysis/results/benchmark.json

Rows, each in a process of its own, so that one's memory is not another's:

- passes: (a) the naive loop, as published code does: one mask a forward pass, eager attention, gradients on, repeated masks too; (b) `explain`; (c) the floor:
  the matrix products that (b) really ran, recorded, as bare GEMMs of the same type. The three run in turn, several times, after one warm-up; ratios are
  medians over the turns. (a) is given (b)'s masks and makes none itself.
- memory, memory_naive: the greatest memory above what there was before one explanation.
- folder: (d) images a second; `explain_each` streams four times as many for its memory.
- curves: (e) insertion and deletion. network: (f) attention, network, ten centralities, GraphML. scaling: (g) tokens, blocks, images.
- types: other types for the passes, and how far heatmaps move. start: importing the package, --help, the demo's first heatmap.

Models: "vit-" or "deit-" with tiny, small, base or large (random weights of that geometry, 16 x 16 patches), "@384" for another size in pixels; bundled ones.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

MODELS = {
    "passes": ["vit-tiny", "vit-small", "vit-base", "deit-small", "deit-base"],
    "memory": ["vit-tiny", "vit-small", "vit-base", "vit-large", "vit-large@384"],
    "memory_naive": ["vit-tiny", "vit-small", "vit-base", "vit-large", "vit-large@384"],
    "folder": ["demo-vit", "demo-deit"],
    "curves": ["demo-vit", "vit-small"],
    "network": ["demo-vit", "vit-base"],
    "scaling": ["vit-tiny"],
    "types": ["demo-vit", "demo-deit"],
    "start": ["demo-vit"],
}
STARTS = {
    "import_s": "import multiplex_vit",
    "help_s": "import sys; sys.argv = ['multiplex-vit', '--help']; from multiplex_vit.cli import main; main()",
    "first_heatmap_s": "import multiplex_vit as mv; mv.explain(mv.load('demo-vit', device=DEVICE), mv.samples()['cat']).heatmap",
}


def start(device: str, repeats: int) -> dict[str, float]:
    """Return median seconds from starting Python to the end, of each of STARTS; once before, to have the files in memory."""
    found = {}
    for name, script in STARTS.items():
        command, seconds = [sys.executable, "-c", script.replace("DEVICE", repr(device))], []
        for _ in range(repeats + 1):
            began = time.perf_counter()
            subprocess.run(command, capture_output=True, check=False)
            seconds.append(time.perf_counter() - began)
        found[name] = statistics.median(seconds[1:])
    return found


def measured(row: str, model: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of one row and model, from a process of its own; what fails is told and left out."""
    command = [sys.executable, __file__, "--job", row, "--models", model, "--device", args.device, "--repeats", str(args.repeats), "--images", str(args.images)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        return [{"row": row, "model": model, "failed": run.returncode}]
    return [{"row": row, "model": model, **each} for each in json.loads(run.stdout.splitlines()[-1])]


def job(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure one row here."""
    if args.job == "start":
        return [start(args.device, args.repeats)]
    import benchmark_rows
    import transformers

    transformers.logging.set_verbosity_error()
    case = benchmark_rows.Case(args.models[0], args.device, args.repeats, args.images)
    rest = benchmark_rows.Rest(benchmark_rows.torch.device(args.device))
    rows = getattr(benchmark_rows, args.job)(case)
    return rows if "above_mib" in rows[0] else [{**row, "peak_mib": round(sum(rest.row().values()))} for row in rows]


def facts(args: argparse.Namespace) -> dict[str, Any]:
    """Return where and how all this was measured."""
    import torch
    import transformers

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    driver = None
    if args.device.startswith("cuda"):
        driver = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True, check=False
        ).stdout.strip()
    name = torch.cuda.get_device_name() if driver is not None else f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
    given = [f"--{key} {' '.join(map(str, value)) if isinstance(value, list) else value}" for key, value in vars(args).items() if value and key != "job"]
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "python": platform.python_version()}
    return {
        "command": " ".join(["python analysis/benchmark.py", *given]),
        "date": date.today().isoformat(),
        "commit": commit.stdout.strip(),
        "device": name,
        "driver": driver,
        **versions,
    }


def shown(row: dict[str, Any]) -> str:
    """Return a row as a line of text."""
    return "  ".join(
        f"{value}" if key in ("row", "model") else f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
    )


def main() -> None:
    """Run the rows, print them as they come, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=list(MODELS), default=list(MODELS), help="all of them unless given")
    parser.add_argument("--models", nargs="+", help="in place of each row's own")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="turns (%(default)s)")
    parser.add_argument("--images", type=int, default=64, help="of rows that take several (%(default)s)")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(job(args)))
        return
    rows = []
    for row in args.rows:
        for model in args.models or MODELS[row]:
            for found in measured(row, model, args):
                rows.append(found)
                print(shown(found), flush=True)
            if args.out:
                args.out.parent.mkdir(parents=True, exist_ok=True)
                args.out.write_text(json.dumps({**facts(args), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
