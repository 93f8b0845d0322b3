"""The port: all that the package knows of a Vision Transformer. It names no library.

A family (`multiplex_vit.models.families`) says of a module where its blocks are, which tokens come
before the patches, and what its head reads. Everything else in the package asks the port.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.arguments import check_fields
from multiplex_vit.checks import distinct_names, one_of, whole
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_CHANNELS, MOST_SIDE
from multiplex_vit.models.unwrap import bare

Collector = Callable[[nn.Module, Tensor, Tensor], Tensor | None]
"""What is shown each block's attention module, weights [image, head, query, key] and values.

It may give other weights to go on with.
"""

Tap = Callable[[nn.Module, Sequence[nn.Module], Collector], AbstractContextManager[None]]
"""Takes a module, its blocks and a collector; shows attention while the context is open."""

Positions = Callable[[nn.Module, Tensor, int], AbstractContextManager[None]]
"""Takes a module, places [sequence, token] and the number of prefix tokens.

While the context is open, relative biases and rotations are those of the tokens at these places.
"""

Call = Callable[[nn.Module, Tensor], Tensor]
"""Takes a module and pixel values [image, channel, row, col]; gives logits [image, class]."""

PREFIX, PATCHES, BOTH, ATTENTION = "prefix", "patches", "both", "attention"
READS = (PREFIX, PATCHES, BOTH, ATTENTION)
"""What a head may read: prefix tokens, the patches' mean, both, or what it attends to."""


