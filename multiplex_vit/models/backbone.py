"""Backbone: a model's module, and what the package has to know of its architecture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from multiplex_vit.models.adapters import ADAPTERS, Adapter, adapter_for
from multiplex_vit.models.libraries import PreTrainedModel
from multiplex_vit.models.unwrap import bare, unwrapped


@dataclass(frozen=True, eq=False)
class Backbone:
    """A transformers image classifier, and where its tokens, blocks and layers are.

    Sizes are read off the module's configuration whenever they are asked for.

    Attributes
    ----------
    module : transformers.PreTrainedModel
    name : str
        How messages name it.
    adapter : Adapter
    prefix : tuple of str
        Names of the tokens before the patch tokens.
    """

    module: PreTrainedModel
    name: str
    adapter: Adapter
    prefix: tuple[str, ...]

    @classmethod
    def of(cls, model: object, name: str | None = None) -> "Backbone":
        """Return the backbone of a module, taken out of what is wrapped around it.

        Raises
        ------
        InputError
            If the architecture is not supported, or what is given is no module.
        """
        module = unwrapped(model)
        config = module.config
        adapter = adapter_for(module)
        # A model that was built in memory has no path.
        default = config.name_or_path or type(module).__name__
        return cls(module, name or default, adapter, adapter.prefix(config))

    def with_module(self, module: Any) -> "Backbone":
        """Return the backbone of another module of the same architecture."""
        return replace(self, module=module)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is sent.

        What accelerate wraps around a module cannot be sent, so the module goes without it.
        """
        return {**self.__dict__, "module": bare(self.module)}

    @property
    def config(self) -> Any:
        """The module's configuration."""
        return self.module.config

    @property
    def is_known(self) -> bool:
        """Whether the module is of a known class, and not derived from one.

        A derived class may read other tokens, and give other logits, than the class it is derived
        from.
        """
        return type(self.module).__name__ in ADAPTERS

    @property
    def transformer(self) -> Any:
        """The module that holds the embeddings, the blocks and the last layer norm."""
        return getattr(self.module, self.module.base_model_prefix)

    @property
    def embeddings(self) -> nn.Module:
        """The module that turns pixel values into tokens."""
        return self.transformer.embeddings

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks, in order."""
        # Architectures call the list "layers", "layer" or "blocks", at several depths.
        n_layers = self.n_layers
        for module in self.module.modules():
            if isinstance(module, nn.ModuleList) and len(module) == n_layers:
                return module
        raise LookupError(f"{self.name} holds no list of {self.n_layers} blocks")

    @property
    def heads(self) -> list[nn.Module]:
        """What reads the tokens after the transformer."""
        skipped = self.module.base_model_prefix
        return [child for name, child in self.module.named_children() if name != skipped]

    @property
    def n_layers(self) -> int:
        """How many blocks there are."""
        return int(self.config.num_hidden_layers)

    @property
    def n_heads(self) -> int:
        """How many attention heads a block has."""
        return int(self.config.num_attention_heads)

    @property
    def n_prefix(self) -> int:
        """How many tokens come before the patch tokens."""
        return len(self.prefix)

    @property
    def n_channels(self) -> int:
        """How many channels an image has."""
        return int(self.config.num_channels)

    @property
    def patch(self) -> tuple[int, int]:
        """Rows and columns of pixels of one patch."""
        return _both_sides(self.config.patch_size)

    @property
    def image_size(self) -> tuple[int, int]:
        """Rows and columns of pixels of an image, by the configuration."""
        return _both_sides(self.config.image_size)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.module.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self.module.dtype

    def grid_of(self, size: Sequence[int]) -> tuple[int, int]:
        """Return rows and columns of patches of an image of `size` pixels [row, col]."""
        return size[0] // self.patch[0], size[1] // self.patch[1]

    def n_token(self, size: Sequence[int]) -> int:
        """Return how many tokens an image of `size` pixels makes, prefix tokens included."""
        rows, cols = self.grid_of(size)
        return self.n_prefix + rows * cols


def _both_sides(size: Any) -> tuple[int, int]:
    """Return rows and columns of a size that is one number, or two."""
    if isinstance(size, (list, tuple)):
        return int(size[0]), int(size[1])
    return int(size), int(size)
