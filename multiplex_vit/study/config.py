"""A study written down: a TOML file, or a preset, as the arguments of `Study` and of its `run`."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.reading import named, read_toml
from multiplex_vit.saliency.explainers import EXPLAINERS
from multiplex_vit.saliency.settings import Settings
from multiplex_vit.study.cluster import kind_of
from multiplex_vit.study.images import PUBLISHED, images
from multiplex_vit.study.study import Study

PRESETS: dict[str, dict[str, Any]] = {
    "published": {
        "model": "google/vit-base-patch16-224",
        "method": "mutex",
        "protocols": ["mutex2025/black", "mutex2025/blur", "mutex2025/random", "mutex2025/mean"],
        "index": PUBLISHED,
    }
}
"""Studies by name: "published" is the published evaluation (doi:10.1007/s00521-025-11591-x), over a folder of ImageNet's validation files."""

_TEXT, _WHOLE, _LIST, _TABLE = "a text", "a whole number", "a list of texts", "a table"
_IS: dict[str, Callable[[Any], bool]] = {
    _TEXT: lambda value: isinstance(value, str) and value.strip() != "",
    _WHOLE: lambda value: isinstance(value, int) and not isinstance(value, bool),
    _LIST: lambda value: isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value)),
    _TABLE: lambda value: isinstance(value, dict),
}
KEYS = {
    **dict.fromkeys(("images", "labels", "index", "out", "model", "device", "dtype", "score", "method", "explained", "scheduler", "preset"), _TEXT),
    **dict.fromkeys(("limit", "steps", "seed", "chunk", "workers"), _WHOLE),
    **dict.fromkeys(("protocols", "save"), _LIST),
    **dict.fromkeys(("settings", "vary", "cluster"), _TABLE),
}
"""What a configuration may hold, and of which type."""

_IMAGES = ("labels", "index", "limit")
_OF_STUDY = ("model", "device", "dtype", "score", "explained", "steps", "seed", "chunk", "protocols", "save", "vary")


@dataclass(frozen=True)
class Configured:
    """A study and where it runs.

    Attributes
    ----------
    study : Study
    workers : int
    scheduler : str or mapping, optional
    """

    study: Study
    workers: int = 1
    scheduler: Any = None


def read_config(path: str | Path) -> dict[str, Any]:
    """Return a TOML configuration, its keys and types checked; paths in it are relative to its folder.

    Raises
    ------
    InputError
        If it is missing or no TOML, or a key is unknown or of the wrong type.
    """
    found = read_toml(path)
    path = Path(path)
    checked(found, str(path))
    for name in ("images", "labels", "out", "index"):
        if name in found:
            place = path.parent / named(found[name])
            if name in ("images", "out") or place.exists():
                found[name] = str(place)
    return found


def checked(options: Mapping[str, Any], where: str) -> None:
    """Refuse a key that is unknown or has the wrong type, also in the settings.

    Examples
    --------
    >>> checked({"step": 4}, "study.toml")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: study.toml: unknown key 'step' (did you mean 'steps'?); known: images, labels, ...
    >>> checked({"steps": "4"}, "study.toml")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: study.toml: steps is '4'; a whole number is wanted
    """
    for key, value in options.items():
        _known(key, KEYS, where)
        if not _IS[KEYS[key]](value):
            raise InputError(f"{where}: {key} is {value!r}; {KEYS[key]} is wanted")
    for table in ("settings", "vary"):
        for key, value in options.get(table, {}).items():
            _known(key, [each.name for each in fields(Settings)], f"{where}, [{table}]")
            if isinstance(value, dict) or (table == "vary" and not isinstance(value, list)):
                raise InputError(f"{where}, [{table}]: {key} is {value!r}; {'a list of values' if table == 'vary' else 'a value'} is wanted")


def _known(key: str, known: Iterable[str], where: str) -> None:
    names = list(known)
    if key not in names:
        close = difflib.get_close_matches(key, names, 1, cutoff=0.7)
        raise InputError(f"{where}: unknown key {key!r}{f' (did you mean {close[0]!r}?)' if close else ''}; known: {', '.join(names)}")


def configured(options: Mapping[str, Any]) -> Configured:
    """Return a study from options as a configuration has them; a preset stands below them.

    Raises
    ------
    InputError
        If images or out are missing, or anything does not fit.
    """
    if "preset" in options and options["preset"] not in PRESETS:
        raise InputError(f"unknown preset {options['preset']!r}; known: {', '.join(PRESETS)}")
    chosen = {**PRESETS.get(options.get("preset", ""), {}), **options}
    checked(chosen, "study")
    for name, hint in (("images", "a folder, a CSV (file, label) or Parquet"), ("out", "a folder to write into")):
        if name not in chosen:
            raise InputError(f"a study needs {name}: {hint}")
    if "scheduler" in chosen and "cluster" in chosen:
        raise InputError("both scheduler and [cluster] were given; give one of them")
    kind_of(chosen.get("cluster", {}))
    source = images(chosen["images"], **{name: chosen[name] for name in _IMAGES if name in chosen})
    base = _settings(_base(chosen.get("method", "mutex")), chosen.get("settings", {}))
    vary = {name: [_plain(value) for value in values] for name, values in chosen.get("vary", {}).items()}
    given: dict[str, Any] = {**{name: chosen[name] for name in _OF_STUDY if name in chosen}, "vary": vary}
    study = Study(images=source, out=chosen["out"], settings=base, **given)
    return Configured(study, chosen.get("workers", 1), chosen.get("scheduler", chosen.get("cluster")))


def _base(method: str) -> Settings:
    settings = EXPLAINERS[method].settings
    if settings is None:
        raise InputError(f"method is {method!r}; a study explains by settings: give mutex or communities")
    return settings


def _settings(base: Settings, changes: Mapping[str, Any]) -> Settings:
    return replace(base, **{name: _plain(value) for name, value in changes.items()})


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def vary_of(text: str) -> tuple[str, list[Any]]:
    """Return a setting and its values from "name=value,value"; + joins what belongs to one value.

    Examples
    --------
    >>> vary_of("min_cut=0.01,0.05"), vary_of("statistics=max+min,skew")
    (('min_cut', [0.01, 0.05]), ('statistics', [['max', 'min'], ['skew']]))
    """
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise InputError(f"--vary is {text!r}; give name=value,value such as min_cut=0.01,0.05")
    listed = name in ("operators", "centralities", "statistics", "resolutions")
    return name, [[_value(part) for part in each.split("+")] if listed else _value(each) for each in values.split(",")]


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
