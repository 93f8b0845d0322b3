"""The trained models that come with the package; each folder has a model card."""

from pathlib import Path

DEFAULT = "demo-photo"
"""Name of the model that commands and studies take where none is named."""


def bundled() -> dict[str, Path]:
    """Return the checkpoint folders of the bundled models, by name.

    Examples
    --------
    >>> sorted(bundled())
    ['demo-deit', 'demo-photo', 'demo-vit']
    """
    folders = {}
    for config in sorted(Path(__file__).parent.glob("*/config.json")):
        folders[config.parent.name] = config.parent
    return folders
