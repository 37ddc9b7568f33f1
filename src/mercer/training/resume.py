"""How a training begins and ends: what makes it this one and no other, where it goes on, what is written of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mercer.contracts import Budget, Runtime
from mercer.training.checkpoints import Checkpoints
from mercer.training.learner import Learner
from mercer.training.options import UNRELATED, TrainingOptions
from mercer.training.record import TrainingRecord, hardware, versions
from mercer.training.sampler import Sampler
from mercer.training.state import State

LIMIT = "The time limit of "


def identity(learner: Learner, sampler: Sampler, facts: Mapping[str, str], seed: int) -> dict[str, Any]:
    """Flat facts that two parts of one training share, and no other training has."""
    shapes = {name: [*weight.shape, str(weight.dtype)] for name, weight in learner.weights.items()}
    chosen = learner.options.model_dump(mode="json", include=set(TrainingOptions.model_fields) - UNRELATED)
    return {
        **{f"facts.{name}": value for name, value in facts.items()},
        **{f"options.{name}": value for name, value in chosen.items()},
        "seed": seed,
        "rows": len(sampler.costs),
        "costs": _hash(sampler.costs.tobytes()),
        "weights": _hash(json.dumps(shapes, sort_keys=True).encode()),
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def circumstances(runtime: Runtime, learner: Learner) -> dict[str, str]:
    """What may change between two parts of a training, at the price of the last bits."""
    return {
        **versions(),
        "device": str(learner.place.device),
        "precision": runtime.precision,
        "threads": str(runtime.threads),
        "processes": str(learner.place.size),
    }


def resumed(saved: Checkpoints, learner: Learner, runtime: Runtime, budget: Budget) -> State:
    """Where to go on, with the learner put there: the newest good checkpoint, or the start."""
    place = learner.place
    step, refused = saved.newest() if place.writes else (None, [])
    [told] = place.from_first([-1 if step is None else step])
    now = circumstances(runtime, learner)
    if told < 0:
        return State(notes=refused, circumstances=now)
    found = saved.read(int(told))
    learner.restore(found.tensors)
    state, best = found.state, found.state.best
    if best is not None:
        at_best = found.tensors if best.step == state.step else saved.read(best.step).tensors
        learner.keep_best(at_best.get("averages") or at_best["weights"])
    if state.stopped == "budget" and state.seconds < budget.seconds:
        state.stopped = None
        state.notes = [note for note in state.notes if not note.startswith(LIMIT)]
    for note in refused:
        state.note(note)
    if state.stopped is None:
        state.resumed_from.append(state.step)
        changed = [name for name in now if now[name] != state.circumstances.get(name)]
        for name in changed:
            state.note(
                f"From step {state.step} on it ran with {name} {now[name]}, before with "
                f"{state.circumstances.get(name)}: its numbers may differ in the last digits."
            )
        state.circumstances = now
    return state


def recorded(
    learner: Learner,
    sampler: Sampler,
    state: State,
    runtime: Runtime,
    *,
    facts: Mapping[str, str],
    seed: int,
) -> TrainingRecord:
    """The record of a training that has ended."""
    assert state.stopped is not None
    device = str(learner.place.device)
    return TrainingRecord(
        seed=seed,
        facts=dict(facts),
        options=learner.options.model_dump(mode="json", include=set(TrainingOptions.model_fields)),
        versions=versions(),
        hardware=hardware(device),
        device=device,
        precision=runtime.precision,
        threads=runtime.threads,
        world_size=learner.place.size,
        rows=len(sampler.costs),
        weights=learner.n_weights,
        losses=tuple(state.losses),
        learning_rates=tuple(state.learning_rates),
        validations=tuple(state.validations),
        best_step=None if state.best is None else state.best.step,
        epochs=state.epochs,
        tokens=state.tokens,
        seconds=state.seconds,
        peak_mib=state.peak_mib,
        price_per_hour=runtime.price_per_hour,
        estimate=state.estimate,
        stopped_because=state.stopped,
        resumed_from=tuple(state.resumed_from),
        checkpoints=state.checkpoints,
        notes=tuple(state.notes),
    )
