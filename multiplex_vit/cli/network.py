"""multiplex-vit network: the multiplex network of an image, as files."""

import argparse
from pathlib import Path
from typing import Any

import multiplex_vit as mv
from multiplex_vit.checks import positive
from multiplex_vit.cli.command import DONE, check_outputs, model_arguments, place, say
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, written_at_once
from multiplex_vit.network.direction import DIRECTIONS
from multiplex_vit.pictures import samples
from multiplex_vit.registry import chosen
from multiplex_vit.saliency.edges import EDGES
from multiplex_vit.tabular import write_table

_TABLES = ("nodes", "layers", "layer_pairs", "multilayer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "image",
        nargs="?",
        type=place,
        metavar="IMAGE",
        default=samples()["deer"],
        help="Image file. Default: the bundled deer.",
    )
    model_arguments(parser)
    _layer_arguments(parser)
    _coupling_arguments(parser)
    _output_arguments(parser)


def _layer_arguments(parser: argparse.ArgumentParser) -> None:
    operators = list(mv.models.OPERATORS)
    operator = "How attention is pooled over heads. Default: %(default)s."
    parser.add_argument("--operator", choices=operators, default="sum", help=operator)
    heads = "Make a layer of each block and head. Default: heads are pooled."
    parser.add_argument("--heads", action="store_true", help=heads)
    prefix = "Let class, distillation and register tokens be nodes. Default: patches alone."
    parser.add_argument("--prefix", action="store_true", help=prefix)
    kinds = [*DIRECTIONS, *(name for name in EDGES if name not in DIRECTIONS)]
    edges = "What edges are: attention, from the token that attends to the one it attends to, or"
    edges += " the same as information flows; attention times its gradient; or the relevance"
    edges += " (signed) that passes along. Default: %(default)s."
    parser.add_argument("--edges", choices=kinds, default="attention", help=edges)
    label = "Index or name of the class of gradients and relevance. Default: the predicted one."
    parser.add_argument("--label", metavar="CLASS", help=label)
    against = "A class whose weights are taken off those of --label. Default: none."
    parser.add_argument("--against", metavar="CLASS", help=against)
    min_cut = "Cut edges below this share of a layer's greatest weight. Default: %(default)s."
    parser.add_argument("--min-cut", type=float, default=0.01, help=min_cut)
    filters = "Filters in the order in which they are applied after that, such as"
    filters += " 'top_k(k=5)' without_loops 'disparity(alpha=0.05)'. Default: none."
    parser.add_argument("--filter", nargs="+", metavar="NAME", default=[], help=filters)
    # One layer, or all of them taken together: not both.
    group = parser.add_mutually_exclusive_group()
    layer = "Write one layer alone, by number or name. Default: all layers."
    group.add_argument("--layer", metavar="LAYER", help=layer)
    aggregate = "Take all layers together into one. Default: layers stay apart."
    group.add_argument("--aggregate", choices=list(mv.network.AGGREGATIONS), help=aggregate)


def _coupling_arguments(parser: argparse.ArgumentParser) -> None:
    couplings = list(mv.network.COUPLINGS)
    coupling = "Which layers the inter-layer links join. Default: %(default)s."
    parser.add_argument("--coupling", choices=couplings, default="ordinal", help=coupling)
    omega = "Weight of an inter-layer link. Default: %(default)s."
    parser.add_argument("--omega", type=float, default=1.0, help=omega)


def _output_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(mv.CENTRALITIES)
    parser.add_argument(
        "--measures",
        nargs="+",
        metavar="NAME",
        default=["in_strength"],
        help=f"Centralities written beside each node, of which the first gives size and colour:"
        f" none, all, or of {names}. Default: in_strength.",
    )
    formats = list(mv.EXPORTERS)
    format = "Format of the file. Default: by the suffix of --out."
    parser.add_argument("--format", choices=formats, help=format)
    preset = "What is written: a backbone to look at, or every edge."
    preset += " Default: gephi for GraphML and GEXF."
    parser.add_argument("--preset", choices=list(mv.network.PRESETS), help=preset)
    layouts = list(mv.network.LAYOUTS)
    layout = "Where nodes lie. Default: %(default)s."
    parser.add_argument("--layout", choices=layouts, default="grid", help=layout)
    colour = "What colours show: target, measure, community, or a measure. Default: %(default)s."
    parser.add_argument("--colour", metavar="WHAT", default="target", help=colour)
    out = "File to write. Default: network.graphml."
    parser.add_argument("--out", type=place, help=out)
    tables = "Folder for nodes.csv, layers.csv, layer_pairs.csv and multilayer.csv. Default: none."
    parser.add_argument("--tables", type=place, metavar="DIR", help=tables)


