"""One trial of `tune`: one set of options, fitted on training rows and scored on validation rows, a cached step."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil

from mercer.brief import Target
from mercer.contracts import Budget, Holdout, Silent
from mercer.data import folds_of
from mercer.errors import MercerError
from mercer.evaluation import FoldScored, Scored, Slices, join_folds, needs_lists, selection_metric, value
from mercer.pipeline.cache import StepCache
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash, packages
from mercer.pipeline.material import Material
from mercer.pipeline.models import (
    ROOMS,
    Entry,
    new_model,
    score_model,
    target_facts,
    training_facts,
    training_of,
)

MEMORY_SHARE = 0.9
"""A fit that is expected to need more of the machine's memory than this is not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one set of options came to.

    options: the searched ones. state: `failed` has no value, and `why` says in a sentence what went wrong.
    notes: what the model said of its fit, such as that it stopped at its time limit.
    """

    number: int
    options: Mapping[str, Any]
    state: Literal["done", "failed"]
    value: float | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    cached: bool = False
    notes: tuple[str, ...] = ()
    why: str = ""
    folder: Path | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, without the place in the cache."""
        names = ("number", "state", "value", "seconds", "cpu_seconds", "peak_mib", "cached", "why")
        return {
            **{name: getattr(self, name) for name in names},
            "options": dict(self.options),
            "notes": list(self.notes),
        }

    def scored(self) -> Scored:
        """Its scored validation rows."""
        assert self.folder is not None, "a failed trial has no rows"
        return Scored.load(self.folder / "rows.parquet")


class Bench:
    """Where the trials of one target run: its data, divided once, and its metric."""

    def __init__(self, flow: Flow, material: Material, name: str, upstream: Mapping[str, str]) -> None:
        self._flow = flow
        self._name = name
        self._upstream = upstream
        self._split = material.split(name)
        self.target: Target = flow.brief.targets[name]
        self.metric = selection_metric(self.target)
        self.seed = flow.brief.fit.seeds[0]
        self.limit = flow.fit_seconds
        folds = folds_of(self.target.split)
        self._parts: list[tuple[Any, Any, Any]] = [
            (fold, *training_of(self._split, "train", fold)) for fold in folds or (None,)
        ]

    def run(self, entry: Entry, number: int, options: Mapping[str, Any]) -> Trial:
        """Try one set of options, or find that it was tried. What fails is recorded, and tried again the next time.

        Over folds a model is fitted on each fold's training part, and the validation rows of all folds are judged
        together. No test row is touched.
        """
        begun = time.perf_counter()
        name, facts = f"trial:{self._name}:{entry.model}", self._facts(entry)
        keeps = entry.trained and not entry.holds_users
        checkpoints = self._flow.checkpoints(name, facts) if keeps else None

        def make(folder: Path) -> None:
            scored, found, notes = self._judged(entry, checkpoints)
            scored.save(folder / "rows.parquet")
            (folder / "trial.json").write_text(json.dumps({"value": found, "notes": notes}), "utf-8")

        try:
            step = StepCache(self._flow.cache).step(name, facts, make)
        except _FailedError as fault:
            took = round(time.perf_counter() - begun, 3)
            return Trial(number=number, options=options, state="failed", seconds=took, why=str(fault))
        if checkpoints is not None:
            shutil.rmtree(checkpoints, ignore_errors=True)
        found = json.loads((step.folder / "trial.json").read_text("utf-8"))
        return Trial(
            number=number,
            options=options,
            state="done",
            value=found["value"],
            seconds=step.cost.seconds,
            cpu_seconds=step.cost.cpu_seconds,
            peak_mib=step.cost.peak_mib,
            cached=step.cached,
            notes=tuple(found["notes"]),
            folder=step.folder,
        )

    def _facts(self, entry: Entry) -> dict[str, Any]:
        return {
            **self._upstream,
            **target_facts(self._flow, self._name),
            "model": entry.model,
            "options": entry.options.model_dump(mode="json"),
            "metric": self.metric,
            "seed": self.seed,
            "seconds": self.limit,
            "code": code_hash("evaluation", *ROOMS[self.target.task]),
            **training_facts(self._flow, entry),
            "packages": packages(),
        }

    def _judged(self, entry: Entry, checkpoints: Path | None) -> tuple[Scored, float, list[str]]:
        """Scored validation rows, the metric on them, and what the model said. Raises _FailedError."""
        try:
            scored, notes = self._scored(entry, checkpoints)
            found = value(scored, self.metric)
        except MercerError as fault:
            raise _FailedError(str(fault)) from fault
        except MemoryError as fault:
            raise _FailedError(str(fault) or "The machine's memory did not suffice.") from fault
        except Exception as fault:  # a fault of one model must not end the tuning of all
            raise _FailedError(f"{type(fault).__name__} in {_place(fault)}") from fault
        if not np.isfinite(found):
            raise _FailedError(f"{self.metric} is undefined on the validation rows.")
        return (scored if needs_lists(self.metric) else replace(scored, lists=None)), found, notes

    def _scored(self, entry: Entry, checkpoints: Path | None) -> tuple[Scored, list[str]]:
        parts, notes = [], []
        for fold, train, validation in self._parts:
            model = new_model(self.target, entry)
            if not entry.trained:  # a training looks itself, and its estimate is a training of some steps
                _check_memory(model.estimate(train).peak_mib)
            place = checkpoints and checkpoints / (fold.name if fold is not None else "whole")
            model.fit(
                train,
                validation=validation,
                budget=Budget(self.limit),
                seed=self.seed,
                runtime=self._flow.runtime(Silent(), place),
            )
            scored = score_model(self.target, model, validation, Silent(), slices=Slices())
            notes += [note for note in getattr(model, "notes", ()) if note not in notes]
            parts.append((fold, scored))
        if parts[0][0] is None:
            return parts[0][1], notes
        whole = self._split.test
        units = whole.units if isinstance(whole, Holdout) else whole.snapshots.entities
        return join_folds(
            [FoldScored(fold.repeat, fold.name, scored) for fold, scored in parts], units
        ), notes


class _FailedError(Exception):
    """Options that a model can't be fitted or judged with; the message is fit to be shown."""


def _check_memory(peak_mib: float) -> None:
    """Raises MemoryError, before the machine has to, where a fit is expected to need more than there is."""
    has = psutil.virtual_memory().total / 2**20
    if peak_mib > MEMORY_SHARE * has:
        raise MemoryError(
            f"It would need about {peak_mib:,.0f} MiB of memory; the machine has {has:,.0f} MiB."
        )


def _place(fault: BaseException) -> str:
    """Module and line where it arose; messages of other libraries are left out, for they may quote data."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        "?" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}, line {trace.tb_lineno}"
    )
