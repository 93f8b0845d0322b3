"""Running a Hugging Face model in another way than its own, and leaving it as it was before."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from multiplex_vit.models.libraries import PreTrainedModel
from multiplex_vit.models.unwrap import as_itself


@contextmanager
def attending(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    """Run a model in evaluation mode, with another attention implementation, and without wrappers.

    What was changed is put back at the end, also after an exception.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    implementation : str
        A name in transformers' attention interface, such as "sdpa".
    """
    with as_itself(model), _evaluating(model), _implementing(model, implementation):
        yield


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    # Module by module: some parts may be in evaluation mode while others train.
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _implementing(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    # Parts of a model may share a configuration, or have one of their own.
    configs = {}
    for module in model.modules():
        if isinstance(module, PreTrainedModel):
            configs[id(module.config)] = module.config
    before = [(config, config._attn_implementation) for config in configs.values()]
    try:
        for config in configs.values():
            config._attn_implementation = implementation
        yield
    finally:
        for config, implementation_before in before:
            config._attn_implementation = implementation_before


@contextmanager
def outputs_of(modules: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect what modules give, in the order in which they run.

    Yields
    ------
    outputs : list of Tensor [image, token, width]
        One entry a module that has run; part of the graph of gradients where there is one.
    """
    outputs: list[Tensor] = []

    def collect(_module: nn.Module, _args: object, output: Tensor) -> None:
        outputs.append(output)

    hooks = [module.register_forward_hook(collect) for module in modules]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()
