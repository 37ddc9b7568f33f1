"""The step cache: found again, made anew when damaged, never half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mercer.errors import OutputError
from mercer.pipeline.cache import StepCache, beside, key_of, publish, sweep, write_text


def make_letter(text: str = "hello"):
    def make(folder: Path) -> None:
        (folder / "letter.txt").write_text(text)

    return make


def refuse(folder: Path) -> None:
    raise AssertionError("the step was made again")


def test_a_step_is_made_once(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    first = cache.step("greet", {"name": "a"}, make_letter())
    again = cache.step("greet", {"name": "a"}, refuse)
    assert not first.cached
    assert again.cached
    assert again.key == first.key
    assert again.cost == first.cost
    assert (again.folder / "letter.txt").read_text() == "hello"


def test_other_facts_are_another_step(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    a = cache.step("greet", {"name": "a"}, make_letter("a"))
    b = cache.step("greet", {"name": "b"}, make_letter("b"))
    assert a.key != b.key
    assert (a.folder / "letter.txt").read_text() == "a"


def test_the_order_of_facts_does_not_matter() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


@pytest.mark.parametrize("damage", ["edit", "delete", "torn record"])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: str) -> None:
    cache = StepCache(tmp_path)
    step = cache.step("greet", {}, make_letter())
    if damage == "edit":
        (step.folder / "letter.txt").write_text("hullo")
    elif damage == "delete":
        (step.folder / "letter.txt").unlink()
    else:
        (step.folder / "step.json").write_text("{")
    again = cache.step("greet", {}, make_letter())
    assert not again.cached
    assert (again.folder / "letter.txt").read_text() == "hello"


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("no")

    cache = StepCache(tmp_path)
    with pytest.raises(RuntimeError):
        cache.step("greet", {}, fail)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert not cache.step("greet", {}, make_letter()).cached


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("I am no folder")
    with pytest.raises(OutputError, match="MERCER_CACHE"):
        StepCache(place).step("greet", {}, make_letter())


SLOW = """
import sys, time
from pathlib import Path
from mercer.pipeline.cache import StepCache
def make(folder):
    for number in range(200):
        (folder / f"{number}.txt").write_text("x" * 1000)
        time.sleep(0.002)
StepCache(Path(sys.argv[1])).step("slow", {}, make)
"""


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
def test_a_killed_step_is_never_taken_for_whole(tmp_path: Path, after: float) -> None:
    child = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path)])
    deadline = time.monotonic() + 30
    while not any(tmp_path.rglob("0.txt")) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(after)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    cache = StepCache(tmp_path)
    step = cache.step("slow", {}, make_letter())
    whole = (step.folder / "letter.txt").exists() or len(list(step.folder.glob("*.txt"))) == 200
    assert whole


def test_publish_replaces_a_folder_whole(tmp_path: Path) -> None:
    source = tmp_path / "new"
    source.mkdir()
    (source / "a.txt").write_text("new")
    target = tmp_path / "run" / "data"
    target.mkdir(parents=True)
    (target / "old.txt").write_text("old")
    publish(source, target)
    assert [p.name for p in target.iterdir()] == ["a.txt"]
    assert [p.name for p in target.parent.iterdir()] == ["data"]


def test_writing_into_a_file_as_folder_is_a_clear_error(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(OutputError, match="--out"):
        write_text(place / "x.json", "{}")


def test_what_killed_processes_left_is_swept_and_what_living_ones_write_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    def made_by(process: int, ending: str) -> str:
        return beside(tmp_path / "data", ending).name.replace(f".{os.getpid()}.", f".{process}.")

    left = [made_by(gone.pid, "tmp"), made_by(gone.pid, "old")]
    elsewhere = f".data.elsewhere.{gone.pid}.tmp"
    kept = [made_by(os.getpid(), "tmp"), made_by(os.getppid(), "tmp"), elsewhere, "data"]
    for name in (*left, *kept):
        (tmp_path / name / "deep").mkdir(parents=True)
    sweep(tmp_path / "data")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_equal_tables_have_one_hash_whatever_made_them(tmp_path: Path) -> None:
    def tables(events: str, page: str):
        def make(folder: Path) -> None:
            (folder / "events.parquet").write_text(events)
            (folder / "profile.html").write_text(page)

        return make

    cache = StepCache(tmp_path)
    old = cache.step("data", {"code": "1"}, tables("rows", "a page"))
    new = cache.step("data", {"code": "2"}, tables("rows", "a better page"))
    other = cache.step("data", {"code": "3"}, tables("other rows", "a page"))
    assert old.key != new.key
    assert old.tables_hash == new.tables_hash != other.tables_hash
