"""Flat labelled examples from a messy file to answers: every unit tested by models that have not seen it."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from serving.live import live
from sklearn.metrics import roc_auc_score

import mercer
from flow.flat import MONTHS, TROUBLE, Flat, N, make_flat, write_visits
from flow.house import cache_at, shared_folder, steps_done, without_timings
from flow.process import run_to_the_end, run_until
from mercer.contracts import Labelled
from mercer.data import FoldSplit, audit_leakage
from mercer.errors import BriefError, DataError
from mercer.evaluation import TestLooks, compare, compare_with
from mercer.evaluation.scored import Scored
from mercer.pipeline.material import Material
from mercer.serving import prepare

FIT = "train-validation"
FOLDS, REPEATS = 4, 2


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Flat:
    return make_flat(shared_folder(tmp_path_factory).with_name("flat"))


@pytest.fixture(autouse=True)
def own_cache(flat: Flat, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MERCER_CACHE", str(flat.cache))
    return flat.cache


def rows_of(flat: Flat, model: str) -> Scored:
    return Scored.load(flat.folder / "scores" / "buys" / f"{model}.test.{FIT}.parquet")


def examples_of(flat: Flat) -> pd.DataFrame:
    return pd.read_parquet(flat.folder / "data" / "examples.parquet")


def test_it_ends_in_a_release(flat: Flat) -> None:
    assert flat.run.exit_code == 0
    assert flat.run.release is not None
    assert flat.run.page is not None


def test_every_row_is_accounted_for_under_its_rule(flat: Flat) -> None:
    count = json.loads((flat.folder / "data" / "accounting.json").read_text("utf-8"))["tables"]["examples"]
    assert count["read"] == N + 6
    assert count["kept"] == N == len(examples_of(flat))
    assert {rule["rule"]: rule["count"] for rule in count["rules"] if rule["count"]} == TROUBLE
    put_aside = pd.read_parquet(flat.folder / "data" / "quarantine" / "examples.parquet")
    assert Counter(put_aside["rule"]) == {rule: n for rule, n in TROUBLE.items() if rule != "unreadable-cell"}


def test_columns_have_one_type_and_audits_keep_the_protected_one(flat: Flat) -> None:
    kept = examples_of(flat)
    assert set(kept.columns) == {"unit", "as_of", "label", "pages", "month", "weekend", "paid", "sex"}
    assert kept["pages"].dtype == np.float64
    assert kept["pages"].isna().sum() == TROUBLE["unreadable-cell"]
    assert set(kept["month"].dropna()) == set(MONTHS)
    assert kept["weekend"].isna().sum() == 1
    assert set(kept["label"]) == {0.0, 1.0}


def test_every_unit_is_scored_once_a_repeat_by_a_model_that_had_not_seen_it(flat: Flat) -> None:
    split: FoldSplit = Material(flat.folder / "data", mercer.Brief.load(flat.brief_file)).split("buys")
    assert audit_leakage(split) == N * REPEATS
    for model in ("base-rate", "lightgbm", "logistic-regression"):
        rows = rows_of(flat, model).rows
        assert rows.groupby("repeat")["unit"].nunique().to_dict() == {1: N, 2: N}
        assert len(rows) == N * REPEATS
        for fold in split.names():
            test: Labelled = split.part(fold).test
            inside = rows.loc[rows["fold"] == fold.name]
            assert set(inside["unit"]) == set(test.snapshots.entities)
            assert inside["outcome"].tolist() == test.outcome.tolist()


def test_a_metric_is_its_mean_over_the_repeats_and_a_unit_counts_once(flat: Flat) -> None:
    scored = rows_of(flat, "logistic-regression")
    apart = [roc_auc_score(one.rows["outcome"], one.rows["value"]) for one in scored.repeats]
    assert len(set(apart)) == REPEATS
    [row] = flat.run.leaderboard.find(  # type: ignore[union-attr]
        model="logistic-regression", split="test", fit_on="train+validation", metric="auc", slice="all"
    )
    assert row.value == pytest.approx(np.mean(apart))
    assert row.n == N
    assert (row.unit, row.interval) == ("example", "bootstrap by example")
    assert row.low is not None
    assert row.low < row.value < (row.high or 0)


def test_repeats_of_a_unit_move_together(flat: Flat) -> None:
    """The same rows twice are not more evidence: interval and p-value stay as they are."""
    scored = {model: rows_of(flat, model) for model in ("base-rate", "lightgbm")}
    once = {model: one.repeats[0] for model, one in scored.items()}
    twice = {
        model: Scored(kind=one.kind, rows=pd.concat([one.rows, one.rows.assign(repeat=2)], ignore_index=True))
        for model, one in once.items()
    }
    for metric in ("brier", "auc"):
        kept, doubled = (
            compare(
                pair["lightgbm"], pair["base-rate"], metric, names=("a", "b"), task="behavior", target="t"
            )
            for pair in (once, twice)
        )
        assert doubled.difference == pytest.approx(kept.difference)
        assert (doubled.low, doubled.high) == pytest.approx((kept.low, kept.high))
        assert doubled.p == kept.p


def test_each_fold_picks_on_its_own_validation_and_the_one_picked_most_is_selected(flat: Flat) -> None:
    chosen = flat.run.manifest["selected"]["buys"]
    assert len(chosen["picks"]) == FOLDS * REPEATS
    validation = {
        model: Scored.load(flat.folder / "scores" / "buys" / f"{model}.validation.train.parquet")
        for model in ("base-rate", "lightgbm", "logistic-regression")
    }
    for fold, pick in chosen["picks"].items():
        errors = {
            model: ((rows.fold(fold).rows["value"] - rows.fold(fold).rows["outcome"]) ** 2).mean()
            for model, rows in validation.items()
        }
        assert pick == min(errors, key=lambda model: errors[model])
    counts = Counter(chosen["picks"].values())
    assert counts[chosen["model"]] == max(counts.values())
    [row] = flat.run.leaderboard.find(  # type: ignore[union-attr]
        model=chosen["model"], split="test", fit_on="train+validation", metric="auc", slice="all"
    )
    assert row.selected
    assert row.protocol["picked"] == f"{counts[chosen['model']]} of 8 folds"
    assert "share training rows" in row.protocol["caution"]


def test_selection_is_written_before_any_look_at_the_test(flat: Flat) -> None:
    chosen = flat.run.manifest["selected"]["buys"]["chosen_at"]
    looks = [look["at"] for look in TestLooks(flat.cache / "test-looks.jsonl").looks()]
    assert datetime.fromisoformat(chosen) <= datetime.fromisoformat(min(looks))
    assert flat.run.manifest["test_looks"] == {"buys": 3 * 2}


def test_the_nested_row_is_what_picking_in_each_fold_achieves(flat: Flat) -> None:
    picks = flat.run.manifest["selected"]["buys"]["picks"]
    nested = rows_of(flat, "nested-selection").rows
    models = {model: rows_of(flat, model).rows for model in set(picks.values())}
    for fold, pick in picks.items():
        own, theirs = (rows.loc[rows["fold"] == fold] for rows in (nested, models[pick]))
        assert own["value"].tolist() == theirs["value"].tolist()
    [row] = flat.run.leaderboard.find(  # type: ignore[union-attr]
        model="nested-selection", metric="auc", slice="all"
    )
    assert not row.selected
    assert row.protocol["picked"].endswith("of 8 folds")
    compared = {c.b for c in flat.run.leaderboard.comparisons}  # type: ignore[union-attr]
    assert "nested-selection" not in compared


def test_models_are_compared_on_the_same_units(flat: Flat) -> None:
    scored = {model: rows_of(flat, model) for model in ("logistic-regression", "base-rate")}
    [found] = compare_with("logistic-regression", scored, "brier", task="behavior", target="buys")
    assert found.difference < 0
    assert found.verdict == "better"


def test_no_model_reads_what_is_protected_or_excluded(flat: Flat) -> None:
    split: FoldSplit = Material(flat.folder / "data", mercer.Brief.load(flat.brief_file)).split("buys")
    assert isinstance(split.test, Labelled)
    assert list(split.test.snapshots.columns) == ["pages", "month", "weekend"]  # type: ignore[arg-type]
    release = mercer.load(flat.folder).release
    assert [column.name for column in release.columns["buys"]] == ["pages", "month", "weekend"]
    assert [column.type for column in release.columns["buys"]] == ["number", "category", "boolean"]


def test_what_ships_has_seen_everything_and_says_that_no_test_scored_it(flat: Flat) -> None:
    chosen = flat.run.manifest["selected"]["buys"]["model"]
    release = mercer.load(flat.folder).release
    assert release.manifest.targets["buys"].fit_on == "all"
    card = (flat.folder / "models" / "buys" / chosen / "card.md").read_text("utf-8")
    assert "no test scored it" in card
    assert not [row for row in flat.run.leaderboard.rows if row.fit_on == "all"]  # type: ignore[union-attr]


def test_another_order_of_the_file_gives_the_same_leaderboard(flat: Flat, tmp_path: Path) -> None:
    mixed = mercer.run(write_visits(tmp_path, order=3), tmp_path / "run", until="evaluate")
    kept, found = (
        without_timings(run.leaderboard.to_dict())["rows"] for run in (flat.run, mixed) if run.leaderboard
    )
    assert kept == found


def test_a_second_run_finds_every_step_and_adds_no_look(flat: Flat, tmp_path: Path) -> None:
    again = mercer.run(flat.brief_file, tmp_path / "again")
    assert steps_done(again) == []
    assert again.manifest["test_looks"] == flat.run.manifest["test_looks"]


def test_killed_in_the_folds_it_goes_on_where_it_stopped(flat: Flat, tmp_path: Path) -> None:
    out, cache = tmp_path / "run", tmp_path / "cache"
    ended = run_until(flat.brief_file, out, cache, steps=12, wait=0.1)
    assert ended.interrupted
    assert ended.code == -signal.SIGKILL
    assert run_to_the_end(flat.brief_file, out, cache).code == 0
    run = mercer.Run(out)
    assert run.leaderboard is not None
    assert flat.run.leaderboard is not None
    assert without_timings(run.leaderboard.to_dict()) == without_timings(flat.run.leaderboard.to_dict())
    assert sum(step["cached"] for step in run.manifest["steps"]) >= 12


def test_check_tells_what_the_folds_can_show(flat: Flat) -> None:
    [found] = mercer.check(flat.brief_file).targets
    assert found.test_units == N
    assert found.validation_units == N // FOLDS
    assert found.detectable is not None


def test_frames_are_answered_as_the_file_spells_them(flat: Flat) -> None:
    release = mercer.load(flat.folder)
    raw = pd.read_csv(flat.brief_file.with_name("visits.csv"), sep=";", dtype=str).iloc[20:60]
    made = release.predict(raw, reasons=2)
    assert made["entity"].tolist() == [str(row) for row in raw.index]
    assert made["value"].between(0, 1).all()
    typed = raw.assign(
        pages=raw["pages"].str.replace(",", ".").astype(float), weekend=raw["weekend"] == "TRUE"
    )
    assert release.predict(typed)["value"].tolist() == made["value"].tolist()
    meanings = {reason.meaning for reasons in made["reasons"] for reason in reasons}
    assert "pages seen in the visit" in meanings
    with pytest.raises(DataError, match="no column 'month'"):
        release.predict(raw.drop(columns="month"))
    with pytest.raises(DataError, match="'pages', row 0"):
        release.predict(raw.assign(pages="lots"))
    with pytest.raises(DataError, match="1 entities for 40 rows"):
        release.predict(raw, entities=["a"])


@pytest.fixture(scope="module")
def api(flat: Flat, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    database = f"sqlite:///{tmp_path_factory.mktemp('state')}/mercer.db"
    with cache_at(flat.cache):
        served = prepare(flat.folder, host="127.0.0.1", state_url=database, dev=True)
        key = {"Authorization": f"Bearer {served.dev_key}"}
        with (
            live(served.app) as url,
            httpx.Client(base_url=url, headers=key, trust_env=False, timeout=30) as client,
        ):
            yield client
        served.state.close()


SENT: dict[str, Any] = {"pages": 12, "month": "Nov", "weekend": False}


def test_the_api_answers_what_the_frames_answer(flat: Flat, api: httpx.Client) -> None:
    release = mercer.load(flat.folder)
    for columns in (SENT, {**SENT, "pages": None}, {**SENT, "month": None, "weekend": True}):
        answer = api.post("/v1/predict", json={"columns": columns, "reasons": 2}).json()
        made = release.predict(pd.DataFrame([columns])).iloc[0]
        assert (answer["value"], answer["low"], answer["high"]) == (made["value"], made["low"], made["high"])
        assert answer["horizon_days"] is None
        assert answer["notes"] == []
        assert answer["reasons"]


def test_the_api_tells_which_columns_it_needs(api: httpx.Client) -> None:
    [target] = api.get("/v1/release").json()["targets"]
    assert target["fit_on"] == "all"
    assert target["columns"] == [
        {"name": "pages", "type": "number", "means": "pages seen in the visit", "values": []},
        {"name": "month", "type": "category", "means": "", "values": sorted(MONTHS)},
        {"name": "weekend", "type": "boolean", "means": "", "values": []},
    ]


def test_an_unseen_category_counts_as_missing_and_the_answer_says_so(api: httpx.Client) -> None:
    unseen = api.post("/v1/predict", json={"columns": {**SENT, "month": "Ramadan"}}).json()
    missing = api.post("/v1/predict", json={"columns": {**SENT, "month": None}}).json()
    assert unseen["value"] == missing["value"]
    assert unseen["notes"] == ["month: a category that the model does not know counts as missing."]


@pytest.mark.parametrize(
    ("columns", "field", "says"),
    [
        ({"pages": 12, "month": "Nov"}, "columns.weekend", "missing"),
        ({**SENT, "page": 3}, "columns.page", "pages"),
        ({**SENT, "pages": "12"}, "columns.pages", "number"),
        ({**SENT, "pages": True}, "columns.pages", "number"),
        ({**SENT, "month": 11}, "columns.month", "category"),
        ({**SENT, "weekend": 1}, "columns.weekend", "boolean"),
    ],
)
def test_a_wrong_column_is_named(api: httpx.Client, columns: dict[str, Any], field: str, says: str) -> None:
    answer = api.post("/v1/predict", json={"columns": columns})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "invalid-columns"
    [wrong] = problem["fields"]
    assert wrong["field"] == field
    assert says in wrong["message"]


@pytest.mark.parametrize("body", [{"user": "customer-1"}, {"columns": SENT, "history": []}, {}])
def test_a_history_is_no_answer_for_flat_columns(api: httpx.Client, body: dict[str, Any]) -> None:
    answer = api.post("/v1/predict", json=body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "invalid-request"


def test_a_person_who_objected_is_not_profiled_from_columns_either(api: httpx.Client) -> None:
    body = {"user": "customer-1", "columns": SENT, "context": {"signals": ["objection"]}}
    assert api.post("/v1/predict", json=body).json()["type"] == "profiling-refused"


def test_what_it_cannot_divide_by_is_said_before_any_fit(tmp_path: Path) -> None:
    brief = write_visits(tmp_path, split={"kind": "temporal"})
    with pytest.raises(BriefError, match="no clock"):
        mercer.run(brief, tmp_path / "run")


def test_the_page_says_how_often_a_model_was_picked_and_what_ships(flat: Flat) -> None:
    page = (flat.folder / "report.html").read_text("utf-8")
    chosen = flat.run.manifest["selected"]["buys"]
    picked = Counter(chosen["picks"].values())[chosen["model"]]
    assert f"{chosen['model']} was picked in {picked} of 8 folds" in page
    assert "has no test score of its own" in page
    assert "840 tested units and none had trained the model that scored it" in page
    assert f"{chosen['model']}, {N} test rows in ten bins" in page


def test_groups_of_people_are_audited_and_no_excluded_column_is_suspected(flat: Flat) -> None:
    found = json.loads((flat.folder / "groups.json").read_text("utf-8"))["buys"]
    assert {one["group"] for one in found["groups"]} == {"f", "m"}
    assert {one["attribute"] for one in found["groups"]} == {"sex"}
    assert sum(one["n"] for one in found["groups"]) <= N
    assert "by sex" in (flat.folder / "report.html").read_text("utf-8")
    assert json.loads((flat.folder / "leaks.json").read_text("utf-8")) == {"buys": []}


def test_a_column_that_knows_the_answer_is_named_where_nobody_excludes_it(tmp_path: Path) -> None:
    brief = write_visits(tmp_path / "visits", exclude_columns=[], models=["base-rate"], options={})
    run = mercer.run(brief, tmp_path / "run", until="fit")
    [named] = json.loads((run.path / "leaks.json").read_text("utf-8"))["buys"]
    assert (named["column"], named["witness"]) == ("paid", "behaviour")
