"""A stochastic model is fitted once a seed and stands in one row; a ranker's refit is a row of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from flow.house import linked_copy

import mercer
from mercer.brief import Brief
from mercer.errors import BriefError, UsageError
from mercer.evaluation import Scored, compare, unit_values
from mercer.pipeline.across import compare_runs
from mercer.reporting import write_page
from pipeline.tuned_shop import brief_text

FOREST = {"random-forest": {"trees": 10}}


def brief(**fit: Any) -> Brief:
    content = yaml.safe_load(brief_text(["past-rate", "random-forest"]))
    content["targets"]["repurchase"]["options"] = FOREST
    content["targets"]["next-item"] = {
        "task": "recommend", "models": ["most-popular", "item-knn", "buy-again"],
        "split": {"kind": "temporal", "test_from": "2026-08-01", "validation_days": 42},
    }  # fmt: skip
    content["fit"] = fit
    return Brief.model_validate(content)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[mercer.Run, Path]:
    """A run with three seeds and refits, and its cache."""
    folder = tmp_path_factory.mktemp("seeds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(folder / "cache"))
        made = mercer.run(brief(seeds=[3, 1, 2], refit=["most-popular"]), folder / "run", until="evaluate")
    return made, folder / "cache"


def rows(run: mercer.Run, **wanted: Any) -> list[Any]:
    assert run.leaderboard is not None
    return run.leaderboard.find(slice="all", origin="all", **wanted)


def test_a_row_is_the_mean_over_its_seeds(
    first: tuple[mercer.Run, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cache = first
    monkeypatch.setenv("MERCER_CACHE", str(linked_copy(cache, tmp_path / "cache")))
    alone = [mercer.run(brief(seeds=[s]), tmp_path / f"run-{s}", until="evaluate") for s in (3, 1, 2)]
    for metric in ("brier", "auc", "ece"):
        for split, fit_on in (("validation", "train"), ("test", "train"), ("test", "train+validation")):
            where = {"metric": metric, "split": split, "fit_on": fit_on, "model": "random-forest"}
            [row] = rows(run, **where)
            each = [one.value for other in alone for one in rows(other, **where)]
            assert len(set(each)) == 3
            assert row.value == pytest.approx(np.mean(each), abs=1e-12)
            assert row.seeds == (3, 1, 2)
            assert row.interval.endswith("bootstrap by entity, mean of 3 seeds")
            assert row.n == rows(alone[0], **where)[0].n
    [plain] = rows(run, model="past-rate", metric="brier", split="test", fit_on="train")
    assert plain.seeds == ()
    assert plain.interval == "bootstrap by entity"
    assert (
        plain.value
        == rows(alone[1], model="past-rate", metric="brier", split="test", fit_on="train")[0].value
    )


def test_a_deterministic_model_is_fitted_once_and_the_first_seed_ships(
    first: tuple[mercer.Run, Path],
) -> None:
    run, _ = first
    names = [step["name"] for step in run.manifest["steps"]]
    assert [name for name in names if name.startswith("fit:repurchase:past-rate")] == [
        "fit:repurchase:past-rate", "fit:repurchase:past-rate:refit",
    ]  # fmt: skip
    assert len([name for name in names if name.startswith("fit:repurchase:random-forest")]) == 6
    kept = json.loads((run.path / "models" / "repurchase" / "random-forest" / "fit.json").read_text("utf-8"))
    assert kept["seed"] == 3
    card = (run.path / "models" / "repurchase" / "random-forest" / "card.md").read_text("utf-8")
    assert "means over the seeds 3, 1, 2" in card


def test_units_are_paired_by_their_mean_over_the_seeds(first: tuple[mercer.Run, Path]) -> None:
    run, _ = first
    place = run.path / "scores" / "repurchase"
    forest = Scored.load(place / "random-forest.test.train-validation.parquet")
    rate = Scored.load(place / "past-rate.test.train-validation.parquet")
    assert list(dict.fromkeys(forest.rows["seed"])) == [3, 1, 2]
    by_seed = [unit_values(one, "brier") for one in forest.repeats]
    assert len(by_seed) == 3
    mean = unit_values(forest, "brier")
    assert np.allclose(mean, np.mean(by_seed, axis=0))
    found = compare(forest, rate, "brier", names=("a", "b"), task="behavior", target="repurchase")
    assert found.difference == pytest.approx(float((mean - unit_values(rate, "brier")).mean()))
    [said] = [
        c
        for c in run.leaderboard.comparisons  # type: ignore[union-attr]
        if {c.a, c.b} == {"random-forest", "past-rate"} and (c.slice, c.metric) == ("all", "brier")
    ]
    assert abs(said.difference) == pytest.approx(abs(found.difference))


def test_refits_are_rows_of_their_own_that_nothing_is_compared_with(
    first: tuple[mercer.Run, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cache = first
    again = rows(run, target="next-item", fit_on="train+validation", metric="ndcg@10")
    chosen = run.manifest["selected"]["next-item"]["model"]
    assert {row.model for row in again} == {chosen, "most-popular"}
    assert all(row.split == "test" and not row.selected for row in again)
    [marked] = rows(run, target="next-item", split="test", metric="ndcg@10", selected=True)
    assert (marked.model, marked.fit_on) == (chosen, "train")
    assert run.leaderboard is not None
    compared = [c for c in run.leaderboard.comparisons if c.target == "next-item"]
    assert compared
    assert {c.fit_on for c in compared} == {"train"}
    train = json.loads((run.path / "models" / "next-item" / chosen / "fit.json").read_text("utf-8"))
    refit = json.loads(
        (run.path / "models" / "next-item" / f"{chosen}.refit" / "fit.json").read_text("utf-8")
    )
    assert (train["fit_on"], refit["fit_on"]) == ("train", "train+validation")
    monkeypatch.setenv("MERCER_CACHE", str(linked_copy(cache, tmp_path / "cache")))
    only = mercer.run(brief(seeds=[3], refit=True), tmp_path / "run", until="evaluate")
    assert {r.model for r in rows(only, target="next-item", fit_on="train+validation")} == {chosen}
    looks = 3 + len({chosen, "most-popular"})
    assert run.manifest["test_looks"]["next-item"] == only.manifest["test_looks"]["next-item"] == looks
    page = write_page(run.path).read_text("utf-8")
    assert "Fitted again on train and validation" in page


def test_a_refit_learns_from_the_validation_rows(first: tuple[mercer.Run, Path]) -> None:
    """What it knows more of changes some ranks, and never the units."""
    run, _ = first
    place = run.path / "scores" / "next-item"
    train = Scored.load(place / "most-popular.test.train.parquet")
    refit = Scored.load(place / "most-popular.test.train-validation.parquet")
    assert train.units.equals(refit.units)
    chosen = run.manifest["selected"]["next-item"]["model"]
    pair = [
        Scored.load(place / f"{chosen}.test.{kind}.parquet").rows["rank"]
        for kind in ("train", "train-validation")
    ]
    assert not pair[0].equals(pair[1])


def test_names_that_compete_nowhere_and_seeds_given_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match=r"fit\.refit: 'item-kn' competes nowhere.*'item-knn'"):
        mercer.run(brief(refit=["item-kn"]), tmp_path / "run")
    with pytest.raises(ValueError, match="a seed twice"):
        brief(seeds=[1, 1])


def only(model: str, *seeds: int, **options: Any) -> Brief:
    """A brief on which one model alone competes for repurchase."""
    content = yaml.safe_load(brief_text([model]))
    content["targets"]["repurchase"]["options"] = {model: options} if options else {}
    content["fit"] = {"seeds": list(seeds)}
    return Brief.model_validate(content)


def test_runs_of_one_system_under_several_seeds_are_pooled(
    first: tuple[mercer.Run, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCER_CACHE", str(linked_copy(first[1], tmp_path / "cache")))

    def made(name: str, brief: Brief) -> Path:
        return mercer.run(brief, tmp_path / name, until="evaluate").path

    rate = made("rate", only("past-rate", 1))
    three = made("three", only("random-forest", 3, 1, 2, trees=10))
    two, last = (
        made("two", only("random-forest", 3, 1, trees=10)),
        made("last", only("random-forest", 2, trees=10)),
    )
    joint, pooled = compare_runs(three, rate), compare_runs(two, rate, last)
    assert pooled.a == "random-forest (3 seeds)"
    assert pooled.b == "past-rate (rate)"
    assert pooled.difference == pytest.approx(joint.difference)
    assert (pooled.low, pooled.high, pooled.p) == pytest.approx((joint.low, joint.high, joint.p))
    other = made("other", only("random-forest", 2, trees=11))
    with pytest.raises(UsageError, match="of 3 systems, not of two"):
        compare_runs(two, rate, other)
    with pytest.raises(UsageError, match="random-forest were fitted with seed 3"):
        compare_runs(two, rate, three)
    with pytest.raises(UsageError, match="the same run twice"):
        compare_runs(rate, rate, two)
    with pytest.raises(UsageError, match="Two runs are needed"):
        compare_runs(rate)
