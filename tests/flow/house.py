"""A small simulated shop with a brief of three tasks, walked once from data to release for every test that asks."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import mercer
from mercer.brief import Brief
from mercer.simulate import Truth, demo_brief

SHOP = {"users": 600, "items": 200, "judged_queries": 60}
TIMINGS = ("fit_seconds", "peak_mib", "predict_ms_per_request")
"""What of a leaderboard row is measured by a clock, so that it differs between equal runs."""


@dataclass(frozen=True)
class House:
    """A finished run, its brief as a file, and the cache that it filled. Tests read it and change nothing."""

    brief_file: Path
    folder: Path
    cache: Path

    @property
    def brief(self) -> Brief:
        return Brief.load(self.brief_file)

    @property
    def run(self) -> mercer.Run:
        return mercer.Run(self.folder)

    @property
    def truth(self) -> Truth:
        return Truth.load(self.raw)

    @property
    def raw(self) -> Path:
        """The raw files of the simulated shop, planted faults and truth among them."""
        [step] = [one for one in self.run.manifest["steps"] if one["name"] == "simulate"]
        return self.cache / "steps" / "simulate" / step["key"]


def brief_text(**changes: Any) -> str:
    """The demo's brief on a small shop. changes: top-level keys to replace."""
    content = yaml.safe_load(demo_brief().read_text("utf-8"))
    content["name"] = "small-shop"
    content["data"]["simulate"] |= SHOP
    return yaml.safe_dump(content | changes, sort_keys=False)


def make_house(folder: Path) -> House:
    """Run the small brief once; processes that ask at the same time wait for the first."""
    house = House(folder / "small-shop.yaml", folder / "run", folder / "cache")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            house.brief_file.write_text(brief_text(), "utf-8")
            with cache_at(house.cache):
                mercer.run(house.brief_file, house.folder)
            (folder / "done").touch()
    return house


@contextmanager
def cache_at(folder: Path) -> Iterator[None]:
    """Let mercer keep its steps and ledgers in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(folder))
        yield


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder for the whole test run; the workers of pytest-xdist share it."""
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "house"


def without_timings(board: Mapping[str, Any]) -> dict[str, Any]:
    """A leaderboard's content less what a clock measured."""
    rows = [{key: value for key, value in row.items() if key not in TIMINGS} for row in board["rows"]]
    return {**board, "rows": rows}


def steps_done(run: mercer.Run) -> list[str]:
    """Names of the steps that a run did itself, not found in the cache."""
    return [step["name"] for step in run.manifest["steps"] if not step["cached"]]


def linked_copy(source: Path, target: Path) -> Path:
    """A copy that may be changed as mercer changes files: by renaming new ones over them.

    Ledgers and databases are written in place, so they are copied; all else is linked, for it is large.
    """
    in_place = (".jsonl", ".db", ".db-wal", ".db-shm")

    def copy(file: str, to: str) -> None:
        if file.endswith(in_place):
            shutil.copyfile(file, to)
        else:
            os.link(file, to)

    return Path(shutil.copytree(source, target, copy_function=copy))
