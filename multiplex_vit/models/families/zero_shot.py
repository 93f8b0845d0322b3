"""Zero-shot classifiers: the vision tower of a model that reads text too, and texts as its head."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from multiplex_vit.errors import InputError
from multiplex_vit.models.heads import TextHead
from multiplex_vit.models.running import attending

Classes = Sequence[str] | Mapping[str, str | Sequence[str]]
"""Names of classes, or their prompts by name: one or several."""

_SOFTMAX, _SIGMOID = "softmax", "sigmoid"
SCORES = {
    "CLIPModel": _SOFTMAX,
    "MetaClip2Model": _SOFTMAX,
    "SiglipModel": _SIGMOID,
    "Siglip2Model": _SIGMOID,
    "CLIP": _SOFTMAX,
    "CustomTextCLIP": _SOFTMAX,
}
"""What logits mean, by the name of the class in transformers or open_clip."""


READERS_OF_TEXT = {
    "CLIPModel": "CLIPTokenizer",
    "MetaClip2Model": "XLMRobertaTokenizer",
    "SiglipModel": "SiglipTokenizer",
}
"""Classes of transformers that can be loaded with texts, and their tokenizers."""


def reads_text(module: Any) -> bool:
    """Tell whether a module has a vision tower and a text tower."""
    return type(module).__name__ in SCORES and _library(module) in ("transformers", "open_clip")


def _library(module: Any) -> str:
    return type(module).__module__.partition(".")[0]


@torch.no_grad()
def zero_shot(
    module: Any, processor: Any, classes: Classes | None
) -> tuple[nn.Module, TextHead, str]:
    """Return the vision tower of a module, a head of texts, and what its logits mean.

    Parameters
    ----------
    module : nn.Module
        For which `reads_text` holds.
    processor : callable
        Of transformers: a processor that holds a tokenizer. open_clip's own tokenizer is used.
    classes : sequence of str, or mapping of str to text or texts
        Features of several prompts of a class are averaged, as CLIP's authors do (Radford et al.,
        ICML 2021, arXiv:2103.00020).

    Raises
    ------
    InputError
        If no classes are given, or there is no tokenizer.
    """
    kind = type(module).__name__
    if not classes or isinstance(classes, str):
        raise InputError(
            f"{kind} compares images with texts; give classes=['a photo of a cat', ...]"
        )
    is_hugging_face = _library(module) == "transformers"
    encode = _by_transformers if is_hugging_face else _by_open_clip
    with attending(module):
        features = [encode(module, processor, prompts) for prompts in prompts_of(classes)]
    texts = torch.stack([normalize(of_class, dim=-1).mean(0) for of_class in features])
    bias = getattr(module, "logit_bias", None)
    head = TextHead(
        texts,
        scale=float(module.logit_scale.exp()),
        bias=0.0 if bias is None else float(bias),
        projection=getattr(module, "visual_projection", None),
    )
    tower = module.vision_model if is_hugging_face else module.visual
    wanted = _SIGMOID if bias is not None else SCORES[kind]
    return tower, head, wanted


def prompts_of(classes: Classes) -> list[list[str]]:
    """Return the prompts of each class.

    Examples
    --------
    >>> prompts_of(["a cat"]), prompts_of({"cat": ["a cat", "cats"]})
    ([['a cat']], [['a cat', 'cats']])
    """
    if not isinstance(classes, Mapping):
        return [[name] for name in classes]
    prompts = []
    for texts in classes.values():
        prompts.append([texts] if isinstance(texts, str) else list(texts))
    return prompts


def _by_transformers(module: Any, processor: Any, prompts: list[str]) -> Tensor:
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None:
        raise InputError(
            f"the processor of {type(module).__name__} has no tokenizer for the classes; give the "
            "whole processor (AutoProcessor), or head=TextHead(...) with features of texts"
        )
    length = module.config.text_config.max_position_embeddings
    # SigLIP was trained on texts filled up to their greatest length.
    padding = "max_length" if SCORES[type(module).__name__] == _SIGMOID else True
    tokens = tokenizer(
        prompts, padding=padding, truncation=True, max_length=length, return_tensors="pt"
    )
    given = module.get_text_features(**tokens.to(module.device))
    return getattr(given, "pooler_output", given)


def _by_open_clip(module: Any, processor: Any, prompts: list[str]) -> Tensor:
    from open_clip import SimpleTokenizer

    tokenize: Callable[..., Tensor] = SimpleTokenizer(context_length=module.context_length)
    if module.vocab_size != tokenize.vocab_size:  # type: ignore[attr-defined]
        raise InputError(
            "the text tower is not of open_clip's own tokenizer; give head=TextHead(features) with "
            "features of texts"
        )
    device = next(module.parameters()).device
    return module.encode_text(tokenize(prompts).to(device))
