"""A study written down: a TOML file, or a preset, as the arguments of `Study` and of its `run`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The rooms bring torch only where a study is made, so that a command can say what a file may hold.
from multiplex_vit import saliency, study
from multiplex_vit.arguments import fitting
from multiplex_vit.errors import InputError
from multiplex_vit.models.bundled import DEFAULT
from multiplex_vit.reading import named, read_toml
from multiplex_vit.spelling import did_you_mean
from multiplex_vit.study.plan import EXTRAS
from multiplex_vit.study.sources import PUBLISHED, images

if TYPE_CHECKING:
    from multiplex_vit.saliency.explainers import Explainer
    from multiplex_vit.study.study import Study

PRESETS: dict[str, dict[str, Any]] = {
    "published": {
        "model": "google/vit-base-patch16-224",
        "explainers": ["mutex"],
        "protocols": [
            "mutex2025/black",
            "mutex2025/blur",
            "mutex2025/random",
            "mutex2025/mean",
        ],
        "index": PUBLISHED,
    }
}
"""Studies by name.

"published" is the published evaluation (doi:10.1007/s00521-025-11591-x), over a folder of
ImageNet's validation files.
"""


@dataclass(frozen=True)
class Key:
    """What may stand under a key of a configuration, and behind the option of its name.

    Attributes
    ----------
    kind : type
        Type of the value, as an annotation has it.
    metavar : str
        What the help calls a value.
    help : str
        What it is, with its default.
    passed_to : "images", "Study" or ""
        The call of which it is an argument by the same name. Default: "", none.
    """

    kind: Any
    metavar: str
    help: str
    passed_to: str = ""


_NAMES = str | list[str]

KEYS = {
    "images": Key(
        str,
        "IMAGES",
        "Folder, folder with one folder a class, CSV (file, label), or Parquet of images.",
    ),
    "out": Key(
        str,
        "DIR",
        "Folder of the study. The same command goes on with a study that was stopped.",
    ),
    "preset": Key(
        str,
        "NAME",
        f"Options to start from: {', '.join(PRESETS)}. Default: none.",
    ),
    "labels": Key(
        str,
        "FILE",
        "CSV (file, label) of a folder, or the column that holds labels. Default: as found.",
        "images",
    ),
    "index": Key(
        str,
        "FILE",
        "Text file with the places of the images to take, or published. Default: all images.",
        "images",
    ),
    "limit": Key(
        int,
        "N",
        "Most images to take. Default: all of them.",
        "images",
    ),
    "explainers": Key(
        _NAMES,
        "NAME",
        'Explainers, such as communities "rise_tokens(budget=550)". Default: mutex.',
    ),
    "sweep": Key(
        dict,
        "NAME=A,B",
        "Values of an option, for the explainers that have it. Given for several options, all "
        "combinations are taken. Default: none.",
    ),
    "protocols": Key(
        _NAMES,
        "NAME",
        "Protocols, such as token mutex2025/black. Default: patch/black.",
        "Study",
    ),
    "steps": Key(
        int,
        "N",
        "Points of a curve. Default: every patch, up to 100.",
        "Study",
    ),
    "target": Key(
        str | int,
        "CLASS",
        "Class to explain: predicted, true, or an index or name. Default: predicted.",
        "Study",
    ),
    "seed": Key(
        int,
        "SEED",
        "Seed of what is drawn. Default: 0.",
        "Study",
    ),
    "model": Key(
        str,
        "MODEL",
        f"Bundled model, checkpoint folder or hub id. Default: {DEFAULT}.",
        "Study",
    ),
    "device": Key(
        str,
        "DEVICE",
        "Device to compute on: auto, cpu, cuda, cuda:1, ... Default: auto.",
        "Study",
    ),
    "dtype": Key(
        str,
        "DTYPE",
        "Type of the weights: auto, float32, bfloat16 or float16. Default: auto.",
        "Study",
    ),
    "score": Key(
        str,
        "NAME",
        "What the outputs mean: softmax, sigmoid or raw. Default: what the checkpoint says.",
        "Study",
    ),
    "save": Key(
        _NAMES,
        "TABLE",
        f"Tables to keep beside heatmaps and curves: {', '.join(EXTRAS)}. Default: masks.",
        "Study",
    ),
    "network_measures": Key(
        _NAMES,
        "NAME",
        "Measures of the layers of each image's network to keep, such as density or"
        " 'triads(kind=030C)'. Default: none.",
        "Study",
    ),
    "chunk": Key(
        int,
        "N",
        "Images that are computed together. Default: 8.",
        "Study",
    ),
    "workers": Key(
        int,
        "N",
        "Worker processes. Default: 1, which is this process.",
    ),
    "scheduler": Key(
        str,
        "ADDRESS",
        "Dask scheduler to run on, such as tcp://HOST:8786. Default: none.",
    ),
}
"""What a configuration may hold; the command line has an option for each."""

_NEEDED = {
    "images": "a folder, a CSV (file, label) or Parquet",
    "out": "a folder to write into",
}
_PATHS = ("images", "labels", "out", "index")


@dataclass(frozen=True)
class Configured:
    """A study and where it runs.

    Attributes
    ----------
    study : Study
    workers : int
    scheduler : str, optional
        Address of a Dask scheduler.
    """

    study: "Study"
    workers: int = 1
    scheduler: str | None = None


def read_config(path: str | Path) -> dict[str, Any]:
    """Return a TOML configuration, its keys and types checked.

    Paths in it are relative to its folder.

    Raises
    ------
    InputError
        If it is missing or no TOML, or a key is unknown or of the wrong type.
    """
    options = read_toml(path)
    path = Path(path)
    check_options(options, str(path))
    for name in _PATHS:
        if name not in options:
            continue
        place = path.parent / named(options[name])
        # Labels may be the name of a column, and an index that of a published one.
        if name in ("images", "out") or place.exists():
            options[name] = str(place)
    return options


def check_options(options: Mapping[str, Any], where: str) -> None:
    """Refuse a key that is unknown or has the wrong type.

    Examples
    --------
    >>> check_options({"step": 4}, "study.toml")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: study.toml: unknown key 'step' (did you mean 'steps'?); known: ...
    >>> check_options({"steps": "4"}, "study.toml")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: study.toml: steps is '4'; give a whole number
    """
    for key, value in options.items():
        if key not in KEYS:
            hint = did_you_mean(key, KEYS)
            raise InputError(f"{where}: unknown key {key!r}{hint}; known: {', '.join(KEYS)}")
        fitting(f"{where}: {key}", value, KEYS[key].kind)
        # An empty path would be this folder, and an empty name none.
        if isinstance(value, str) and not value.strip():
            raise InputError(f"{where}: {key} is empty; give a text, or leave it out")
    for option, values in options.get("sweep", {}).items():
        if not isinstance(values, list) or not values:
            what = f"{where}, [sweep]: {option} is {values!r}"
            raise InputError(f"{what}; expected a list of the values to take")


def configured(options: Mapping[str, Any]) -> Configured:
    """Return a study from options as a configuration has them; a preset stands below them.

    Raises
    ------
    InputError
        If images or out are missing, or anything does not fit.
    """
    preset = options.get("preset", "")
    if preset and preset not in PRESETS:
        raise InputError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    chosen = {**PRESETS.get(preset, {}), **options}
    check_options(chosen, "study")
    for name, wanted in _NEEDED.items():
        if name not in chosen:
            raise InputError(f"a study needs {name}: {wanted}")
    names = chosen.get("explainers", ["mutex"])
    explainers = explainers_of(names, chosen.get("sweep", {}))
    source = images(chosen["images"], **_arguments_of("images", chosen))
    chosen_study = study.Study(
        chosen["out"],
        source,
        explainers=explainers,
        **_arguments_of("Study", chosen),
    )
    return Configured(chosen_study, chosen.get("workers", 1), chosen.get("scheduler"))


def _arguments_of(call: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are arguments of a call."""
    arguments = {}
    for name, value in options.items():
        if KEYS[name].passed_to == call:
            arguments[name] = value
    return arguments


