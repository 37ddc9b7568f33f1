"""The course of a training: what stops it, what it keeps, and what it says. No network is needed to see that."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from mercer.contracts import Silent
from mercer.recommend.scoring import Arrays
from mercer.recommend.with_keras import Course, Lesson
from mercer.recommend.with_keras.course import rate

STEPS = 4


class Counter:
    """A lesson whose arrays are how many steps were made; it keeps the rates it was given."""

    def __init__(self) -> None:
        self.steps = 0
        self.rates: list[float] = []
        self.drawn: list[int] = []

    @property
    def lesson(self) -> Lesson[int]:
        def deal(rng: np.random.Generator) -> Iterator[int]:
            yield from rng.permutation(STEPS).tolist()

        def learn(batch: int, learning_rate: float) -> tuple[float, int]:
            self.steps += 1
            self.rates.append(learning_rate)
            self.drawn.append(batch)
            return 2.0 * (batch + 1), batch + 1

        return Lesson(deal=deal, steps=STEPS, learn=learn, arrays=lambda: {"steps": np.array(self.steps)})


def course(*, epochs: int = 5, patience: int = 2, seed: int = 1, seconds: float = 60) -> Course:
    deadline = time.perf_counter() + seconds
    return Course(
        epochs=epochs, patience=patience, highest=0.1, seed=seed, deadline=deadline, progress=Silent()
    )


def test_without_a_metric_all_epochs_are_made_and_the_last_is_kept() -> None:
    made = course()
    assert made.run(Counter().lesson, None)["steps"] == 5 * STEPS
    assert [epoch.loss for epoch in made.epochs] == [2.0] * 5
    assert made.notes == ()


def test_the_best_epoch_is_kept_and_patience_ends_it() -> None:
    values = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    made = course()
    kept = made.run(Counter().lesson, lambda arrays: next(values))
    assert kept["steps"] == 2 * STEPS
    assert [epoch.value for epoch in made.epochs] == [0.1, 0.3, 0.2, 0.25]


def test_the_metric_sees_the_arrays_of_its_epoch() -> None:
    seen: list[int] = []

    def measured(arrays: Arrays) -> float:
        seen.append(int(arrays["steps"]))
        return float(len(seen))

    course(epochs=3).run(Counter().lesson, measured)
    assert seen == [STEPS, 2 * STEPS, 3 * STEPS]


def test_the_time_limit_stops_inside_an_epoch_after_one_step_and_is_told() -> None:
    counter, made = Counter(), course(seconds=-1)
    assert made.run(counter.lesson, None)["steps"] == 1
    assert made.notes == (f"The training stopped at its time limit after 1 of {5 * STEPS} steps.",)


def test_equal_seeds_deal_alike() -> None:
    counters = [Counter() for _ in range(3)]
    for counter, seed in zip(counters, (1, 1, 2), strict=True):
        course(seed=seed).run(counter.lesson, None)
    assert counters[0].drawn == counters[1].drawn != counters[2].drawn


def test_the_rate_rises_then_falls_to_nothing() -> None:
    counter = Counter()
    course(epochs=50).run(counter.lesson, None)
    highest = int(np.argmax(counter.rates))
    assert counter.rates[0] == 0
    assert (np.diff(counter.rates[: highest + 1]) > 0).all()
    assert (np.diff(counter.rates[highest:]) < 0).all()
    assert max(counter.rates) == pytest.approx(0.1)
    assert rate(1.0) == pytest.approx(0.0, abs=1e-12)
