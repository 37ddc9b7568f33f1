"""Trainings of run folders beside each other, as one self-contained page with their curves.

Read from the files models/TARGET/MODEL/training.json alone; those of other seeds lie beside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from mercer.evaluation.leaderboard import number
from mercer.reporting import words
from mercer.reporting.charts import curves_plot
from mercer.reporting.figure import Figure, make_figure
from mercer.training import TrainingRecord

MOST_POINTS = 300
"""A longer curve is drawn as the means of so many equal parts."""

ENDS: Mapping[str, str] = {
    "epochs": "all epochs done",
    "patience": "validation gained no more",
    "budget": "time spent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training of one run. model: with `.refit` where it saw train and validation."""

    run: str
    target: str
    model: str
    record: TrainingRecord

    @property
    def label(self) -> str:
        """Run and seed."""
        return f"{self.run}, seed {self.record.seed}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, without the curves."""
        content = self.record.to_json()
        for curve in ("losses", "learning_rates", "validations"):
            content.pop(curve)
        best = self.record.best
        return {
            "run": self.run,
            "target": self.target,
            "model": self.model,
            "last_loss": self.record.losses[-1],
            "best": None if best is None else best.value,
            **content,
        }


def find_trainings(folder: Path) -> list[Training]:
    """The trainings of a run folder, or of all run folders in a folder. Raises DamagedError for a file that is none."""
    runs = [folder] if (folder / "manifest.json").is_file() else sorted(folder.iterdir())
    return [
        Training(
            run=run.name,
            target=path.parent.parent.name,
            model=path.parent.name,
            record=TrainingRecord.load(path),
        )
        for run in runs
        for path in sorted(run.glob("models/*/*/training*.json"))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The trainings of one model for one target. differing: options, facts and places that are not the same for all."""

    target: str
    model: str
    trainings: tuple[Training, ...]
    differing: tuple[tuple[str, tuple[str, ...]], ...]
    figures: tuple[Figure, ...]


def write_trainings_page(trainings: Sequence[Training], place: Path) -> Path:
    """Write the page, whole or not at all, and return its path."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("mercer.reporting", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": words.seconds, "memory": words.memory, "number": _number}
    environment.filters |= {"share": words.signed_share}
    names = dict.fromkeys((one.target, one.model) for one in trainings)
    page = environment.get_template("trainings.html").render(
        groups=[
            _group(*name, [one for one in trainings if (one.target, one.model) == name]) for name in names
        ],
        ends=ENDS,
        styles=Markup((Path(__file__).parent / "templates" / "page.css").read_text("utf-8")),  # noqa: S704
        svg=Markup,
        cite=lambda *_: "",
    )
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    draft.write_text(page, "utf-8")
    draft.replace(place)
    return place


def _group(target: str, model: str, trainings: Sequence[Training]) -> Group:
    return Group(
        target=target,
        model=model,
        trainings=tuple(trainings),
        differing=tuple(differing([one.record for one in trainings])),
        figures=tuple(_figures(target, model, trainings)),
    )


def differing(records: Sequence[TrainingRecord]) -> list[tuple[str, tuple[str, ...]]]:
    """What is not the same for all trainings: its name, and its value in each."""
    told = [
        {
            **record.options,
            **{f"facts.{name}": value[:12] for name, value in record.facts.items()},
            **record.versions,
            "device": record.device,
            "precision": record.precision,
            "processes": record.world_size,
            "rows": record.rows,
            "weights": record.weights,
        }
        for record in records
    ]
    names = sorted({name for one in told for name in one})
    values = {name: tuple(str(one.get(name, "–")) for one in told) for name in names}
    return [(name, found) for name, found in values.items() if len(set(found)) > 1]


def _figures(target: str, model: str, trainings: Sequence[Training]) -> list[Figure]:
    losses = pd.concat([_steps(one, one.record.losses) for one in trainings])
    rates = pd.concat([_steps(one, one.record.learning_rates) for one in trainings])
    judged = pd.DataFrame(
        [
            {"x": at.epochs, "y": at.value, "training": one.label}
            for one in trainings
            for at in one.record.validations
        ],
        columns=["x", "y", "training"],
    )
    parts = [
        ("loss", "mean loss of a term", "Loss on the training rows, step by step.", losses),
        ("validation", "metric on validation", "Every evaluation; higher is better.", judged),
        ("rate", "learning rate", "The learning rate, step by step.", rates),
    ]
    return [
        make_figure(
            f"{target}-{model}-{kind}", f"{model}: {kind}", caption, curves_plot(frame, title),
            ("training", "epochs", title),
            [(str(name), f"{x:.2f}", number(y)) for x, y, name in frame.itertuples(index=False)],
            ("training.json",),
        )
        for kind, title, caption, frame in parts
        if len(frame)
    ]  # fmt: skip


def _steps(one: Training, values: Sequence[float]) -> pd.DataFrame:
    """A curve over epochs: x, y and the training's label; a long one thinned to means of equal parts."""
    epochs = np.arange(1, len(values) + 1) / len(values) * one.record.epochs
    parts = min(MOST_POINTS, len(values))
    return pd.DataFrame(
        {
            "x": [part.mean() for part in np.array_split(epochs, parts)],
            "y": [part.mean() for part in np.array_split(np.asarray(values), parts)],
            "training": one.label,
        }
    )


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)
