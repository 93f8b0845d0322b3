"""Writing a network in a format, all its files or none."""

from pathlib import Path

from multiplex_vit.accepts import accepts
from multiplex_vit.errors import InputError
from multiplex_vit.files import writable, written_together
from multiplex_vit.network.export.presets import PRESETS
from multiplex_vit.network.export.registry import EXPORTERS, Exporter
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.signed import refuse_signed
from multiplex_vit.registry import Named, name_of


@accepts()
def write(export: Export, path: Path, format: str | Exporter | None = None) -> list[Path]:
    """Write a network in a format given by name or by the path's suffix.

    Either all its files are written whole, or none.

    Parameters
    ----------
    export : Export
    path : Path
        Formats of several files write these beside it, their names beginning with its stem.
    format : str or callable, optional
        A member of `EXPORTERS`, or a function (export, path) -> None.

    Returns
    -------
    list of Path
        The files written, `path` first where it is one of them.

    Raises
    ------
    InputError
        If the format is unknown, or the suffix means none or several; if the coupling is unknown;
        if the format does not hold weights below 0 and some are; if a file cannot be written.
    """
    path = Path(path)
    exporter = exporter_of(path, format)
    refuse_signed(EXPORTERS, exporter, export.weights)
    writable(path)
    # An unknown coupling is told before anything is written.
    export.links()
    with written_together(path.parent) as folder:
        exporter(export, folder / path.name)
        names = sorted(file.name for file in folder.iterdir())
        if not names:
            expected = "expected a function (export, path) that writes to the path"
            raise InputError(f"format {name_of(exporter)} wrote no file; {expected}")
    if path.name in names:
        names.remove(path.name)
        names.insert(0, path.name)
    return [path.parent / name for name in names]


@accepts()
def in_preset(
    export: Export,
    path: str | Path,
    format: str | Exporter | None = None,
    preset: Named | None = None,
) -> Export:
    """Return a network as a preset writes it.

    Parameters
    ----------
    export : Export
    path : path-like
    format : str or callable, optional
        As for `write`.
    preset : str or callable, optional
        A member of `PRESETS`, or a function: Export -> Export. Default: "gephi" for the formats
        that are made for Gephi (GraphML, GEXF), "full" for others and for signed weights.

    Raises
    ------
    InputError
        If the format or the preset is unknown.
    """
    if preset is None and export.signed:
        preset = "full"
    if preset is None:
        preset = EXPORTERS.trait(exporter_of(path, format), "preset") or "full"
    refuse_signed(PRESETS, preset, export.weights)
    return PRESETS.resolve(preset)(export)


@accepts()
def exporter_of(path: str | Path, format: str | Exporter | None = None) -> Exporter:
    """Return the exporter of the format named, or of the path's suffix.

    Raises
    ------
    InputError
        If the format is unknown, or the suffix means none or several.

    Examples
    --------
    >>> exporter_of("net.gexf").__name__
    'gexf'
    >>> exporter_of("net.net")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: net.net may be infomap or pajek; say which with
    format='infomap' (at the command line --format infomap)
    """
    if format is None:
        format = _format_of(Path(path))
    return EXPORTERS.resolve(format)


def _format_of(path: Path) -> str:
    suffix = path.suffix.lower()
    # Two formats may have one suffix, and some have none.
    fitting = []
    formats = []
    for name in EXPORTERS:
        own_suffix = EXPORTERS.trait(name, "suffix")
        if own_suffix == suffix:
            fitting.append(name)
        formats.append(f"{name} ({own_suffix})" if own_suffix else name)
    if not fitting:
        shown = suffix.removeprefix(".")
        raise InputError(f"unknown format {shown!r} of {path.name}; known: {', '.join(formats)}")
    if len(fitting) > 1:
        first = fitting[0]
        how = f"say which with format={first!r} (at the command line --format {first})"
        raise InputError(f"{path.name} may be {' or '.join(fitting)}; {how}")
    return fitting[0]
