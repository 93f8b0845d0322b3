"""A study written down: a TOML file, or a preset, as the arguments of `Study` and of its `run`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The rooms bring torch only where a study is made, so that a command can say what a file may hold.
from multiplex_vit import saliency, study
from multiplex_vit.arguments import fitting
from multiplex_vit.errors import InputError
from multiplex_vit.reading import named, read_toml
from multiplex_vit.spelling import did_you_mean
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

KEYS: dict[str, Any] = {
    "images": str,
    "labels": str,
    "index": str,
    "limit": int,
    "out": str,
    "model": str,
    "device": str,
    "dtype": str,
    "score": str,
    "explainers": str | list[str],
    "sweep": dict,
    "protocols": str | list[str],
    "steps": int,
    "seed": int,
    "target": str | int,
    "save": str | list[str],
    "chunk": int,
    "workers": int,
    "scheduler": str,
    "preset": str,
}
"""What a configuration may hold, and of which type."""

_OF_IMAGES = ("labels", "index", "limit")
_OF_STUDY = (
    *("model", "device", "dtype", "score", "protocols", "steps", "seed", "target", "save"),
    "chunk",
)
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
        fitting(f"{where}: {key}", value, KEYS[key])
        # An empty path would be this folder, and an empty name none.
        if isinstance(value, str) and not value.strip():
            raise InputError(f"{where}: {key} is empty; give a text, or leave it out")
    for option, values in options.get("sweep", {}).items():
        if not isinstance(values, list) or not values:
            raise InputError(
                f"{where}, [sweep]: {option} is {values!r}; expected a list of the values to take"
            )


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
    for name, hint in (
        ("images", "a folder, a CSV (file, label) or Parquet"),
        ("out", "a folder to write into"),
    ):
        if name not in chosen:
            raise InputError(f"a study needs {name}: {hint}")
    source = images(
        chosen["images"], **{name: chosen[name] for name in _OF_IMAGES if name in chosen}
    )
    chosen_study = study.Study(
        chosen["out"],
        source,
        explainers=explainers_of(chosen.get("explainers", ["mutex"]), chosen.get("sweep", {})),
        **{name: chosen[name] for name in _OF_STUDY if name in chosen},
    )
    return Configured(chosen_study, chosen.get("workers", 1), chosen.get("scheduler"))


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
    several = [saliency.EXPLAINERS[name] for name in ([names] if isinstance(names, str) else names)]
    plain = {option: [_hashable(value) for value in given] for option, given in values.items()}
    for option in plain:
        if not any(explainer.takes(option) for explainer in several):
            shown = ", ".join(map(str, several))
            # The explainer itself says which options it has.
            several[0].at(**{option: plain[option][0]})
            raise InputError(f"no explainer of {shown} has an option {option!r} to sweep")
    explainers: list[Explainer] = []
    for explainer in several:
        if plain and all(explainer.takes(option) for option in plain):
            explainers += saliency.sweep(explainer, **plain)
        else:
            explainers.append(explainer)
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
    parts = values.split(",")
    if is_list:
        return name, [[_value(member) for member in part.split("+")] for part in parts]
    return name, [_value(part) for part in parts]


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
