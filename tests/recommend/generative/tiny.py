"""Small generative rankers, and people whose next item is a matter of rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mercer.contracts import Budget, Dataset, Runtime
from mercer.recommend.generative import Generative
from mercer.testing.handmade import dataset, log

N = 12
"""Items of the circle that people go round."""

TINY: dict[str, Any] = {
    "encoder": "none",
    "ids": {"codebook": {"levels": 2, "codes": 4}},
    "events": {"window": 8},
    "shape": {"family": "gpt2", "width": 16, "layers": 1, "heads": 2, "dropout": 0.0},
    "average": 0.0,
    "epochs": 25,
    "batch_tokens": 160,
    "learning_rate": 1e-2,
    "weight_decay": 0.0,
    "estimate_steps": 0,
    "neighbours": 0.0,
    "beams": 24,
}


def walks(n: int = 60, *, step: int = 5, n_items: int = N, **changes: Any) -> Dataset:
    """People who each go round a circle of items, from anywhere: after i comes i + step, whatever i."""
    rows = [[((user + step * place) % N, place) for place in range(4 + user % 3)] for user in range(n)]
    return dataset(log(*rows, n_items=n_items, clock=False), **changes)


def fitted(train: Dataset | None = None, **changes: Any) -> Generative:
    """A tiny ranker fitted on the circle."""
    made = Generative(Generative.Options(**{**TINY, **changes}))
    return made.fit(train or walks(), seed=1, runtime=Runtime(threads=1))


def ended_by_time(kept: Path, *, epochs: int) -> tuple[Generative.Options, Runtime, Generative]:
    """A fit on the circle that had no time, with the options and the runtime that go on from its checkpoint."""
    runtime = Runtime(threads=1, checkpoint_folder=kept)
    options = Generative.Options(**{**TINY, "epochs": epochs})
    short = Generative(options).fit(walks(), budget=Budget(0.0), seed=1, runtime=runtime)
    assert short.training is not None
    assert short.training.stopped_because == "budget"
    return options, runtime, short
