"""Ports of live modules: which family a module is of, and what stands around it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.families import family_of, refusal_of
from multiplex_vit.models.families.family import Family, called, no_classes, no_problem
from multiplex_vit.models.passes import token_width
from multiplex_vit.models.port import Head, Port, Trunk
from multiplex_vit.models.probe import Probe, reads_of
from multiplex_vit.models.unwrap import unwrapped


def port_of(
    model: object,
    name: str | None = None,
    *,
    head: nn.Module | Head | None = None,
    trunk: Trunk | None = None,
    interpolate: bool = False,
) -> Port:
    """Return the port of a module, taken out of what is wrapped around it.

    Parameters
    ----------
    model : nn.Module or Port
        A port is returned as it is, but for its name.
    name : str, optional
        Default: the name in its configuration, or its class.
    head : nn.Module or Head, optional
        What scores the features of a backbone, or what is known of the module's own head.
    trunk : Trunk, optional
        Where the parts are, of a module of no known family. Default: what its family says.

    interpolate : bool
        Whether position embeddings are interpolated to images of other sizes. Default: False.

    Raises
    ------
    InputError
        If the module is of no known family and no trunk is given, a backbone has no head, its
        positions cannot be interpolated, or what is given is no module.
    """
    if isinstance(model, Port):
        return replace(model, name=name or model.name)
    module = unwrapped(model)
    name = name or _name_of(module)
    found = family_of(module)
    if found is None:
        if interpolate:
            raise InputError(f"{name} is of no known family; give its trunk any_size=True instead")
        port = _of_unknown(module, name, trunk)
    else:
        family, is_known = found
        if interpolate and not family.trunk(module).any_size:
            family = family.interpolated(name)
        if isinstance(head, nn.Module):
            return _with_head(family, module, head, trunk, name)
        if family.is_bare(module) and trunk is None:
            raise InputError(
                f"{type(module).__name__} is a backbone without a classifier; "
                "give wrap(..., head=...), such as a linear probe"
            )
        port = family.port(module, name, is_known=is_known)
    if isinstance(head, nn.Module):
        raise InputError(f"{name} is of no known family; give wrap(...) the whole classifier")
    if trunk is not None:
        port = replace(port, trunk=trunk, is_known=False)
    return port if head is None else replace(port, head=head, is_known=False)


def _of_unknown(module: Any, name: str, trunk: Trunk | None) -> Port:
    """Return the port of a module of which its user says where the parts are."""
    if trunk is None:
        raise _unknown(module)
    return Port(
        module=module,
        name=name,
        trunk=trunk,
        head=Head(),
        call=called,
        classes=no_classes,
        problem=no_problem,
        is_known=False,
    )


def _with_head(
    family: Family, backbone: Any, head: nn.Module, trunk: Trunk | None, name: str
) -> Port:
    """Return the port of a backbone and a head that scores its features."""
    if family.features is None:
        raise InputError(
            f"{type(backbone).__name__} has a classifier of its own, which head would replace; "
            "give the backbone in it, or replace the classifier in the module"
        )
    trunk = trunk or family.trunk(backbone)
    own = family.head(backbone)
    n_prefix = len(trunk.prefix)
    reads = own.reads
    if family.reads_tokens:
        bare = Port(backbone, name, trunk, own, family.features, no_classes, no_problem)
        reads = reads_of(head, token_width(bare), trunk.prefix)
    probe = Probe(backbone, head, family.features, reads=reads, n_prefix=n_prefix)
    blocks: Any = trunk.blocks
    paths = f"backbone.{blocks}" if isinstance(blocks, str) else _inside(blocks)
    return Port(
        module=probe.to(next(backbone.parameters()).device),
        name=name,
        trunk=replace(trunk, blocks=paths, stem=_inside(trunk.stem)),
        head=Head(
            reads=reads,
            readers=("head",),
            norm=f"backbone.{own.norm}" if own.norm else "",
            norm_first=own.norm_first,
            projection=f"backbone.{own.projection}" if own.projection else "",
        ),
        call=called,
        classes=no_classes,
        problem=no_problem,
    )


def _inside(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"backbone.{path}" for path in paths)


def _name_of(module: Any) -> str:
    # A model that was built in memory has no path.
    path = getattr(getattr(module, "config", None), "name_or_path", "")
    return path or type(module).__name__


def _unknown(module: nn.Module) -> InputError:
    """Return the error that says what to give in place of a module of no known family."""
    kind = type(module).__name__
    for path, part in module.named_modules():
        if path and family_of(part) is not None:
            return InputError(
                f"{kind} is not unwrapped; give VisionModel(model.{path}, "
                f"processor), the {type(part).__name__} in it"
            )
    return InputError(refusal_of(module))


@dataclass(frozen=True)
class Named:
    """Names of classes that a user gives.

    Attributes
    ----------
    names : tuple of str
    """

    names: tuple[str, ...]

    def __call__(self, module: Any) -> dict[int, str]:
        """Return the names by number, whatever the module."""
        return dict(enumerate(self.names))
