"""What does it take to add an explainer or a protocol to a finished study?

    python analysis/grow_study.py --data FOLDER --images 200 --steps 8

A study of `mutex` and `communities` is run, then given one more explainer, one more protocol, and
run once more as it is. After each step its own tables say how many passes there are by then. The
explainer that was added is also studied by itself: its passes are what the step may take, and its
scores must be the same to the last bit. So must those of the explainers before it. Ends with 1 if
they are not.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd
from provenance import provenance
from studied import arguments, drawn

import multiplex_vit as mv
from multiplex_vit.report.markdown import markdown_table

FIRST = ["mutex", "communities"]
ADDED = "rise_tokens(budget=55)"
PROTOCOL = "token"
KEYS = ["number", "explainer", "protocol"]


def step(name: str, study: mv.Study, before: dict[str, int]) -> tuple[dict, dict[str, int]]:
    """Run a study, and return the row of the table and what there is by now."""
    started = time.monotonic()
    study.run()
    seconds = time.monotonic() - started
    explaining = study.passes().run
    now = {
        "units": len(study.store.done()),
        "passes of explaining": explaining,
        "passes of measuring": study.all_passes().run - explaining,
    }
    row = {"step": name}
    for fact, count in now.items():
        row[fact] = count - before.get(fact, 0)
    return {**row, "seconds": f"{seconds:.0f}"}, now


def scores_of(study: mv.Study, explainers: list[str], protocols: tuple[str, ...]) -> pd.DataFrame:
    """Return the scores of some explainers and protocols, in one order."""
    scores = study.scores()
    is_wanted = scores["explainer"].isin(explainers) & scores["protocol"].isin(protocols)
    rows = scores[is_wanted].sort_values(KEYS)
    return rows[[*KEYS, "insertion", "deletion", "difference"]].reset_index(drop=True)


def grown(args: argparse.Namespace, model: str, folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the table of a model, and what was found to differ."""
    options = {"model": model, "steps": args.steps, "device": "cpu"}
    images = drawn(args)
    study = mv.Study(folder / "grown", images, explainers=FIRST, **options)
    rows = []
    row, counts = step(f"study of {' and '.join(FIRST)}", study, {})
    rows.append(row)
    texts = [str(explainer) for explainer in study.explainers]
    first = scores_of(study, texts, study.protocols)

    with_explainer = study.extended(explainers=[ADDED])
    row, counts = step(f"add {ADDED}", with_explainer, counts)
    rows.append(row)
    with_protocol = with_explainer.extended(protocols=[PROTOCOL])
    row, counts = step(f"add the protocol {PROTOCOL}", with_protocol, counts)
    rows.append(row)
    row, counts = step("run again", with_protocol, counts)
    rows.append(row)

    alone = mv.Study(folder / "alone", images, explainers=ADDED, **options)
    row, _ = step(f"{ADDED} by itself", alone, {})
    rows.append(row)

    differing = []
    if not first.equals(scores_of(with_protocol, texts, study.protocols)):
        differing.append("scores that were there changed")
    added = scores_of(with_protocol, [ADDED], study.protocols)
    if not added.equals(scores_of(alone, [ADDED], study.protocols)):
        differing.append(f"{ADDED} has other scores than by itself")
    return pd.DataFrame(rows), differing


def introduction(args: argparse.Namespace) -> list[str]:
    """Return what was run, and how to read the tables."""
    facts = provenance()
    images = f"{args.images} CIFAR-10 test images drawn with seed {args.seed}"
    return [
        f"`{facts['command']}`; {facts['date']}, commit {facts['commit']}, {facts['device']}.",
        f"{images}; the predicted class is explained. Passes are forward passes that were run, as"
        f" the study itself counts them. `{ADDED}` takes 55 an image. By itself its study also"
        " classifies every image once, and measures a random order of the patches as every study"
        " does; a study that has both already does neither again.",
    ]


def main() -> int:
    """Grow a study of each model, and write what each step took."""
    args = arguments(__doc__, "grow_study").parse_args()
    sections = ["# What adding to a finished study takes", *introduction(args)]
    differing = []
    for model in args.model:
        with tempfile.TemporaryDirectory() as folder:
            table, here = grown(args, model, Path(folder))
        differing += here
        verdict = "; ".join(here) or "All scores are equal to the last bit to those of before."
        sections += [f"## {model}", markdown_table(table), verdict]
        print(f"{model}\n{table.to_string(index=False)}\n{verdict}", flush=True)
    args.out.with_suffix(".md").write_text("\n\n".join(sections) + "\n")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
