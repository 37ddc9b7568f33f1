"""The loop that trains every neural model. It reads from top to bottom; the rest of the room are its words."""

from __future__ import annotations

import time
from collections.abc import Mapping

from mercer.contracts import Budget, Progress, Runtime
from mercer.training.checkpoints import Checkpoints
from mercer.training.estimates import measured
from mercer.training.learner import Learner
from mercer.training.memory import Memory
from mercer.training.options import TrainingOptions
from mercer.training.place import entered
from mercer.training.record import TrainingRecord
from mercer.training.resume import LIMIT, identity, recorded, resumed
from mercer.training.sampler import Sampler
from mercer.training.schedule import learning_rate
from mercer.training.state import State
from mercer.training.trainee import Trainee


def train(
    trainee: Trainee,
    options: TrainingOptions,
    *,
    seed: int,
    facts: Mapping[str, str],
    runtime: Runtime | None = None,
    budget: Budget | None = None,
) -> TrainingRecord:
    """Train, or go on where an interrupted training stopped; the best weights are left in `trainee.module`.

    The best are those of the evaluation with the highest value; without validation, the last. With `options.average`
    they are the averaged ones. On one machine, on the CPU, with the same threads, the same arguments give the same
    weights to the bit, interrupted or not.

    facts: hashes of the data and of what else makes this training what it is; a checkpoint of another is refused.
    runtime: device, precision, threads, processes; `checkpoint_folder`, from which it goes on; `progress`.
    budget: wall seconds of the whole; one step is always taken, and a note says that the time ended it.

    Raises DivergedError where a loss or metric is not a number, TooLargeError where memory does not suffice,
    DataError without rows or weights, ConflictError for checkpoints of another training, OutputError where they
    can't be written, UsageError for a device or a world of processes that is not there.
    """
    runtime, budget = runtime or Runtime(), budget or Budget()
    sampler = Sampler(trainee.costs(), options.batch_tokens, seed=seed)
    with entered(runtime) as place, Memory(place.device) as memory:
        learner = Learner(trainee, options, seed=seed, place=place)
        saved = Checkpoints(runtime.checkpoint_folder, identity(learner, sampler, facts, seed))
        with saved.alone(writes=place.writes):
            begun = time.monotonic()
            state = resumed(saved, learner, runtime, budget)
            if state.step == 0 and options.estimate_steps:
                state.estimate = measured(learner, sampler, memory, runtime, steps=options.estimate_steps)
            clock = _Clock(state, measuring=time.monotonic() - begun)

            while state.stopped is None:
                batches = sampler.batches(state.epoch)
                group = batches[state.position : state.position + options.accumulate]
                middle = state.epochs + len(group) / len(batches) / 2
                rate = learning_rate(options, middle / options.epochs)

                stepped = learner.step(
                    group, step=state.step, rate=rate, hurry=clock.spent() > budget.seconds
                )
                before = state.epochs
                tokens = sum(int(sampler.costs[batch].sum()) for batch in group)
                state.advance(len(group), len(batches), loss=stepped.loss, rate=rate, tokens=tokens)

                state.stopped = state.why_stop(options, hurried=stepped.hurried)
                if state.stopped is not None or state.evaluation_due(before, options):
                    state.judge(learner.validate())
                    if state.gained:
                        learner.keep_best()
                    state.stopped = state.why_stop(options, hurried=stepped.hurried)
                if state.stopped == "budget":
                    state.note(f"{LIMIT}{budget.seconds:g} s ended it after {state.epochs:.2f} epochs.")

                clock.stamp(state, memory)
                if place.writes and (
                    state.stopped is not None or state.gained or state.step % options.checkpoint_every == 0
                ):
                    saved.save(state, learner.tensors())
                _report(runtime.progress, options, state)

            clock.stamp(state, memory)

        learner.take_best()
        return recorded(learner, sampler, state, runtime, facts=facts, seed=seed)


class _Clock:
    """Seconds of the training itself, those before an interruption included, and its memory."""

    def __init__(self, state: State, *, measuring: float) -> None:
        self._before = state.seconds
        self._measuring = measuring
        self._begun = time.monotonic()

    def spent(self) -> float:
        """What counts against the budget: the training and the measuring before it."""
        return self._before + self._measuring + time.monotonic() - self._begun

    def stamp(self, state: State, memory: Memory) -> None:
        """Write them into the state."""
        state.seconds = self._before + time.monotonic() - self._begun
        state.peak_mib = max(state.peak_mib, memory.peak_mib)


def _report(progress: Progress, options: TrainingOptions, state: State) -> None:
    done = state.epochs / options.epochs
    left = state.seconds * (1 / done - 1) if state.stopped is None else 0.0
    best = f", best {state.best.value:.4f}" if state.best is not None else ""
    note = (
        f"epoch {min(state.epoch + 1, options.epochs)}/{options.epochs}, loss {state.losses[-1]:.3f}{best}, "
        f"{state.tokens / max(state.seconds, 1e-9):,.0f} tokens/s, {left:,.0f} s left"
    )
    progress.advance(state.step, max(state.step, round(state.step / done)), note)
