"""multiplex-vit network: the multiplex network of an image, as files."""

import argparse
from pathlib import Path
from typing import Any

import multiplex_vit as mv
from multiplex_vit.checks import positive
from multiplex_vit.cli.command import DONE, Command, check_outputs, model_arguments, place, say
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, written_at_once
from multiplex_vit.network.direction import DIRECTIONS
from multiplex_vit.pictures import samples
from multiplex_vit.registry import chosen

_TABLES = ("nodes", "layers", "layer_pairs", "multilayer")


def _network_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "image",
        nargs="?",
        type=place,
        metavar="IMAGE",
        default=samples()["horse"],
        help="image file; the bundled horse unless given",
    )
    model_arguments(parser)
    _layer_arguments(parser)
    parser.add_argument(
        "--coupling",
        choices=list(mv.COUPLINGS),
        default="ordinal",
        help="which layers the inter-layer links join (%(default)s)",
    )
    parser.add_argument("--omega", type=float, default=1.0, help="weight of an inter-layer link (%(default)s)")
    names = f"{', '.join(mv.CENTRALITIES)}; the first gives size and colour (%(default)s)"
    parser.add_argument(
        "--measures",
        nargs="+",
        metavar="NAME",
        default=["in_strength"],
        help=f"centralities written beside each node: none, all, or of {names}",
    )
    parser.add_argument(
        "--format",
        choices=list(mv.EXPORTERS),
        help="format of the file; by its suffix unless given",
    )
    parser.add_argument("--out", type=place, help="file to write; network.graphml unless given")
    parser.add_argument(
        "--tables",
        type=place,
        metavar="DIR",
        help="also write nodes.csv, layers.csv, layer_pairs.csv and multilayer.csv there",
    )


def _layer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--operator",
        choices=list(mv.OPERATORS),
        default="sum",
        help="how attention is pooled over heads (%(default)s)",
    )
    parser.add_argument("--heads", action="store_true", help="a layer a block and head, instead of pooling heads")
    parser.add_argument(
        "--prefix",
        action="store_true",
        help="class, distillation and register tokens are nodes too",
    )
    parser.add_argument(
        "--edges",
        choices=list(DIRECTIONS),
        default="attention",
        help="which way edges run: source attends to target, or as information flows (%(default)s)",
    )
    parser.add_argument(
        "--min-cut",
        type=float,
        default=0.01,
        help="cut edges below this share of a layer's greatest weight (%(default)s)",
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--layer", metavar="LAYER", help="one layer alone, by number or name")
    one.add_argument("--aggregate", choices=list(mv.AGGREGATIONS), help="all layers taken together into one")


def _network(args: argparse.Namespace) -> int:
    out = args.out or Path(f"network{_suffix(args.format or 'graphml')}")
    measures = _measures(args)
    tables = [args.tables / f"{name}.csv" for name in _TABLES] if args.tables else []
    _check_outputs([out, *tables], args)
    mv.exporter_of(out, args.format)
    positive("omega", args.omega)
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    options = ("operator", "min_cut", "heads", "prefix", "edges")
    given = {name: getattr(args, name) for name in options}
    net = _chosen(mv.multiplex(model, args.image, **given), args)
    folder = args.tables or out.parent
    with (
        output_folder(out.parent),
        output_folder(folder),
        written_at_once([out.parent, folder]) as (new, new_tables),
    ):
        names = [
            path.name
            for path in net.write(
                new / out.name,
                coupling=args.coupling,
                omega=args.omega,
                measures=measures,
                format=args.format,
            )
        ]
        # Some formats have files that are known only now.
        written = [out.parent / name for name in names]
        _check_outputs([*written, *tables], args)
        if args.tables:
            _write_tables(net, args, new_tables)
    say(f"{net!r} written to {', '.join(map(str, written))}")
    if args.tables:
        say(f"tables written into {args.tables}")
    return DONE


def _check_outputs(files: list[Path], args: argparse.Namespace) -> None:
    check_outputs(files, folders=[args.tables] if args.tables else [], inputs=[args.image], model=args.model)


def _suffix(format: str) -> str:
    return mv.EXPORTERS.trait(format, "suffix") or mv.EXPORTERS.trait(format, "extension") or ""


def _measures(args: argparse.Namespace) -> list[Any]:
    if args.measures in (["none"], ["all"]):
        return [] if args.measures == ["none"] else list(mv.CENTRALITIES)
    if len(set(args.measures)) < len(args.measures):
        raise InputError(f"--measures holds a name twice: {', '.join(args.measures)}")
    return chosen(mv.CENTRALITIES, args.measures)


def _chosen(net: "mv.Multiplex", args: argparse.Namespace) -> "mv.Multiplex":
    if args.aggregate:
        return net.aggregate(args.aggregate)
    if args.layer is None:
        return net
    number = args.layer.removeprefix("-").isdecimal() and args.layer not in net.layer_names
    return net.select(int(args.layer) if number else args.layer)


def _write_tables(net: "mv.Multiplex", args: argparse.Namespace, folder: Path) -> None:
    from multiplex_vit.tabular import write_table

    tables = (
        net.node_table(),
        net.layer_table(),
        net.layer_pair_table(),
        net.multilayer_table(coupling=args.coupling, omega=args.omega),
    )
    for name, table in zip(_TABLES, tables, strict=True):
        write_table(table, folder / f"{name}.csv")


NETWORK = Command("Write the multiplex network of an image to a file.", _network_arguments, _network)
