"""VisionModel: what the rest of the package asks of a Vision Transformer."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiplex_vit.checks import label_index
from multiplex_vit.errors import InputError
from multiplex_vit.models.adapters import ADAPTERS, adapter_of
from multiplex_vit.models.attention import attending, blocks_of, collected, finite, outputs_of
from multiplex_vit.models.direct import Direct
from multiplex_vit.models.fast.batches import chunks_of_fixed_size
from multiplex_vit.models.fast.rounding import Rounded
from multiplex_vit.models.fast.switches import Fast, fast_of
from multiplex_vit.models.gradients import Gradients
from multiplex_vit.models.heads import class_names, width_of
from multiplex_vit.models.libraries import PreTrainedModel
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.models.passes import Passes
from multiplex_vit.models.picture import Picture, processed_size, refuse_large, view_of
from multiplex_vit.models.processing import levels_of, processing_of
from multiplex_vit.models.score import AUTO, Score, score_named, score_of
from multiplex_vit.models.swaps import fed
from multiplex_vit.models.tensors import computable, refuse_many_tokens, to_device
from multiplex_vit.models.unwrap import bare, unwrapped
from multiplex_vit.pictures import read_image


class VisionModel(Passes, Gradients):
    """A Hugging Face image classifier, asked for attention and for classification from some of its tokens.

    The wrapped model is left as it was found after every call, also after an exception: its mode, weights, gradients, hooks
    and attention implementation. One model must not be used from several threads at once; it can be sent to other processes.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        An architecture listed in `multiplex_vit.models.adapters.ADAPTERS`. Of torch.compile, DataParallel,
        DistributedDataParallel and PEFT what they hold is taken, adapters included; it runs without accelerate's autocast.
    processor : transformers image processor, optional
        Turns images into pixel values. Without it only pixel values can be explained.
    name : str, optional
        How results name the model.
    mask_dtype : torch.dtype or "tf32", optional
        Type in which masks and images are classified. Attention, and with it the masks, keeps that of the
        weights. Default: None, that of the weights.
    score : str
        What the logits mean: "softmax", "sigmoid" or "raw". Default: "auto", which follows the
        checkpoint (see `multiplex_vit.models.score.score_of`).
    fast : Fast or bool
        Which shortcuts are taken when masks and images are classified (see `multiplex_vit.models.fast.switches`);
        False takes none. Default: True, all of them.

    Raises
    ------
    InputError
        If the architecture is not supported, what is given is no module, or the score is unknown.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        processor: Any = None,
        *,
        name: str | None = None,
        mask_dtype: torch.dtype | str | None = None,
        score: str = AUTO,
        fast: Fast | bool = True,
    ):
        model = unwrapped(model)
        names = [kind.__name__ for kind in type(model).__mro__]
        self.adapter = adapter_of(next((name for name in names if name in ADAPTERS), names[0]))
        self.model, self.mask_dtype, self.fast = model, mask_dtype, fast_of(fast)
        self._rounded = Rounded(model, mask_dtype)
        self.processor = processor
        self.name = name or model.config.name_or_path or type(model).__name__
        self.prefix = self.adapter.prefix(model.config)
        self.n_prefix = len(self.prefix)
        self.n_layers = int(model.config.num_hidden_layers)
        self.n_heads = int(model.config.num_attention_heads)
        self._wanted_score = score if score == AUTO else score_named(score).name
        self._last_width: int | None = None
        self._names: tuple[str, ...] = ()
        if score != AUTO:
            _ = self.score  # refuses a softmax of one logit at once

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is sent: the model without what accelerate wraps around it, which cannot be."""
        model = bare(self.model)
        return {**self.__dict__, "model": model, "_rounded": Rounded(model, self.mask_dtype)}

    def __repr__(self) -> str:
        rows, cols = self.grid
        parts = f"{self.n_layers} blocks, {rows} x {cols} patches, {len(self.classes)} classes, {self.dtype}, {self.device}"
        return f"<VisionModel {self.name}: {type(self.model).__name__}, {parts}>".replace(
            "torch.", ""
        )

    @property
    def mask_model(self) -> Any:
        """The model that classifies masks and images: `model`, or a copy of it in the type `mask_dtype`."""
        return self._rounded()

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the model's weights."""
        return self.model.dtype

    @property
    def n_classes(self) -> int:
        """How many logits the model gives, whatever its configuration says."""
        known = type(self.model).__name__ in ADAPTERS
        width = width_of(self.model, self.adapter.readers) if known else None
        return width or self._last_width or self._measured_width()

    @torch.no_grad()
    def _measured_width(self) -> int:
        """Return how many logits a pass of an empty image gives."""
        size = (1, self.model.config.num_channels, *self.input_size)
        with attending(self.model, "sdpa"):
            empty = torch.zeros(size, device=self.device, dtype=self.dtype)
            self._last_width = int(self.model(pixel_values=empty).logits.shape[-1])
        return self._last_width

    @property
    def score(self) -> Score:
        """What the numbers mean that `classify` and the other passes give for every class."""
        problem_type = getattr(self.model.config, "problem_type", None)
        return score_of(self._wanted_score, problem_type, self.n_classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, one a logit; a class's label is its place here."""
        if len(self._names) != self.n_classes:
            self._names = class_names(self.model.config.id2label, self.n_classes, self.name)
        return self._names

    @property
    def patch(self) -> tuple[int, int]:
        """Rows and columns of pixels of one patch."""
        return _pair(self.model.config.patch_size)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches for an image of the size that the image processor makes."""
        return self.grid_of(self.input_size)

    @property
    def input_size(self) -> tuple[int, int]:
        """Rows and columns of pixels that the image processor makes, or else of the configuration."""
        size = processed_size(self.processor) if self.adapter.any_size else None
        return size or _pair(self.model.config.image_size)

    def grid_of(self, size: Sequence[int]) -> tuple[int, int]:
        """Return rows and columns of patches of an image of `size` pixels [row, col]."""
        return size[0] // self.patch[0], size[1] // self.patch[1]

    def label_of(self, label: int | str | None, predicted: int) -> int:
        """Return the index of a class given by index or name; None stands for the predicted one.

        Raises
        ------
        InputError
            If there is no such class.
        """
        return predicted if label is None else label_index(label, self.classes, self.name)

    def picture(self, image: Any) -> Picture:
        """Return an image ready for the model.

        Parameters
        ----------
        image : path-like, bytes of a file, PIL image, uint8 array [row, col, channel], or float array or Tensor [1, channel, row, col]
            Floats are taken as pixel values that are pre-processed already.

        Raises
        ------
        InputError
            If it cannot be read, or pixel values have a shape that the model does not take.
        """
        if isinstance(image, Picture):
            return image
        if isinstance(image, Tensor) or (isinstance(image, np.ndarray) and image.dtype.kind == "f"):
            pixels = self._checked(
                image.detach()
                if isinstance(image, Tensor)
                else torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
            )
            return Picture(pixels, self._seen(pixels))
        if self.processor is None:
            raise InputError(
                f"{self.name} has no image processor; give pre-processed pixel values [1, channel, row, col]"
            )
        rgb = read_image(image)
        refuse_large(rgb, self.processor)
        if self.model.config.num_channels == 1:
            rgb = rgb.convert("L")
        # Without rescaling they are whole numbers.
        pixels = self._checked(
            self.processor(images=rgb, return_tensors="pt")["pixel_values"].float()
        )
        found = processing_of(self.processor, (rgb.height, rgb.width), rgb.mode)
        box = None if found is None else found.box(*self._covered(pixels))
        if found is None or box is None:
            return Picture(pixels, self._seen(pixels))
        return Picture(pixels, np.asarray(view_of(rgb, box, found.beyond).convert("RGB")))

    def _covered(self, pixels: Tensor) -> tuple[int, int]:
        """Return rows and columns of pixels that are in a patch; what is left at the right and below has no part in the model."""
        rows, cols = self.grid_of(pixels.shape[2:])
        return rows * self.patch[0], cols * self.patch[1]

    def _checked(self, pixels: Tensor) -> Tensor:
        config, wanted = self.model.config, self.input_size
        channels = config.num_channels
        if self.adapter.any_size and pixels.ndim == 4:
            fits = min(self.grid_of(pixels.shape[2:])) >= 1
            expected = f"[1, {channels}, row, col] of at least one patch ({self.patch[0]} x {self.patch[1]})"
        else:
            fits = tuple(pixels.shape[2:]) == wanted
            expected = f"[1, {channels}, {wanted[0]}, {wanted[1]}]"
        if (
            pixels.ndim != 4
            or len(pixels) != 1
            or pixels.shape[1] != channels
            or not fits
            or not pixels.is_floating_point()
        ):
            raise InputError(
                f"pixel values have shape {list(pixels.shape)} ({pixels.dtype}); {self.name} wants float {expected}"
            )
        refuse_many_tokens(int(np.prod(self.grid_of(pixels.shape[2:]))))
        pixels = computable(pixels).to(torch.float32)
        if not pixels.isfinite().all():
            raise InputError("pixel values contain NaN or infinity; pre-process the image again")
        return to_device(pixels, self.device, torch.float32)

    def _seen(self, pixels: Tensor) -> np.ndarray:
        mean, std = self.normalisation
        rows, cols = self._covered(pixels)
        seen = pixels[0, :, :rows, :cols].cpu().numpy() * std[:, None, None] + mean[:, None, None]
        seen = seen[:3] if len(seen) >= 3 else np.repeat(seen[:1], 3, axis=0)
        return (255 * seen.clip(0, 1)).round().astype(np.uint8).transpose(1, 2, 0)

    @property
    def normalisation(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation a channel that turn pixel space 0 to 1 (black to white) into pixel values: (p - mean) / std.

        They are the image processor's own where it rescales to 0 to 1; else such that black and white become what it makes of them. Without a
        processor both are taken as 0.5, so that true black is -1.
        """
        channels = self.model.config.num_channels
        mean, std = _normalisation(self.processor)
        if np.size(mean) not in (1, channels) or np.size(std) not in (1, channels):
            raise InputError(
                f"{self.name} takes {channels} channels, but its image processor has mean {mean} and std {std}; mend the processor"
            )
        mean, std = (
            np.broadcast_to(np.asarray(values, dtype=np.float32), channels)
            for values in (mean, std)
        )
        levels = (
            None
            if self.processor is None
            else levels_of(self.processor, "L" if channels == 1 else "RGB")
        )
        if levels is not None and not np.allclose(
            levels, [-mean / std, (1 - mean) / std], rtol=1e-3, atol=1e-3
        ):
            black, white = levels
            std = 1 / (white - black)
            mean = -black * std
        return mean, std

    @torch.no_grad()
    def embed(self, pixels: Tensor | np.ndarray) -> Tensor:
        """Return the tokens that enter the first block.

        Parameters
        ----------
        pixels : Tensor or ndarray [image, channel, row, col]
            Pre-processed pixel values.

        Returns
        -------
        Tensor [image, token, width]
            Prefix tokens first, then the patch tokens row by row, position embeddings added.

        Raises
        ------
        InputError
            If their number is not that of the prefix tokens plus the patches of the grid.
        """
        given = to_device(torch.as_tensor(pixels), self.device, self.dtype)
        n_token = self.n_prefix + int(np.prod(self.grid_of(pixels.shape[2:])))
        with attending(self.model, "sdpa"):
            tokens = torch.cat(
                [
                    self._embeddings(chunk)[:count]
                    for chunk, count in chunks_of_fixed_size(given, n_token)
                ]
            )
        rows, cols = self.grid_of(pixels.shape[2:])
        if tokens.shape[1] != self.n_prefix + rows * cols:
            parts = f"{self.n_prefix} prefix tokens + {rows} x {cols} patches"
            raise InputError(
                f"{self.name} makes {tokens.shape[1]} tokens, but its configuration says {parts} = {self.n_prefix + rows * cols}; mend its adapter"
            )
        return tokens

    @torch.no_grad()
    def attend(
        self, tokens: Tensor, operators: Iterable[str | Callable], *, prefix: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return attention between patch tokens, pooled over heads, and the class scores of the same pass.

        Parameters
        ----------
        tokens : Tensor [image, token, width]
            From `embed`.
        operators : iterable of str or callable
            Head operators.
        prefix : bool
            Keep the prefix tokens too, before the patch tokens.

        Returns
        -------
        attention : Tensor [image, operator, layer, source, target]
            float32, or float64 of a model in float64; the source (query) attends to the target (key).
        probabilities : Tensor [image, class]
            float32; `score` says whether these are probabilities.
        """
        pools = [OPERATORS.resolve(operator) for operator in operators]
        attention, logits = _joined(
            [
                (self._attended(chunk, pools, prefix), count)
                for chunk, count in chunks_of_fixed_size(tokens, tokens.shape[1])
            ]
        )
        return finite(attention, pools), self._finite(logits)

    @torch.no_grad()
    def attend_directly(
        self, tokens: Tensor, operators: Iterable[str | Callable]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `attend` does and, of the same pass, the direct logit attribution of every patch token to every class.

        Parameters are as for `attend`, and so are the first two results.

        Returns
        -------
        attention, probabilities : Tensor
        direct : Tensor [image, node, class]
            float32; what attention brings of a token to the tokens that the classifier reads, in
            logits. With a softmax it is less its mean over classes (see `models.direct`).

        Raises
        ------
        InputError
            If the classifier is not linear.
        """
        pools = [OPERATORS.resolve(operator) for operator in operators]
        found = []
        for chunk, count in chunks_of_fixed_size(tokens, tokens.shape[1]):
            direct = Direct(
                self.model,
                blocks_of(self.model, self.n_layers),
                self.adapter.readers,
                self.n_prefix,
                exclusive=self.score.exclusive,
            )
            with direct.watching():
                several = self._attended(chunk, pools, False, also=direct.add)
            with attending(self.model, "sdpa"):
                shares = direct.attribution()
            found.append(((*several, shares), count))
        attention, logits, shares = _joined(found)
        return finite(attention, pools), self._finite(logits), shares

    def _attended(
        self, tokens: Tensor, pools: Sequence[Callable], prefix: bool, **watching: Any
    ) -> tuple[Tensor, Tensor]:
        """Return pooled attention and logits of one pass."""
        with (
            collected(
                self.model, pools, 0 if prefix else self.n_prefix, self.n_layers, **watching
            ) as found,
            fed(self._embeddings, tokens),
        ):
            logits = self.model(pixel_values=tokens).logits
        if found.attention is None or found.count != self.n_layers:
            raise InputError(
                f"{self.name} showed the attention of {found.count} blocks out of {self.n_layers}; it does not use transformers' attention interface"
            )
        return found.attention, logits

    @torch.no_grad()
    def activations(
        self, tokens: Tensor, operators: Iterable[str | Callable] = ("mean",)
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what every block makes of the patch tokens, with the attention and the class scores of the same pass.

        Parameters
        ----------
        tokens : Tensor [1, token, width]
            From `embed`.
        operators : iterable of str or callable
            Head operators.

        Returns
        -------
        activations : Tensor [layer, node, width]
            Each block's output.
        attention : Tensor [operator, layer, query, key]
            float32, prefix tokens included.
        probabilities : Tensor [1, class]
            float32; `score` says whether these are probabilities.
        """
        pools = [OPERATORS.resolve(operator) for operator in operators]
        with outputs_of(blocks_of(self.model, self.n_layers)) as outputs:
            attention, logits = self._attended(tokens, pools, True)
        return (
            torch.cat(outputs)[:, self.n_prefix :],
            finite(attention, pools)[0],
            self._finite(logits),
        )

    def _finite(self, logits: Tensor) -> Tensor:
        """Return the scores of logits; InputError if they are not finite."""
        if not logits.isfinite().all():
            raise InputError(
                f"{self.name} gives NaN or infinity in {logits.dtype}; load it with dtype='float32', and without mask_dtype"
            )
        self._last_width = int(logits.shape[-1])
        return self.score.of(logits)


def _normalisation(processor: Any) -> tuple[Any, Any]:
    """Return what an image processor subtracts and divides by, in pixel space 0 to 1, by its options."""
    if processor is None:
        return 0.5, 0.5
    white = 255 * (
        getattr(processor, "rescale_factor", 1 / 255)
        if getattr(processor, "do_rescale", True)
        else 1
    )
    mean, std = (
        (processor.image_mean, processor.image_std)
        if getattr(processor, "do_normalize", False)
        else (0.0, 1.0)
    )
    return (mean, std) if white == 1 else (np.divide(mean, white), np.divide(std, white))


def _joined(found: Sequence[tuple[tuple[Tensor, ...], int]]) -> list[Tensor]:
    """Return the results of passes one after another, of each as many images as were asked; one pass's without a copy."""
    if len(found) == 1 and len(found[0][0][0]) == found[0][1]:
        return list(found[0][0])
    return [
        torch.cat([part[:count] for part, (_, count) in zip(parts, found, strict=True)])
        for parts in zip(*(each for each, _ in found), strict=True)
    ]


def _pair(size: Any) -> tuple[int, int]:
    return (
        (int(size[0]), int(size[1])) if isinstance(size, (list, tuple)) else (int(size), int(size))
    )
