"""What a training was and what it took: `training.json`, beside the weights."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self

import psutil

from mercer.errors import DamagedError
from mercer.training.estimates import TrainingEstimate

RECORD_FILE = "training.json"
SCHEMA = 1

Stopped = Literal["epochs", "patience", "budget"]
"""Why a training ended: it was done, validation gained no more, or the budget was spent."""


@dataclass(frozen=True, slots=True)
class Validation:
    """One evaluation on validation: after which step and how many epochs, and the metric (higher is better)."""

    step: int
    epochs: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """The whole of one training.

    facts: hashes of data and options, as the model gave them. options: the resolved TrainingOptions. versions: of the
    libraries. hardware: the machine without its name. device, precision, threads, world_size: as the runtime said.
    rows: training rows. weights: numbers learned. losses, learning_rates: of every step; a loss is the mean of its
    terms. validations: every evaluation. best_step: the step after which the model's weights were taken, None where
    they are the last. tokens: cost units learned from, padding not counted. seconds: wall seconds of the training
    itself, of all its parts together where it was interrupted; measuring the estimate is not among them. peak_mib:
    highest memory, of the process, or of the GPU where there is one. estimate: what was said beforehand.
    resumed_from: the step of each checkpoint from which it went on. checkpoints: how many were written. notes: what a
    person should know, such as that the budget ended it.
    """

    seed: int
    facts: Mapping[str, str]
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    hardware: Mapping[str, str | int | float]
    device: str
    precision: str
    threads: int
    world_size: int
    rows: int
    weights: int
    losses: tuple[float, ...]
    learning_rates: tuple[float, ...]
    validations: tuple[Validation, ...]
    best_step: int | None
    epochs: float
    tokens: int
    seconds: float
    peak_mib: float
    price_per_hour: float | None
    estimate: TrainingEstimate | None
    stopped_because: Stopped
    resumed_from: tuple[int, ...]
    checkpoints: int
    notes: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses)

    @property
    def tokens_per_second(self) -> float:
        """Cost units a second, evaluations and checkpoints included."""
        return self.tokens / self.seconds if self.seconds else 0.0

    @property
    def best(self) -> Validation | None:
        """The best evaluation, the first of equals."""
        return max(self.validations, key=lambda one: one.value, default=None)

    @property
    def money(self) -> float | None:
        """What it cost, in the unit of the price per hour."""
        return None if self.price_per_hour is None else self.seconds / 3600 * self.price_per_hour

    @property
    def expected_seconds(self) -> float | None:
        """What the estimate says of the work that was done: less than the whole where it ended early."""
        if self.estimate is None:
            return None
        return self.estimate.seconds_for(
            epochs=self.epochs, evaluations=len(self.validations), checkpoints=self.checkpoints
        )

    @property
    def estimate_error(self) -> float | None:
        """Expected over taken seconds of the work that was done, minus 1."""
        expected = self.expected_seconds
        return None if expected is None or not self.seconds else expected / self.seconds - 1.0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; what is derived is written too, for readers without this class."""
        derived = ("steps", "tokens_per_second", "money", "expected_seconds", "estimate_error")
        return {"schema": SCHEMA, **asdict(self), **{name: getattr(self, name) for name in derived}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises DamagedError where it is no such thing."""
        try:
            if content["schema"] != SCHEMA:
                raise ValueError(f"schema {content['schema']}")
            known = {name: content[name] for name in cls.__dataclass_fields__}
            estimate = known["estimate"]
            return cls(
                **{
                    **known,
                    **{name: tuple(known[name]) for name in _TUPLES},
                    "validations": tuple(Validation(**one) for one in known["validations"]),
                    "estimate": None if estimate is None else TrainingEstimate(**estimate),
                }
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise DamagedError(
                f"This is no record of a training that this mercer reads ({fault}).", remedy="Fit again."
            ) from fault

    def save(self, folder: Path) -> Path:
        """Write training.json into an existing folder."""
        path = folder / RECORD_FILE
        path.write_text(json.dumps(self.to_json(), indent=1), "utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a training.json. Raises DamagedError where it is none."""
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as fault:
            raise DamagedError(f"{path} can't be read as JSON.", remedy="Fit again.") from fault
        return cls.from_json(content)


_TUPLES = ("losses", "learning_rates", "resumed_from", "notes")


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    return {"python": platform.python_version()} | {
        name: version(name) for name in ("numpy", "safetensors", "torch")
    }


def hardware(device: str) -> dict[str, str | int | float]:
    """The machine, without its name."""
    found: dict[str, str | int | float] = {
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name(device)
    return found
