"""lint_gephi: what Gephi would make of a file."""

from pathlib import Path

from multiplex_vit.errors import InputError
from multiplex_vit.network.export.gephi_elements import Lint
from multiplex_vit.network.export.gephi_gexf import GexfLint
from multiplex_vit.network.export.gephi_graphml import GraphmlLint
from multiplex_vit.network.export.xml_stream import XmlStream
from multiplex_vit.reading import named


def lint_gephi(path: str | Path) -> list[str]:
    """Check a GraphML or GEXF file against the rules of Gephi's importers.

    Checked are unique and filled ids, edges whose ends are missing, parallel edges (Gephi sums
    their weights), property names (exact and lower case), weights (finite, not 0 in 32 bits),
    colours and numbers that Java can read, types of columns, direction, and the timeline of GEXF.
    The file is read as a stream.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of str
        One line a problem, naming the offender and what Gephi does with it; of many alike the
        first five and their number. Empty: all is well.

    Raises
    ------
    InputError
        If there is no such file.

    References
    ----------
    The importers' source: gephi/gephi 0.10, ImporterGraphML, ImporterGEXF, ImportContainerImpl,
    ElementDraftImpl.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "net.graphml")
    ...     graph = '<graph edgedefault="directed"><node id=""/></graph>'
    ...     _ = path.write_text(f'<graphml>{graph}</graphml>')
    ...     lint_gephi(path)
    ['node on line 1 has no id; Gephi stops the whole import']
    """
    path = named(path)
    if not path.is_file():
        problem = "no such file, or no regular one; give a .graphml or .gexf file"
        raise InputError(f"cannot read {path}: {problem}")
    try:
        # The outermost element alone says which format it is; suffixes may lie.
        root = _Root()
        root.read(path)
        lint = _LINTS.get(root.tag)
        if lint is None:
            problem = "neither GraphML nor GEXF; Gephi does not open it as either"
            return [f"the file is <{root.tag}>, {problem}"]
        return lint().problems(path)
    except ValueError as error:
        return [f"{error}; Gephi stops the whole import"]


_LINTS: dict[str, type[Lint]] = {"graphml": GraphmlLint, "gexf": GexfLint}


class _Root(XmlStream):
    """Reads the name of the outermost element."""

    tag = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = self.tag or tag
