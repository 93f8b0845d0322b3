"""The public names of the package and of its rooms, and what they stand for."""

import types

import multiplex_vit as mv

ROOMS = ("evaluation", "models", "network", "plot", "report", "saliency", "study")


def room_members(*rooms):
    """Return what rooms offer, by name (default: what all of them offer)."""
    members = {}
    for room in rooms or ROOMS:
        for name in dir(getattr(mv, room)):
            members[name] = getattr(getattr(mv, room), name)
    return members


def top_members():
    """Return what stands at the top of the package, by name; rooms are left out."""
    members = {name: getattr(mv, name) for name in dir(mv)}
    return {
        name: member for name, member in members.items() if not isinstance(member, types.ModuleType)
    }
