"""Plug-ins by entry point: a package registers a class, mercer evaluates, gates and serves it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mercer.errors import NotFoundError, UnsupportedError, nearest

RANKERS = "mercer.rankers"
PREDICTORS = "mercer.predictors"
ENCODERS = "mercer.encoders"
GATES = "mercer.gates"
GROUPS = (RANKERS, PREDICTORS, ENCODERS, GATES)


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}


def names(group: str) -> tuple[str, ...]:
    """Names registered in a group, sorted. Nothing is imported."""
    return tuple(sorted(_entries(group)))


def load(group: str, name: str) -> Any:
    """The class registered as `name`.

    Raises NotFoundError naming the nearest registered name, UnsupportedError when its package can't be
    imported.
    """
    entry = _entries(group).get(name)
    if entry is None:
        raise NotFoundError(
            f"No {group.split('.')[1][:-1]} is called {name!r}.", remedy=nearest(name, names(group))
        )
    try:
        return entry.load()
    except (ImportError, AttributeError) as fault:
        raise UnsupportedError(
            f"{name!r} is registered as {entry.value}, which can't be imported: {fault}.",
            remedy="Install what it needs, or remove the package that registers it.",
        ) from fault
