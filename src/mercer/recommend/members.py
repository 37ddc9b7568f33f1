"""Rankers for `recommend` inside a ranker: how its options name them, and what their trainings were."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from mercer.contracts import Ranker, Runtime
from mercer.training import TrainingOptions, TrainingRecord
from mercer.training.inner import Named, resolved


def _mapping(given: Any) -> Any:
    """A name, or several, stand for rankers with their default options."""
    if isinstance(given, str):
        return {given: {}}
    if isinstance(given, list | tuple):
        return {name: {} for name in given}
    return given


def _resolved(given: Named) -> Named:
    return {name: resolved(name, options, "recommend") for name, options in given.items()}


Members = Annotated[Named, BeforeValidator(_mapping), AfterValidator(_resolved)]
"""Rankers by name, each with all its options."""


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
