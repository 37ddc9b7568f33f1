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
from training.small import same


@dataclass(frozen=True)
class Unbroken:
    """What the training that nobody kills comes to, and the file operations of its checkpoints, in order."""

    record: TrainingRecord
    weights: dict
    operations: list[str]

    def moments(self) -> dict[str, list[int]]:
        """The numbers of the operations of each kind: opening the weights, naming the folder, removing an old one."""
        found: dict[str, list[int]] = {}
        for number, said in enumerate(self.operations, start=1):
            found.setdefault(kind_of(said), []).append(number)
        return found


def kind_of(said: str) -> str:
    event, name = said.split()
    folder = "a checkpoint" if "step-" in name or name.startswith(".writing") else name
    return f"{event} {folder}"


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
    } <= set(unbroken.moments())
    assert len(unbroken.record.losses) > 20


def test_killed_three_times_it_ends_the_same(unbroken: Unbroken, tmp_path: Path) -> None:
    moments = unbroken.moments()
    chance = random.Random(5)
    kill_inside(tmp_path, moments["os.rename a checkpoint"][2])
    kill_inside(tmp_path, chance.choice(moments["open manifest.json"][:8]))
    kill_at_random(tmp_path, chance)
    ends_as_if_nothing_had_happened(unbroken, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_inside_every_phase_of_saving_it_ends_the_same(
    unbroken: Unbroken, tmp_path: Path, seed: int
) -> None:
    """One kill in each phase, in a random order, each process going on where the one before died."""
    chance = random.Random(seed)
    phases = list(unbroken.moments().values())
    chance.shuffle(phases)
    assert len(phases) >= 9
    kills = sum(
        kill_inside(tmp_path, chance.choice(numbers[: max(1, len(numbers) // 4)]), may_end=True)
        for numbers in phases
    )
    assert kills >= len(phases) - 1
    ends_as_if_nothing_had_happened(unbroken, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_random_moments_it_ends_the_same(unbroken: Unbroken, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(7):
        kill_at_random(tmp_path, chance)
    ends_as_if_nothing_had_happened(unbroken, tmp_path)


def kill_inside(folder: Path, at: int, *, may_end: bool = False) -> bool:
    """Kill a process before its file operation of number `at`; whether it lived so long."""
    ended = to_the_end(folder / "saved", folder / "lost", "--at", at)
    assert ended.code == -signal.SIGKILL or (may_end and ended.code == 0), ended.errors
    return ended.code != 0


def kill_at_random(folder: Path, chance: random.Random) -> None:
    ended = until(
        folder / "saved", folder / "lost", steps=chance.randint(0, 12), wait=chance.uniform(0, 0.05)
    )
    assert ended.code in (-signal.SIGKILL, 0), ended.errors


def ends_as_if_nothing_had_happened(unbroken: Unbroken, folder: Path) -> None:
    last = to_the_end(folder / "saved", folder / "out")
    assert last.code == 0, last.errors
    record = TrainingRecord.load(folder / "out" / "training.json")
    assert record.resumed_from
    assert len(last.steps) < record.steps, "the last process began anew: this test shows nothing"
    assert record.losses == unbroken.record.losses
    assert record.learning_rates == unbroken.record.learning_rates
    assert record.validations == unbroken.record.validations
    assert record.tokens == unbroken.record.tokens
    assert record.notes == ()
    assert same(result(folder / "out"), unbroken.weights)
    assert list((folder / "saved").glob(".writing-*")) == []
