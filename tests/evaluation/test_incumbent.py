"""What the business used until now: made before anybody chose a test set, so it holds what it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data.splits import Event, at, day, log

from mercer.brief import BehaviorTarget, RecommendTarget, Source, Split
from mercer.contracts import Holdout, Labelled
from mercer.data.splits import split_behavior, split_recommend
from mercer.errors import DataError
from mercer.evaluation import Coverage, score_lists, score_scores, value

FILE = Source(source="old.csv")


@pytest.fixture(scope="module")
def held() -> Holdout:
    """ann and bob, each with one answer: jam and mug; cat answers tea."""
    events = [
        Event("ann", "tea", 1), Event("bob", "tea", 2), Event("cat", "pan", 2),
        Event("ann", "cup", 12), Event("ann", "jam", 22), Event("bob", "mug", 23), Event("cat", "tea", 24),
    ]  # fmt: skip
    whole = log(*events)
    items = pd.DataFrame({"item": whole.items.ids})
    target = RecommendTarget(
        task="recommend", repeats=True, split=Split(test_from=day(20), validation_days=10)
    )
    return split_recommend(whole, items, target, day(29)).test


@pytest.fixture(scope="module")
def labelled() -> Labelled:
    """Four customers at two cut-offs, day 120 and day 150; who bought within 28 days of each."""
    events = [
        Event(user, "tea", at_day) for user in ("ann", "bob", "cat", "dan") for at_day in (1, 30, 60, 90)
    ]
    events += [Event("ann", "tea", 125), Event("bob", "tea", 130), Event("bob", "tea", 155)]
    target = BehaviorTarget(
        task="behavior", kind="probability", horizon_days=28, origins=[day(120), day(150)], split=Split()
    )
    return split_behavior(log(*events), target, day(180)).test


def lists(*rows: tuple[str, str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["unit", "item", "rank"])


def test_lists_are_scored_on_the_test_units_and_what_is_beside_them_is_counted(held: Holdout) -> None:
    frame = lists(
        ("ann", "jam", "1"), ("ann", "cup", "2"), ("ann", "gone", "3"), ("bob", "tea", "1"), ("bob", "mug", "2"),
        ("zoe", "tea", "1"), ("zoe", "gone", "2"),
    )  # fmt: skip
    scored, coverage = score_lists(frame, held, FILE, name="old lists")
    ranks = dict(zip(scored.rows["unit"], scored.rows["rank"], strict=True))
    assert ranks == {"ann": 1.0, "bob": 2.0, "cat": np.inf}
    assert coverage == Coverage(kind="lists", units=3, missing=1, left_out=3, unknown_items=1)
    assert coverage.said == (
        "1 of 3 without a list, which are misses; 1 row of items that the catalogue lacks left out"
    )


def test_columns_are_mapped_and_numbers_read_as_the_source_says(held: Holdout) -> None:
    source = Source(
        source="alt.csv", map={"user": "Kunde", "item": "Artikel", "score": "Punkte"}, decimal=","
    )
    frame = pd.DataFrame({"Kunde": [" ann "] * 2, "Artikel": ["cup", "jam"], "Punkte": ["0,25", "1.000,5"]})
    scored, _ = score_lists(frame, held, source, name="old lists")
    assert scored.rows.loc[scored.rows["unit"] == "ann", "rank"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (lists(("ann", "jam", "1"), ("ann", "jam", "2")), "items given twice to one unit"),
        (lists(("ann", "jam", "first")), r"column 'rank': 1 row without a number \(first rows: 1\)"),
        (lists(("zoe", "jam", "1")), "none of its 1 row names a unit of the test set"),
        (lists(("ann", "gone", "1")), "none of its 1 row names a item of the catalogue"),
        (lists(("ann", "jam", "1")).drop(columns="rank"), "no column 'rank' or 'score'"),
        (lists(("ann", "jam", "1")).drop(columns="item"), "no column 'item'"),
        (lists(("ann", "jam", "1")).rename(columns={"unit": "who"}), "no column 'unit' or 'user'"),
    ],
)
def test_lists_that_contradict_themselves_are_refused(held: Holdout, frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said):
        score_lists(frame, held, FILE, name="old lists")


def test_a_mapped_column_that_is_not_there_names_the_nearest(held: Holdout) -> None:
    source = Source(source="old.csv", map={"item": "itm"})
    with pytest.raises(DataError, match=r"no column 'itm' for item.*'item'"):
        score_lists(lists(("ann", "jam", "1")), held, source, name="old lists")


def scores(*rows: tuple[str, str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user", "as_of", "value"])


FULL = scores(
    ("ann", str(day(120)), "0.9"), ("bob", str(day(120)), "0.8"), ("cat", str(day(120)), "0.2"),
    ("dan", str(day(120)), "0.1"), ("ann", str(day(150)), "0.3"), ("bob", str(day(150)), "0.7"),
    ("cat", str(day(150)), "0.1"), ("dan", str(day(150)), "0.1"),
)  # fmt: skip


def score(frame: pd.DataFrame, held: Labelled, source: Source = FILE, **options: Any) -> Any:
    known: dict[str, Any] = {"kind": "probability", "currency": None} | options
    return score_scores(frame, held, source, name="old scores", **known)


def test_scores_meet_their_customer_and_cut_off(labelled: Labelled) -> None:
    shuffled = FULL.sample(frac=1, random_state=3)
    scored, coverage = score(shuffled, labelled)
    assert coverage == Coverage(kind="scores", units=8, missing=0, left_out=0)
    assert coverage.said == ""
    direct = dict(
        zip(zip(FULL["user"], FULL["as_of"], strict=True), FULL["value"].astype(float), strict=True)
    )
    for row in scored.rows.itertuples():
        origin = pd.Timestamp(row.as_of + 1, unit="us").date().isoformat()
        assert row.value == direct[row.unit, origin]
    assert value(scored, "auc") == 1.0


def test_who_has_no_score_counts_as_the_lowest_of_the_day_and_others_are_left_out(labelled: Labelled) -> None:
    frame = pd.concat([FULL.iloc[:6], scores(("zoe", str(day(120)), "1"), ("ann", str(day(99)), "1"))])
    scored, coverage = score(frame, labelled)
    assert (coverage.missing, coverage.left_out) == (2, 2)
    assert coverage.said == "2 of 8 without a score, which count as the lowest"
    late = scored.rows[scored.rows["as_of"] == scored.rows["as_of"].max()].set_index("unit")["value"]
    assert late[["cat", "dan"]].tolist() == [0.3, 0.3]


@pytest.mark.parametrize(
    "written", ["2026-05-01", "01/05/2026", "2026-05-01T00:00:00", "2026-04-30 23:59:59.999999"]
)
def test_a_cut_off_is_its_day_however_it_is_written(labelled: Labelled, written: str) -> None:
    assert str(day(120)) == "2026-05-01"
    frame = FULL.assign(as_of=FULL["as_of"].replace(str(day(120)), written))
    scored, coverage = score(frame, labelled, Source(source="old.csv", day_first=True))
    assert coverage.missing == 0
    assert value(scored, "auc") == 1.0


def test_points_are_judged_by_their_order_alone(labelled: Labelled) -> None:
    points = FULL.assign(value=(FULL["value"].astype(float) * 500 - 40).astype(str))
    scored, coverage = score(points, labelled)
    assert coverage.order_only
    assert coverage.measures("auc")
    assert not coverage.measures("brier")
    assert value(scored, "auc") == value(score(FULL, labelled)[0], "auc")
    assert scored.rows["value"].between(0, 1, inclusive="neither").all()


def test_amounts_are_major_units_of_the_currency(labelled: Labelled) -> None:
    spent = replace(labelled, outcome=np.arange(8, dtype=np.float64))
    for currency, factor in (("GBP", 100), ("JPY", 1), (None, 100)):
        scored, coverage = score(FULL, spent, kind="amount", currency=currency)
        assert not coverage.order_only
        assert scored.rows["value"].max() == pytest.approx(0.9 * factor)
    own = Source(source="old.csv", currency="JPY")
    assert score(FULL, spent, own, kind="amount", currency="GBP")[0].rows["value"].max() == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            pd.concat([FULL, FULL.iloc[:2]], ignore_index=True),
            r"2 rows with a second score .*rows: 9, 10",
        ),
        (
            FULL.assign(value=["x", *FULL["value"][1:]]),
            r"column 'value': 1 row without a number \(first rows: 1\)",
        ),
        (FULL.assign(value=["", *FULL["value"][1:]]), r"1 row without a number"),
        (FULL.assign(as_of=["soon", *FULL["as_of"][1:]]), r"column 'as_of': 1 row without a time"),
        (
            FULL.drop(columns="as_of"),
            "no column 'as_of', and the test has the cut-offs 2026-05-01, 2026-05-31",
        ),
        (FULL.drop(columns="value"), "no column 'value' or 'score'"),
        (
            FULL.assign(user="zoe"),
            "none of its 8 rows names a unit of the test set at 2026-05-01, 2026-05-31",
        ),
    ],
)
def test_scores_that_contradict_themselves_are_refused(
    labelled: Labelled, frame: pd.DataFrame, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        score(frame, labelled)


def test_with_one_cut_off_no_day_is_needed(labelled: Labelled) -> None:
    first = labelled.take(np.flatnonzero(labelled.snapshots.as_of == labelled.snapshots.as_of.min()))
    scored, coverage = score(FULL.iloc[:4].drop(columns="as_of"), first)
    assert coverage.missing == 0
    assert value(scored, "auc") == 1.0
    assert at(120) - 1 == int(first.snapshots.as_of[0])


def test_coverage_is_kept(tmp_path: Any) -> None:
    coverage = Coverage(kind="scores", units=8, missing=2, left_out=1, order_only=True)
    coverage.save(tmp_path)
    assert Coverage.load(tmp_path) == coverage
