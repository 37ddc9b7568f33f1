from __future__ import annotations

import os
from pathlib import Path

import pytest

from mercer import environment
from mercer.errors import UsageError

SOURCES = sorted((Path(environment.__file__).parent).rglob("*.py"))


def test_the_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MERCER_CACHE", str(tmp_path / "here"))
    assert environment.cache_folder() == tmp_path / "here"
    assert not (tmp_path / "here").exists(), "asking for the folder made it"
    monkeypatch.delenv("MERCER_CACHE")
    assert environment.cache_folder() == Path.home() / ".cache" / "mercer"


def test_encoders_live_in_the_cache_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MERCER_CACHE", str(tmp_path))
    monkeypatch.delenv("MERCER_ENCODERS", raising=False)
    assert environment.encoder_folder() == tmp_path / "encoders"
    monkeypatch.setenv("MERCER_ENCODERS", "~/encoders")
    assert environment.encoder_folder() == Path.home() / "encoders"


@pytest.mark.parametrize(("wanted", "got"), [("3", 3), ("0", 1)])
def test_threads_as_wanted_but_at_least_one(monkeypatch: pytest.MonkeyPatch, wanted: str, got: int) -> None:
    monkeypatch.setenv("MERCER_THREADS", wanted)
    assert environment.threads() == got


def test_openmps_variable_counts_where_ours_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MERCER_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment.threads() == 3
    monkeypatch.setenv("MERCER_THREADS", "2")
    assert environment.threads() == 2


@pytest.mark.parametrize("of_openmp", [None, "2,1"])
def test_without_a_plain_number_every_usable_processor_counts(
    monkeypatch: pytest.MonkeyPatch, of_openmp: str | None
) -> None:
    monkeypatch.delenv("MERCER_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if of_openmp is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", of_openmp)
    assert environment.threads() == len(os.sched_getaffinity(0))


def test_a_number_of_threads_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_THREADS", "two")
    with pytest.raises(UsageError, match="MERCER_THREADS is 'two'"):
        environment.threads()


def test_a_default_gives_way_to_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_LIBRARY", "theirs")
    environment.default("SOME_LIBRARY", "ours")
    assert os.environ["SOME_LIBRARY"] == "theirs"
    monkeypatch.delenv("SOME_LIBRARY")
    environment.default("SOME_LIBRARY", "ours")
    assert os.environ.pop("SOME_LIBRARY") == "ours"


def test_no_other_module_reads_the_environment() -> None:
    assert len(SOURCES) > 10
    readers = {
        path.name
        for path in SOURCES
        if any(way in path.read_text("utf-8") for way in ("os.environ", "os.getenv"))
    }
    assert readers <= {"environment.py"}
