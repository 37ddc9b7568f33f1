"""What a training will take: measured in a few of its own steps, which are then undone.

The batches of an epoch are put in the order of their longest row, and one is timed from the middle of each of some
equal strata; one evaluation and one checkpoint are made, too. The rest is counting.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mercer.contracts import Estimate, Runtime
from mercer.training.files import WORK, write
from mercer.training.learner import Learner
from mercer.training.memory import Memory
from mercer.training.options import TrainingOptions
from mercer.training.place import entered
from mercer.training.sampler import Sampler
from mercer.training.trainee import Rows

if TYPE_CHECKING:
    from mercer.training.trainee import Trainee


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEstimate(Estimate):
    """Wall seconds and highest memory of a whole training, and what they are made of.

    start: seconds before the first step is quick (compilation, first use of memory). epoch, evaluation, checkpoint:
    seconds of each. epochs, evaluations, checkpoints: how many at most; an early end needs fewer.
    price_per_hour: of the machine, None where it is not known.
    """

    start: float
    epoch: float
    evaluation: float
    checkpoint: float
    epochs: float
    evaluations: int
    checkpoints: int
    price_per_hour: float | None = None

    @property
    def money(self) -> float | None:
        """What it will cost, in the unit of the price per hour."""
        return None if self.price_per_hour is None else self.seconds / 3600 * self.price_per_hour

    def seconds_for(self, *, epochs: float, evaluations: int, checkpoints: int) -> float:
        """Seconds of a part of the work."""
        return (
            self.start + epochs * self.epoch + evaluations * self.evaluation + checkpoints * self.checkpoint
        )


def estimate(
    trainee: Trainee,
    options: TrainingOptions,
    *,
    runtime: Runtime | None = None,
    seed: int = 1,
    steps: int = 12,
) -> TrainingEstimate:
    """Measure what `train` will take on this machine; the trainee's weights are afterwards what they were.

    steps: batches that are timed; more are surer. Raises what `train` raises.
    """
    runtime = runtime or Runtime()
    sampler = Sampler(trainee.costs(), options.batch_tokens, seed=seed)
    with entered(runtime) as place, Memory(place.device) as memory:
        learner = Learner(trainee, options, seed=seed, place=place)
        return measured(learner, sampler, memory, runtime, steps=steps)


def measured(
    learner: Learner, sampler: Sampler, memory: Memory, runtime: Runtime, *, steps: int
) -> TrainingEstimate:
    """The estimate of a learner that has not begun; it is put back to its start."""
    options = learner.options
    before = learner.snapshot()
    plan = sorted(sampler.batches(0), key=sampler.longest)
    # The two that need most memory come first: what is first used is slow, and is not part of an epoch.
    first = [_seconds(learner, batch) for batch in (plan[-1], max(plan, key=sampler.padded))]
    strata = ((np.arange(steps) + 0.5) / steps * len(plan)).astype(int)
    batch = float(np.mean([_seconds(learner, plan[at]) for at in strata]))
    evaluation = _evaluation(learner)
    checkpoint = _checkpoint(learner, runtime.checkpoint_folder)
    learner.restore(before)
    n_steps = options.epochs * -(-len(plan) // options.accumulate)
    evaluations = 0 if evaluation is None else int(np.ceil(options.epochs / options.evaluate_every - 1e-9))
    found = TrainingEstimate(
        seconds=0.0,
        peak_mib=memory.peak_mib,
        start=max(0.0, sum(first) - 2 * batch),
        epoch=len(plan) * batch,
        evaluation=evaluation or 0.0,
        checkpoint=checkpoint,
        epochs=options.epochs,
        evaluations=evaluations,
        checkpoints=evaluations + n_steps // options.checkpoint_every + 1 if checkpoint else 0,
        price_per_hour=runtime.price_per_hour,
    )
    return replace(
        found,
        seconds=found.seconds_for(
            epochs=found.epochs, evaluations=found.evaluations, checkpoints=found.checkpoints
        ),
    )


def _seconds(learner: Learner, batch: Rows) -> float:
    """Seconds a batch, its share of the optimizer's work included. The rate of 0 leaves the weights as they are."""
    n = learner.options.accumulate
    begun = time.perf_counter()
    learner.step([batch] * n, step=0, rate=0.0)
    return (time.perf_counter() - begun) / n


def _evaluation(learner: Learner) -> float | None:
    begun = time.perf_counter()
    value = learner.validate()
    return None if value is None else time.perf_counter() - begun


def _checkpoint(learner: Learner, folder: Path | None) -> float:
    if folder is None or not learner.place.writes:
        return 0.0
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder, prefix=WORK) as work:
        write(Path(work), {}, learner.tensors(), {})
    return time.perf_counter() - begun
