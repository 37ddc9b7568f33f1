"""Rankers inside a ranker: named in its options, fitted by it, and kept in folders of their own beside its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BeforeValidator

from mercer.contracts import Ranker, Runtime, plugins
from mercer.errors import DamagedError, nearest
from mercer.recommend.weights_file import WEIGHTS
from mercer.training import TrainingOptions, TrainingRecord


def _mapping(given: Any) -> Any:
    """A name, or several, stand for rankers with their default options."""
    if isinstance(given, str):
        return {given: {}}
    if isinstance(given, list | tuple):
        return {name: {} for name in given}
    return given


def _resolved(given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: resolved(name, options) for name, options in given.items()}


Members = Annotated[dict[str, dict[str, Any]], BeforeValidator(_mapping), AfterValidator(_resolved)]
"""Rankers by name, each with its options; what is not given is filled in, so that all of them are visible."""


def resolved(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a ranker, in plain JSON types.

    Raises ValueError for a name that no ranker for `recommend` with scores has, and for wrong options.
    """
    known = plugins.names(plugins.RANKERS)
    if name not in known:
        raise ValueError(f"no ranker is called {name!r}. {nearest(name, known)}")
    ranker = plugins.load(plugins.RANKERS, name)
    if ranker.task != "recommend" or not ranker.has_scores:
        raise ValueError(f"{name!r} can't be a part: it gives no scores for the task recommend")
    options: dict[str, Any] = ranker.Options(**given).model_dump(mode="json")
    return options


def new(name: str, options: Mapping[str, Any]) -> Ranker:
    """An unfitted ranker."""
    cls = plugins.load(plugins.RANKERS, name)
    made: Ranker = cls(cls.Options(**options))
    return made


def trains(ranker: Ranker) -> bool:
    """Whether it is a neural model that `mercer.training` trains, or has such members."""
    return isinstance(ranker.options, TrainingOptions) or bool(getattr(ranker, "trains", False))


def record_of(ranker: Ranker) -> TrainingRecord | None:
    """What its training was and took; None where `mercer.training` trained nothing."""
    found = getattr(ranker, "training", None)
    return found if isinstance(found, TrainingRecord) else None


def within(runtime: Runtime, name: str) -> Runtime:
    """The runtime with a folder for checkpoints that is this member's alone."""
    folder = runtime.checkpoint_folder
    return runtime if folder is None else replace(runtime, checkpoint_folder=folder / name)


def keep(ranker: Ranker, folder: Path) -> npt.NDArray[np.uint8]:
    """Save into a folder that may not exist yet; returns the hash of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    ranker.save(folder)
    return _digest(folder)


def read(name: str, folder: Path, digest: npt.NDArray[np.uint8]) -> Ranker:
    """Load what `keep` saved. Raises DamagedError when something is missing, damaged or of another fit."""
    if not np.array_equal(_digest(folder), digest):
        raise DamagedError(
            f"{folder.name} does not hold the {name} that belongs to this fit.",
            remedy="Fit the ranker again.",
        )
    loaded: Ranker = plugins.load(plugins.RANKERS, name).load(folder)
    return loaded


def _digest(folder: Path) -> npt.NDArray[np.uint8]:
    """SHA-256 of a ranker's weights, shape (32,); of nothing where it keeps them elsewhere."""
    file = folder / WEIGHTS
    content = file.read_bytes() if file.is_file() else b""
    return np.frombuffer(hashlib.sha256(content).digest(), np.uint8)
