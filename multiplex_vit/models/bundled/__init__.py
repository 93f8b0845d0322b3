"""The trained models that come with the package; each folder has a model card."""

from pathlib import Path


def bundled() -> dict[str, Path]:
    """Return the bundled models: name -> checkpoint folder.

    Examples
    --------
    >>> sorted(bundled())
    ['demo-deit', 'demo-vit']
    """
    return {
        path.parent.name: path.parent
        for path in sorted(Path(__file__).parent.glob("*/config.json"))
    }
