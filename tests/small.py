"""What keeps tests quick: the three small pictures, and commands that name the small model."""

import multiplex_vit as mv

PICTURES = {name: mv.samples()[name] for name in ("cat", "horse", "rocket")}
PHOTOS = list(PICTURES.values())

TAKE_A_MODEL = ("explain", "network", "evaluate", "compare", "study")


def with_small_model(args):
    """Return a command with demo-vit for its model, unless it or its file names one: the default is slower."""
    command, *rest = [str(arg) for arg in args]
    if command not in TAKE_A_MODEL or "--model" in rest or "--config" in rest:
        return [command, *rest]
    return [command, "--model", "demo-vit", *rest]
