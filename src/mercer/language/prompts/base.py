"""The ranker whose first items a prompt puts in a new order: named in the options, fitted and kept inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercer.contracts import Ranker, plugins
from mercer.errors import DamagedError, nearest

Named = dict[str, dict[str, Any]]
"""One ranker by name, with its options."""


def one_ranker(given: Any, task: str) -> Named:
    """One ranker with all its options, from a name or from {name: options}.

    Raises ValueError for several, for a name that no ranker of the task with scores has, for a ranker that itself
    prompts, and for wrong options.
    """
    named = {given: {}} if isinstance(given, str) else given
    if not isinstance(named, Mapping) or len(named) != 1:
        raise ValueError("one ranker is named, with its options: {NAME: {…}}")
    [(name, options)] = named.items()
    known = plugins.names(plugins.RANKERS)
    if name not in known:
        raise ValueError(f"no ranker is called {name!r}. {nearest(str(name), known)}")
    if name.startswith("prompted-"):
        raise ValueError(f"{name!r} can't be the base of a ranker that prompts")
    ranker = plugins.load(plugins.RANKERS, name)
    if ranker.task != task or not ranker.has_scores:
        raise ValueError(f"{name!r} can't be the base: it gives no scores for the task {task}")
    return {name: ranker.Options(**(options or {})).model_dump(mode="json")}


def new_base(named: Named) -> Ranker:
    """The ranker, not fitted."""
    [(name, options)] = named.items()
    cls = plugins.load(plugins.RANKERS, name)
    made: Ranker = cls(cls.Options(**options))
    return made


def keep_base(ranker: Ranker, folder: Path) -> str:
    """Save into a folder that may not exist yet; returns a hash of what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    ranker.save(folder)
    return _digest(folder)


def read_base(named: Named, folder: Path, digest: str) -> Ranker:
    """Load what `keep_base` saved. Raises DamagedError when something is missing, damaged or of another fit."""
    [name] = named
    if _digest(folder) != digest:
        raise DamagedError(
            f"{folder.name} does not hold the {name} that belongs to this fit.",
            remedy="Fit the ranker again.",
        )
    loaded: Ranker = plugins.load(plugins.RANKERS, name).load(folder)
    return loaded


def _digest(folder: Path) -> str:
    """SHA-256 over names and contents of all files of a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
