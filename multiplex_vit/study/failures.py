"""Failures of a whole study, which callers tell from those of single images."""

from multiplex_vit.errors import InputError


class NothingExplainedError(InputError):
    """Raised where not one image of a study could be explained, so that there is nothing to keep.

    Attributes
    ----------
    failures : list of (str, str)
        Name and reason of every image.
    """

    def __init__(self, failures: list[tuple[str, str]]):
        first = f"; the first, {failures[0][0]}: {failures[0][1]}" if failures else ""
        names = {name for name, _ in failures}
        super().__init__(f"no image of {len(names)} could be explained{first}")
        self.failures = failures
