"""multiplex-vit report: a study's tables and figures."""

import argparse

import multiplex_vit as mv
from multiplex_vit.cli.command import DONE, check_outputs, place, say
from multiplex_vit.cli.studies import AGAINST
from multiplex_vit.report.markdown import REPORT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", type=place, metavar="DIR", help="Folder of a study.")
    out = "Folder to write into. Default: DIR/report."
    parser.add_argument("--out", type=place, metavar="DIR", help=out)
    parser.add_argument("--against", nargs="+", metavar="NAME", help=AGAINST)


def run(args: argparse.Namespace) -> int:
    """Write the report of a study."""
    import matplotlib

    matplotlib.use("Agg")

    out = args.out or args.folder / "report"
    study = mv.Study.open(args.folder)
    tables = []
    for path in args.folder.iterdir():
        # A report may be written anew where it was.
        if path.is_dir() and path.name != "report":
            tables.append(path)
    check_outputs([out / REPORT], folders=[out], inputs=[args.folder, *tables])
    files = mv.report.write_report(study, out, against=args.against)
    say(f"written into {out}: {', '.join(file.name for file in files)}")
    return DONE