def run(args: argparse.Namespace) -> int:
    """Write the network of the image, and its tables where they are asked for."""
    out = args.out or Path(f"network{_suffix(args.format or 'graphml')}")
    measures = _measures(args)
    tables = [args.tables / f"{name}.csv" for name in _TABLES] if args.tables else []
    _check_outputs([out, *tables], args)
    mv.network.exporter_of(out, args.format)
    positive("omega", args.omega)
    chosen(mv.FILTERS, args.filter)
    net = _network(args)

    # Without tables, the second folder is the first one once more.
    tables_folder = args.tables or out.parent
    folders = [out.parent, tables_folder]
    with (
        output_folder(out.parent),
        output_folder(tables_folder),
        written_at_once(folders) as (new, new_tables),
    ):
        files = net.write(
            new / out.name,
            coupling=args.coupling,
            omega=args.omega,
            measures=measures,
            format=args.format,
            preset=args.preset,
            layout=args.layout,
            colour=args.colour,
        )
        # Some formats have files that are known only now.
        written = [out.parent / file.name for file in files]
        _check_outputs([*written, *tables], args)
        if args.tables:
            _write_tables(net, args, new_tables)
    if _is_backbone(out, args):
        say("writing a backbone to look at; --preset full writes every edge")
    say(f"{net!r} written to {', '.join(map(str, written))}")
    if args.tables:
        say(f"tables written into {args.tables}")
    return DONE


def _is_backbone(out: Path, args: argparse.Namespace) -> bool:
    usual = mv.EXPORTERS.trait(mv.network.exporter_of(out, args.format), "preset")
    return (args.preset or usual) == "gephi"


def _network(args: argparse.Namespace) -> "mv.Multiplex":
    """Return the network of the image, or the part of it that is asked for."""
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    net = mv.multiplex(
        model,
        args.image,
        operator=args.operator,
        min_cut=args.min_cut,
        heads=args.heads,
        prefix=args.prefix,
        edges=args.edges,
        label=args.label,
        against=args.against,
    )
    for name in args.filter:
        net = net.filter(name)
    return _chosen(net, args)


def _check_outputs(files: list[Path], args: argparse.Namespace) -> None:
    folders = [args.tables] if args.tables else []
    check_outputs(files, folders=folders, inputs=[args.image], model=args.model)


def _suffix(format: str) -> str:
    """Return how the names of files of a format end; "" where the registry does not say."""
    suffix = mv.EXPORTERS.trait(format, "suffix")
    return suffix or mv.EXPORTERS.trait(format, "extension") or ""


def _measures(args: argparse.Namespace) -> list[Any]:
    if args.measures == ["none"]:
        return []
    if args.measures == ["all"]:
        return list(mv.CENTRALITIES)
    if len(set(args.measures)) < len(args.measures):
        raise InputError(f"--measures holds a name twice: {', '.join(args.measures)}")
    return chosen(mv.CENTRALITIES, args.measures)


def _chosen(net: "mv.Multiplex", args: argparse.Namespace) -> "mv.Multiplex":
    if args.aggregate:
        return net.aggregate(args.aggregate)
    if args.layer is None:
        return net
    is_number = args.layer.removeprefix("-").isdecimal()
    # A layer may have a number for a name, which then goes before its place.
    if is_number and args.layer not in net.layer_names:
        return net.select(int(args.layer))
    return net.select(args.layer)


def _write_tables(net: "mv.Multiplex", args: argparse.Namespace, folder: Path) -> None:
    tables = (
        net.node_table(),
        net.layer_table(),
        net.layer_pair_table(),
        net.multilayer_table(coupling=args.coupling, omega=args.omega),
    )
    for name, table in zip(_TABLES, tables, strict=True):
        write_table(table, folder / f"{name}.csv")
