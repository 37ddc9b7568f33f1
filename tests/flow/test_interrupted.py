"""A run that is killed, at whatever moment, goes on where it stopped and ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

import mercer
from flow.house import House, without_timings
from flow.process import run_to_the_end, run_until
from mercer.evaluation import TestLooks

STEPS = 52
"""Steps that a run of the small brief reports."""


def test_the_small_brief_has_as_many_steps(house: House) -> None:
    assert len(house.run.manifest["steps"]) >= STEPS


def test_killed_three_times_it_ends_with_the_same_leaderboard(house: House, tmp_path: Path) -> None:
    kill_and_finish(house, tmp_path, kills=3, seed=20)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_killed_again_and_again_it_ends_with_the_same_leaderboard(
    house: House, tmp_path: Path, seed: int
) -> None:
    kill_and_finish(house, tmp_path, kills=7, seed=seed)


def test_interrupted_from_the_keyboard_it_says_so_and_goes_on(house: House, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ended = run_until(house.brief_file, out, house.cache, steps=1, wait=0.05, how=signal.SIGINT)
    assert ended.interrupted
    assert ended.code == 130
    assert "Traceback" not in ended.errors
    assert run_to_the_end(house.brief_file, out, house.cache).code == 0
    same_as_uninterrupted(house, out)


def kill_and_finish(house: House, folder: Path, *, kills: int, seed: int) -> None:
    """Kill at seeded random moments, then let it end, and compare."""
    chance = random.Random(seed)
    out, cache = folder / "run", folder / "cache"
    killed = 0
    for steps in sorted(chance.sample(range(STEPS), kills)):
        ended = run_until(house.brief_file, out, cache, steps=steps, wait=chance.uniform(0.0, 0.6))
        killed += ended.interrupted
        assert not ended.interrupted or ended.code == -signal.SIGKILL
    assert killed >= kills - 1
    assert run_to_the_end(house.brief_file, out, cache).code == 0
    same_as_uninterrupted(house, out)
    assert list((cache / "steps").rglob("*.tmp")) == []
    looks = TestLooks(cache / "test-looks.jsonl")
    assert len(list(looks.looks())) >= sum(house.run.manifest["test_looks"].values())


def same_as_uninterrupted(house: House, out: Path) -> None:
    """Leaderboard but for timings, selection and gates are those of the uninterrupted run; nothing is left over."""
    run = mercer.Run(out)
    assert run.leaderboard is not None
    assert house.run.leaderboard is not None
    assert without_timings(run.leaderboard.to_dict()) == without_timings(house.run.leaderboard.to_dict())
    for target, chosen in house.run.manifest["selected"].items():
        assert run.manifest["selected"][target]["model"] == chosen["model"]
    assert run.gates is not None
    assert house.run.gates is not None
    assert run.gates["verdict"] == house.run.gates["verdict"]
    assert run.release is not None
    assert [path.name for path in out.rglob("*") if path.suffix in (".tmp", ".old", ".part")] == []