@dataclass(frozen=True)
class Tokens:
    """The tokens that enter the first block.

    Attributes
    ----------
    values : Tensor [image, token, width]
        Prefix tokens first, then patch tokens row by row.
    grid : tuple of int
        Rows and columns of patches of the whole image.
    places : Tensor [image, token], optional
        Where among all tokens of the image these are. Default: None, all of them in their order.
    """

    values: Tensor
    grid: tuple[int, int]
    places: Tensor | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.values.ndim != 3:
            shape = list(self.values.shape)
            raise InputError(f"values have shape {shape}; give [image, token, width]")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, images: slice) -> "Tokens":
        places = None if self.places is None else self.places[images]
        return Tokens(self.values[images], self.grid, places)

    @property
    def device(self) -> torch.device:
        """Where the values are."""
        return self.values.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the values."""
        return self.values.dtype

    @property
    def shape(self) -> torch.Size:
        """How many images, tokens and numbers a token there are."""
        return self.values.shape


@dataclass(frozen=True)
class Trunk:
    """Where a module keeps the parts of a Vision Transformer.

    Parts are named by their path, as in `module.get_submodule("encoder.layers")`, so that the same
    trunk fits every copy of the module.

    Attributes
    ----------
    blocks : str or tuple of str
        Path of the list of transformer blocks, or the paths of the blocks.
    prefix : tuple of str
        Names of the tokens before the patch tokens, in order; "class" and "distillation" are read
        by the head.
    patch : tuple of int
        Rows and columns of pixels of one patch.
    image_size : tuple of int
        Rows and columns of pixels of an image as the model takes it.
    tap : callable, optional
        How attention is seen; see `Tap`. Default: None, wherever torch computes it in a block
        (`multiplex_vit.models.taps.anywhere`).
    positions : callable, optional
        How relative biases and rotations follow the tokens; see `Positions`. Default: None, for
        positions that are added to tokens before the first block.
    any_size : bool
        Whether images of other sizes are taken. Default: False.
    n_channels : int
        Channels of an image. Default: 3.
    n_heads : int, optional
        Heads of a block. Default: None, counted in a pass.
    stem : tuple of str
        Paths of the parts and weights that make the tokens. Default: those not in blocks or head.
    output : str
        Path within a block of the layer behind attention, which mixes the heads. Default: "".
    scale : str
        Path within a block of what multiplies the layer's output. Default: "", nothing does.
    """

    blocks: str | tuple[str, ...]
    prefix: tuple[str, ...]
    patch: tuple[int, int]
    image_size: tuple[int, int]
    tap: Tap | None = None
    positions: Positions | None = None
    any_size: bool = False
    n_channels: int = 3
    n_heads: int | None = None
    stem: tuple[str, ...] = ()
    output: str = ""
    scale: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        distinct_names("prefix", self.prefix)
        for name in ("patch", "image_size"):
            for pixels in getattr(self, name):
                whole(name, pixels, at_least=1, at_most=MOST_SIDE)
        whole("n_channels", self.n_channels, at_least=1, at_most=MOST_CHANNELS)


@dataclass(frozen=True)
class Head:
    """What a module makes of the tokens that leave its last block.

    Attributes
    ----------
    reads : str
        "prefix", "patches" (their mean), "both" or "attention" (pooled by attention of its own).
    readers : tuple of str
        Paths of the linear layers that give the logits; there may be one for each of the first
        tokens, and the logits are their mean. Default: none, which leaves out what needs them.
    norm : str
        Path of the last layer norm before the readers. Default: "".
    norm_first : bool
        Whether that norm comes before the mean over patches. Default: True.
    projection : str
        Path of a weight [width, feature] by which features are multiplied before the readers.
        Default: "", none.
    """

    reads: str = PREFIX
    readers: tuple[str, ...] = ()
    norm: str = ""
    norm_first: bool = True
    projection: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        one_of("reads", self.reads, READS)


def part_at(owner: Any, path: str) -> Any:
    """Return a part of a module by its path, None where there is none.

    Examples
    --------
    >>> part_at(nn.Sequential(nn.Linear(2, 3)), "0.out_features"), part_at(nn.Linear(2, 3), "norm")
    (3, None)
    """
    part = owner
    for name in path.split("."):
        part = getattr(part, name, None)
    return part


@dataclass(frozen=True, eq=False)
class Port:
    """A module, and how the package reads it.

    Attributes
    ----------
    module : nn.Module
    name : str
        How messages name it.
    trunk : Trunk
    head : Head
    call : callable
        Gives the logits of pixel values; see `Call`.
    classes : callable
        Takes the module; gives the names of classes by number, none of them where there are none.
    problem : callable
        Takes the module; gives what it was trained for, as transformers names it, or None.
    is_known : bool
        Whether the module is of a known class, and not derived from one. A derived class may read
        other tokens, and give other logits, than the class it is derived from.
    """

    module: Any
    name: str
    trunk: Trunk
    head: Head
    call: Call
    classes: Callable[[Any], dict[int, str]]
    problem: Callable[[Any], str | None]
    is_known: bool = True

    def with_module(self, module: Any) -> "Port":
        """Return the port of another module of the same architecture."""
        return replace(self, module=module)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is sent.

        What accelerate wraps around a module cannot be sent, so the module goes without it.
        """
        return {**self.__dict__, "module": bare(self.module)}

    @property
    def blocks(self) -> list[nn.Module]:
        """The transformer blocks, in order."""
        paths = self.trunk.blocks
        if isinstance(paths, str):
            return list(self.part(paths).children())
        return [self.part(path) for path in paths]

    @property
    def readers(self) -> list[nn.Module]:
        """The layers that give the logits."""
        return [self.part(path) for path in self.head.readers]

    @property
    def n_layers(self) -> int:
        """How many blocks there are."""
        return len(self.blocks)

    @property
    def n_prefix(self) -> int:
        """How many tokens come before the patch tokens."""
        return len(self.trunk.prefix)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.module.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        for weight in self.module.parameters():
            if weight.is_floating_point():
                return weight.dtype
        return torch.get_default_dtype()

    def part(self, path: str) -> Any:
        """Return a part of the module by its path.

        Raises
        ------
        InputError
            If there is no such part.
        """
        part = part_at(self.module, path)
        if part is None:
            raise InputError(f"{self.name} has no part {path!r}; mend its trunk or head")
        return part

    def grid_of(self, size: Sequence[int]) -> tuple[int, int]:
        """Return rows and columns of patches of an image of `size` pixels [row, col]."""
        patch_rows, patch_cols = self.trunk.patch
        return size[0] // patch_rows, size[1] // patch_cols

    def n_token(self, size: Sequence[int]) -> int:
        """Return how many tokens an image of `size` pixels makes, prefix tokens included."""
        rows, cols = self.grid_of(size)
        return self.n_prefix + rows * cols

    def blank(self, grid: tuple[int, int]) -> Tensor:
        """Return an image [1, channel, row, col] of zeros with this grid of patches.

        The module is given it in place of an image where tokens take the place of its own.
        """
        rows, cols = self.trunk.image_size
        if self.trunk.any_size:
            rows, cols = grid[0] * self.trunk.patch[0], grid[1] * self.trunk.patch[1]
        shape = (1, self.trunk.n_channels, rows, cols)
        return torch.zeros(shape, device=self.device, dtype=self.dtype)

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the module's logits [image, class] of pixel values."""
        return self.call(self.module, pixels)
