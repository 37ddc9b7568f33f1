"""A ranker inside another: named in its options, made and fitted by it, and kept in a folder of its own.

What is kept is known by one digest, of all files that decide answers. The record of a training is left out of it: its
seconds differ from fit to fit, and equal fits write equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mercer.contracts import Ranker, plugins
from mercer.errors import DamagedError, nearest
from mercer.training.files import digest
from mercer.training.record import RECORD_FILE

Named = dict[str, dict[str, Any]]
"""Rankers by name, each with its options in plain JSON types."""


def resolved(name: str, given: Mapping[str, Any], task: Literal["recommend", "search"]) -> dict[str, Any]:
    """All options of a ranker, in plain JSON types; what is not given is filled in, so that all of them are visible.

    Raises ValueError for a name that no ranker of the task with scores has, and for wrong options.
    """
    known = plugins.names(plugins.RANKERS)
    if name not in known:
        raise ValueError(f"no ranker is called {name!r}. {nearest(str(name), known)}")
    ranker = plugins.load(plugins.RANKERS, name)
    if ranker.task != task or not ranker.has_scores:
        raise ValueError(f"{name!r} can't be a part: it gives no scores for the task {task}")
    options: dict[str, Any] = ranker.Options(**given).model_dump(mode="json")
    return options


def new(name: str, options: Mapping[str, Any]) -> Ranker:
    """A ranker that is not fitted."""
    cls = plugins.load(plugins.RANKERS, name)
    made: Ranker = cls(cls.Options(**options))
    return made


def new_one(named: Named) -> Ranker:
    """The only ranker of these, not fitted."""
    [(name, options)] = named.items()
    return new(name, options)


def keep(ranker: Ranker, folder: Path) -> bytes:
    """Save into a folder that may not exist yet; returns the digest of what was written, 32 bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    ranker.save(folder)
    return _digest(folder)


def read(name: str, folder: Path, known: bytes) -> Ranker:
    """Load what `keep` saved. known: the digest that it returned.

    Raises DamagedError when something is missing, damaged or of another fit.
    """
    if _digest(folder) != known:
        raise DamagedError(
            f"{folder.name} does not hold the {name} that belongs to this fit.",
            remedy="Fit the ranker again.",
        )
    loaded: Ranker = plugins.load(plugins.RANKERS, name).load(folder)
    return loaded


def _digest(folder: Path) -> bytes:
    """Of all files of a folder but records of trainings."""
    return digest(folder, (path for path in sorted(folder.rglob("*")) if path.name != RECORD_FILE))
