"""Switches: which of the shortcuts of this room the passes of masks take."""

from dataclasses import dataclass

from multiplex_vit.errors import InputError


@dataclass(frozen=True)
class Fast:
    """Which shortcuts are taken when masks and images are classified.

    Each of them leaves the result as it is, but for the rounding of the last bits (below 1e-5 in
    float32). Attention, and with it the masks, is never computed by a shortcut. A fourth one, the
    type that masks are classified in (`mask_dtype` of `VisionModel`), does change the numbers; it
    is off by default.

    Parameters
    ----------
    sharing : bool
        Compute once what the masks of an image have in common: the first block's layer norm and
        projections. In the last block, compute only the tokens that the classifier reads.
        Default: True.
    batches : bool
        Classify several masks or images in one forward pass. Default: True.
    onednn : bool
        Run linear layers of float32 on an x86 CPU by oneDNN. Default: True.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu", fast=Fast(onednn=False))
    >>> model.fast.sharing, model.fast.onednn
    (True, False)
    """

    sharing: bool = True
    batches: bool = True
    onednn: bool = True


def fast_of(value: Fast | bool) -> Fast:
    """Return the switches that a value stands for: True for all on, False for all off.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> fast_of(False)
    Fast(sharing=False, batches=False, onednn=False)
    """
    if isinstance(value, Fast):
        return value
    if not isinstance(value, bool):
        raise InputError(f"fast is {value!r}; give True, False or Fast(...)")
    return Fast(sharing=value, batches=value, onednn=value)
