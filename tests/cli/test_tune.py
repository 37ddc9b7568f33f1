"""`mercer tune`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pipeline.tuned_shop import brief_text

from cli.typed import Typed
from mercer.brief import Brief


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def brief_file(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MERCER_CACHE", str(cache))
    place = tmp_path / "brief.yaml"
    place.write_text(brief_text(["recency", "logistic-regression"], trials=3), "utf-8")
    return place


def test_a_table_says_what_was_gained_and_where_it_is(
    mercer: Typed, brief_file: Path, tmp_path: Path
) -> None:
    said = mercer("tune", brief_file, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert "repurchase, brier on validation" in said.out
    assert "nothing to search" in said.out
    assert f"Options and their cost are in {brief_file}" in said.out
    assert str(tmp_path / "run" / "tuning" / "index.html") in said.out
    assert "tune:repurchase:logistic-regression" in said.err
    assert Brief.load(brief_file).targets["repurchase"].tuned["logistic-regression"].trials == 3


def test_a_machine_reads_every_trial_and_a_dry_run_changes_nothing(
    mercer: Typed, brief_file: Path, tmp_path: Path
) -> None:
    before = brief_file.read_bytes()
    said = mercer(
        "tune", brief_file, "--out", tmp_path / "run", "--json", "--dry-run", "--trials", 2,
        "--model", "logistic-regression", "--target", "repurchase",
    )  # fmt: skip
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["budget"]["trials"] == 2
    assert told["written"] is None
    [one] = told["models"]
    assert [trial["number"] for trial in one["trials"]] == [0, 1]
    assert one["trials"][0]["value"] == one["default_value"]
    assert brief_file.read_bytes() == before


def test_a_wrong_model_is_a_sentence(mercer: Typed, brief_file: Path, tmp_path: Path) -> None:
    said = mercer("tune", brief_file, "--out", tmp_path / "run", "--model", "logistic")
    assert said.code == 2
    assert "logistic-regression" in said.sentence
