"""Wrapping a live module: the port by which the package reads it."""

from dataclasses import replace
from typing import Any

from torch import nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.families import family_of, supported
from multiplex_vit.models.port import Port
from multiplex_vit.models.unwrap import unwrapped


def port_of(model: object, name: str | None = None) -> Port:
    """Return the port of a module, taken out of what is wrapped around it.

    Parameters
    ----------
    model : nn.Module or Port
        A port is returned as it is, but for its name.
    name : str, optional
        Default: the name in its configuration, or its class.

    Raises
    ------
    InputError
        If the module is of no known family, or what is given is no module.
    """
    if isinstance(model, Port):
        return replace(model, name=name or model.name)
    module = unwrapped(model)
    found = family_of(module)
    if found is None:
        raise _unknown(module)
    family, is_known = found
    return family.port(module, name or _name_of(module), is_known=is_known)


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
    return InputError(f"{kind} is not a supported image classifier; supported: {supported()}")
