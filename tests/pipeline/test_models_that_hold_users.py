"""A ranker that keeps people competes, is not chosen, is refused by a release, and lets `forget` find people in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import mercer
from mercer.brief import Brief
from mercer.data import Tables
from mercer.errors import UnsupportedError
from mercer.serving import erasure
from pipeline.tuned_shop import brief_text


def brief(*models: str) -> Brief:
    content: dict[str, Any] = yaml.safe_load(brief_text(["past-rate"]))
    content["targets"] = {
        "again": {
            "task": "recommend", "models": list(models),
            "split": {"kind": "temporal", "test_from": "2026-08-01", "validation_days": 42},
        }
    }  # fmt: skip
    content["decision"] |= {"target": "again", "metric": "ndcg@10", "against": models[0]}
    return Brief.model_validate(content)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MERCER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_competes_and_is_not_chosen_and_people_are_erased_in_it(cache: Path, tmp_path: Path) -> None:
    run = mercer.run(brief("most-popular", "user-knn"), tmp_path / "run", until="evaluate")
    value = {
        row.model: row.value
        for row in run.leaderboard.find(metric="ndcg@10", split="validation", slice="all", origin="all")
    }
    assert value["user-knn"] > value["most-popular"]
    assert run.manifest["selected"]["again"]["model"] == "most-popular"
    events = Tables.load(tmp_path / "run" / "data").events()
    assert events is not None
    user = events.loc[events["kind"] == "purchase", "user"].iloc[0]
    places = erasure.find(user, runs=[tmp_path / "run"], cache=cache)
    assert any("models/again/user-knn/people.parquet" in place for place in places)
    assert any(place.startswith("cache: ") and "people.parquet" in place for place in places)
    erasure.forget(user, runs=[tmp_path / "run"], cache=cache, at=datetime.now(UTC))
    assert erasure.find(user, runs=[tmp_path / "run"], cache=cache) == []


@pytest.mark.usefixtures("cache")
def test_alone_it_is_chosen_and_refused_by_the_release(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="'user-knn' keeps parameters of single users"):
        mercer.run(brief("user-knn"), tmp_path / "run")


@pytest.mark.usefixtures("cache")
def test_what_joins_its_list_with_another_is_refused_as_well(tmp_path: Path) -> None:
    joined = brief("fusion")
    options = {"fusion": {"members": ["item-knn", "user-knn"]}}
    target = joined.targets["again"].model_copy(update={"options": options})
    with pytest.raises(UnsupportedError, match="'fusion' keeps parameters of single users"):
        mercer.run(joined.model_copy(update={"targets": {"again": target}}), tmp_path / "run")
