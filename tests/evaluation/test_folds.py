"""Folds in scored rows: joined whole, metrics as means over repeats, a unit counted once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.small import predictions, ranking
from mercer.errors import DataError
from mercer.evaluation import (
    FoldScored,
    RowInfo,
    Scored,
    Slices,
    join_folds,
    measure,
    rows_for,
    unit_values,
    value,
)
from mercer.evaluation.measure import Measure, mean_of

OUTCOME = [0.0, 1, 0, 1, 1, 0, 0, 1]


def divided(*repeats: list[float]) -> Scored:
    """Eight people in two folds, with another prediction in every repeat."""
    parts = []
    for number, values in enumerate(repeats, start=1):
        rows = predictions(values, OUTCOME).rows
        # Another division in each repeat.
        in_first = np.arange(len(rows)) % 2 == number % 2
        for fold, inside in enumerate((in_first, ~in_first), start=1):
            scored = Scored(kind="probability", rows=rows.loc[inside].reset_index(drop=True))
            parts.append(FoldScored(number, f"{number}.{fold}", scored))
    return join_folds(parts[::-1], list(predictions(OUTCOME, OUTCOME).rows["unit"]))


FIRST = [0.1, 0.9, 0.6, 0.5, 0.8, 0.2, 0.4, 0.3]
SECOND = [0.2, 0.4, 0.5, 0.9, 0.7, 0.6, 0.1, 0.8]


def test_rows_come_in_the_order_of_the_units_in_every_repeat() -> None:
    rows = divided(FIRST, SECOND).rows
    assert rows["repeat"].tolist() == [1] * 8 + [2] * 8
    assert rows["value"].tolist() == [*FIRST, *SECOND]
    assert rows.loc[rows["fold"] == "2.1", "unit"].tolist() == ["c00000", "c00002", "c00004", "c00006"]


@pytest.mark.parametrize("metric", ["auc", "brier", "average-precision", "brier-skill", "ece"])
def test_a_metric_is_the_mean_over_the_repeats(metric: str) -> None:
    apart = [value(predictions(one, OUTCOME), metric) for one in (FIRST, SECOND)]
    assert value(divided(FIRST, SECOND), metric) == pytest.approx(np.mean(apart))
    assert value(divided(FIRST, FIRST), metric) == pytest.approx(apart[0])


def test_a_unit_is_one_unit_however_often_it_was_divided() -> None:
    found = measure(divided(FIRST, SECOND), "brier")
    assert found.n == found.n_clusters == 8
    errors = unit_values(divided(FIRST, SECOND), "brier")
    assert errors.iloc[0] == pytest.approx((0.1**2 + 0.2**2) / 2)


@given(st.integers(1, 5), st.integers(0, 2**16))
def test_more_repeats_of_the_same_rows_leave_the_interval_as_it_is(repeats: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = predictions(rng.random(30), (rng.random(30) < 0.5).astype(float)).rows.assign(repeat=1, fold="1.1")
    one = Scored(kind="probability", rows=rows)
    many = replace(
        one, rows=pd.concat([rows.assign(repeat=r + 1) for r in range(repeats)], ignore_index=True)
    )
    info = RowInfo(task="behavior", target="t", model="m", split="test")
    for kept, again in zip(
        *(rows_for(s, info, metrics=["auc", "brier"], n_replicates=50) for s in (one, many)), strict=True
    ):
        assert again.n == kept.n == 30
        assert (again.value, again.low, again.high) == pytest.approx((kept.value, kept.low, kept.high))


def test_rankings_are_joined_with_their_lists() -> None:
    def part(unit: str, rank: float) -> Scored:
        shown = pd.DataFrame({"unit": [unit], "position": [1], "item": ["a"], "score": [1.0], "bits": [1.0]})
        return ranking([(unit, "a", 1, rank)], lists=shown)

    ranks = {1: {"p": 1.0, "q": 2.0}, 2: {"p": 3.0, "q": 1.0}}
    joined = join_folds(
        [
            FoldScored(r, f"{r}.{f}", part(u, k))
            for r, of in ranks.items()
            for f, (u, k) in enumerate(of.items(), 1)
        ],
        ["p", "q"],
    )
    assert joined.lists is not None
    assert joined.lists["repeat"].tolist() == [1, 1, 2, 2]
    assert value(joined, "mrr@10") == pytest.approx(np.mean([1, 1 / 2, 1 / 3, 1]))
    assert value(joined, "judged@1") == 1.0
    assert value(joined, "coverage@1") == pytest.approx(1 / 100)
    fold = joined.fold("1.2")
    assert fold.rows["unit"].tolist() == ["q"]
    assert fold.lists is not None
    assert fold.lists["unit"].tolist() == ["q"]


def test_folds_that_leave_a_unit_out_or_hold_it_twice_are_refused() -> None:
    rows = predictions(FIRST, OUTCOME)
    half = replace(rows, rows=rows.rows.iloc[:4])
    units = list(rows.rows["unit"])
    with pytest.raises(DataError, match="every unit once"):
        join_folds([FoldScored(1, "1.1", half)], units)
    with pytest.raises(DataError, match="every unit once"):
        join_folds([FoldScored(1, "1.1", rows), FoldScored(1, "1.2", half)], units)


def test_repeats_of_other_units_have_no_mean() -> None:
    one, other = (measure(predictions(v, OUTCOME[: len(v)]), "brier") for v in (FIRST, FIRST[:4]))
    with pytest.raises(DataError, match="different units"):
        mean_of([one, other])


def test_a_unit_left_out_of_one_repeat_counts_with_what_it_has() -> None:
    keys, clusters = pd.Index(["a", "b"]), pd.Index(["a", "b"])
    cluster = np.arange(2)
    parts = [
        Measure(keys=keys, cluster=cluster, clusters=clusters, weight=np.array(w), values=np.array(v))
        for w, v in (([1.0, 1.0], [0.2, 0.6]), ([1.0, 0.0], [0.4, 0.0]))
    ]
    found = mean_of(parts)
    assert found.values is not None
    assert found.values.tolist() == pytest.approx([0.3, 0.6])
    assert found.weight.tolist() == [1.0, 0.5]


def test_saved_and_loaded_the_folds_are_the_same(tmp_path: Path) -> None:
    scored = divided(FIRST, SECOND)
    scored.save(tmp_path / "rows.parquet")
    loaded = Scored.load(tmp_path / "rows.parquet")
    assert value(loaded, "auc") == value(scored, "auc")
    assert len(loaded.repeats) == 2
    assert loaded.fold("2.2").rows["value"].tolist() == scored.fold("2.2").rows["value"].tolist()


def test_what_was_divided_once_is_its_own_repeat() -> None:
    once = divided(FIRST)
    assert once.repeats == (once,)
    plain = predictions(FIRST, OUTCOME)
    assert plain.repeats == (plain,)


def test_slices_are_taken_by_unit() -> None:
    slices = Slices(unit={"sex": ["f", "m", ""]}, item={"items": ["head"]})
    taken = slices.take(np.array([2, 0]))
    assert taken.unit == {"sex": ["", "f"]}
    assert taken.item == slices.item
