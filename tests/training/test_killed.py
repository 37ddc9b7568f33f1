"""A training that is killed at whatever moment goes on and ends as if nothing had happened, to the last bit."""

from __future__ import annotations

import json
import random
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors.torch import load_file

from mercer.training import TrainingRecord
from training.process import to_the_end, until
from training.small import equal, equal_validations, same

ONCE = ("open .lock",)
"""What a process does once, at its start."""


@dataclass(frozen=True)
class Unbroken:
    """What the training that nobody kills comes to, and the file operations of its checkpoints, in order."""

    record: TrainingRecord
    weights: dict
    operations: list[str]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    folder = tmp_path_factory.mktemp("unbroken")
    ended = to_the_end(folder / "saved", folder / "out")
    assert ended.code == 0, ended.errors
    operations = json.loads((folder / "out" / "operations.json").read_text("utf-8"))
    return Unbroken(TrainingRecord.load(folder / "out" / "training.json"), result(folder / "out"), operations)


def result(out: Path) -> dict:
    return load_file(out / "weights.safetensors")


def test_saving_has_the_phases_that_are_killed(unbroken: Unbroken) -> None:
    assert {
        "os.mkdir a checkpoint",
        "open weights.safetensors",
        "open optimizer.safetensors",
        "open averages.safetensors",
        "open state.json",
        "open manifest.json",
        "os.rename a checkpoint",
        "os.remove manifest.json",
        "shutil.rmtree a checkpoint",
    } <= set(unbroken.operations)
    assert len(unbroken.record.losses) > 20


def test_killed_three_times_it_ends_the_same(unbroken: Unbroken, tmp_path: Path) -> None:
    kill_inside(tmp_path, "open manifest.json", 8)
    kill_inside(tmp_path, "os.rename a checkpoint", 2)
    kill_at_random(tmp_path, random.Random(5))
    ends_as_if_nothing_had_happened(unbroken, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_inside_every_phase_of_saving_it_ends_the_same(
    unbroken: Unbroken, tmp_path: Path, seed: int
) -> None:
    """One kill in each phase, in a random order, each process going on where the one before died."""
    chance = random.Random(seed)
    phases = sorted(set(unbroken.operations))
    chance.shuffle(phases)
    assert len(phases) >= 10
    for kind in phases:
        kill_inside(tmp_path, kind, chance.choice([1, 2]) if kind not in ONCE else 1)
    ends_as_if_nothing_had_happened(unbroken, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_random_moments_it_ends_the_same(unbroken: Unbroken, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(7):
        kill_at_random(tmp_path, chance)
    ends_as_if_nothing_had_happened(unbroken, tmp_path)


def kill_inside(folder: Path, kind: str, number: int) -> None:
    """Kill a process before its file operation of a kind and number."""
    ended = to_the_end(folder / "saved", folder / "lost", kind, number)
    assert ended.code == -signal.SIGKILL, ended.errors


def kill_at_random(folder: Path, chance: random.Random) -> None:
    ended = until(folder / "saved", folder / "lost", steps=chance.randint(0, 8), wait=chance.uniform(0, 0.02))
    assert ended.code == -signal.SIGKILL, ended.errors


def ends_as_if_nothing_had_happened(unbroken: Unbroken, folder: Path) -> None:
    last = to_the_end(folder / "saved", folder / "out")
    assert last.code == 0, last.errors
    record = TrainingRecord.load(folder / "out" / "training.json")
    assert record.resumed_from
    assert len(last.steps) < record.steps, "the last process began anew: this test shows nothing"
    assert equal(record.losses, unbroken.record.losses)
    assert record.learning_rates == unbroken.record.learning_rates
    assert equal_validations(record, unbroken.record)
    assert record.tokens == unbroken.record.tokens
    assert record.notes == ()
    assert same(result(folder / "out"), unbroken.weights)
    assert list((folder / "saved").glob(".writing-*")) == []