def explainers_of(names: str | list[str], values: Mapping[str, list[Any]]) -> "list[Explainer]":
    """Return explainers by name, those that have the options to sweep at all their combinations.

    Raises
    ------
    InputError
        If an explainer is unknown, or none has an option to sweep.

    Examples
    --------
    >>> explainers_of(["mutex", "rollout"], {"min_cut": [0.01, 0.05]})
    [<Explainer mutex>, <Explainer mutex(min_cut=0.05)>, <Explainer rollout>]
    """
    names = [names] if isinstance(names, str) else names
    several = [saliency.EXPLAINERS[name] for name in names]
    swept = {}
    for option, listed in values.items():
        swept[option] = [_hashable(value) for value in listed]
    for option in swept:
        if not any(explainer.takes(option) for explainer in several):
            # The explainer itself says which options it has.
            several[0].at(**{option: swept[option][0]})
            shown = ", ".join(map(str, several))
            raise InputError(f"no explainer of {shown} has an option {option!r} to sweep")
    explainers: list[Explainer] = []
    for explainer in several:
        if swept and all(explainer.takes(option) for option in swept):
            explainers += saliency.sweep(explainer, **swept)
        else:
            explainers.append(explainer)
    # Two of them may be the same one, as where the first value is the default.
    return list(dict.fromkeys(explainers))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def swept_option(text: str) -> tuple[str, list[Any]]:
    """Return an option and its values from "name=value,value"; + joins what belongs to one value.

    Examples
    --------
    >>> swept_option("min_cut=0.01,0.05"), swept_option("statistics=max+min,skew")
    (('min_cut', [0.01, 0.05]), ('statistics', [['max', 'min'], ['skew']]))
    """
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise InputError(f"--sweep is {text!r}; give name=value,value such as min_cut=0.01,0.05")
    is_list = name in ("operators", "centralities", "statistics", "resolutions")
    listed: list[Any] = []
    for part in values.split(","):
        members = [_value(member) for member in part.split("+")]
        # A number may be written with a plus, as in 1e+2.
        listed.append(members if is_list else _value(part))
    return name, listed


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
