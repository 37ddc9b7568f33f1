"""Folds: a partition, in equal shares of each label, by md5 alone, with nobody on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import BehaviorTarget, Split
from mercer.contracts import Labelled
from mercer.data.audit import audit_leakage
from mercer.data.splits import Fold, FoldSplit, folds_of, split_examples
from mercer.data.splits.folds import stratified_folds, text_folds
from mercer.errors import BriefError, DataError

UNITS = st.lists(st.text(min_size=1, max_size=8), min_size=40, max_size=80, unique=True)


def examples(n: int = 60) -> pd.DataFrame:
    """Every third is positive; `pages` and `month` describe, `sex` is protected."""
    number = np.arange(n)
    return pd.DataFrame(
        {
            "unit": [f"visit-{i:03}" for i in number],
            "as_of": pd.NaT,
            "label": (number % 3 == 0).astype(float),
            "pages": number * 7.0 % 11,
            "month": np.where(number % 2, "May", "Nov"),
            "sex": np.where(number % 5 < 2, "f", "m"),
        }
    )


def target(**changes: Any) -> BehaviorTarget:
    split = Split(kind="folds", folds=changes.pop("folds", 5), repeats=changes.pop("repeats", 2))
    return BehaviorTarget(task="behavior", label="examples", split=changes.pop("split", split), **changes)


def divided(**changes: Any) -> FoldSplit:
    return split_examples(examples(), target(**changes), {"sex"})


@given(UNITS, st.integers(3, 6), st.integers(1, 3))
def test_folds_are_a_partition_in_equal_shares_of_each_label(
    units: list[str], folds: int, repeats: int
) -> None:
    label = np.array([len(unit) % 2 + i % 2 * 0.0 for i, unit in enumerate(units)])
    label[: 2 * folds] = np.arange(2 * folds) % 2
    number = stratified_folds(units, label, Split(kind="folds", folds=folds, repeats=repeats))
    assert number.shape == (repeats, len(units))
    for row in number:
        sizes = np.bincount(row, minlength=folds)
        assert sizes.sum() == len(units)
        assert sizes.max() - sizes.min() <= 1
        for value in (0.0, 1.0):
            held = np.bincount(row[label == value], minlength=folds)
            assert held.max() - held.min() <= 1


@given(UNITS, st.randoms())
def test_another_order_of_the_rows_gives_the_same_folds(units: list[str], chance: Any) -> None:
    split = Split(kind="folds", folds=4, repeats=2)
    label = {unit: float(at % 2) for at, unit in enumerate(units)}
    mixed = units.copy()
    chance.shuffle(mixed)
    for divide in (
        lambda names: stratified_folds(names, np.array([label[name] for name in names]), split),
        lambda names: text_folds(names, split),
    ):
        one, two = divide(units), divide(mixed)
        assert dict(zip(units, one.T.tolist(), strict=True)) == dict(zip(mixed, two.T.tolist(), strict=True))


def test_the_folds_of_units_may_never_change() -> None:
    # Worked out with md5sum of "1:a" and so on: dealt out in that order within each label.
    number = stratified_folds(list("abcdef"), np.array([0.0, 0, 0, 1, 1, 1]), Split(kind="folds", folds=3))
    assert number.tolist() == [[0, 2, 1, 2, 1, 0]]


def test_the_fold_of_a_text_is_its_md5_and_nothing_else() -> None:
    # Worked out with md5sum: these may never change, or two releases would not be tested on the same queries.
    texts = ["blue mug", "tea", "wedding gift"]
    assert text_folds(texts, Split(kind="folds", folds=5)).tolist() == [[2, 0, 1]]
    assert text_folds(texts, Split(kind="folds", folds=3)).tolist() == [[2, 2, 1]]
    assert text_folds(["caf\udce9"], Split(kind="folds", folds=5))[0, 0] in range(5)


def test_repeats_divide_anew() -> None:
    for number in (
        divided().number,
        text_folds([f"query {i}" for i in range(60)], Split(kind="folds", repeats=2)),
    ):
        assert not np.array_equal(number[0], number[1])


def test_every_unit_is_tested_once_a_repeat_and_never_by_a_model_that_saw_it() -> None:
    split = divided()
    assert split.names() == folds_of(target().split)
    assert [fold.name for fold in split.names()][:6] == ["1.1", "1.2", "1.3", "1.4", "1.5", "2.1"]
    tested: dict[int, list[str]] = {1: [], 2: []}
    for fold in split.names():
        part = split.part(fold)
        train, inner, test = (units(one) for one in (part.train, part.validation, part.test))
        assert not train & inner
        assert not (train | inner) & test
        assert units(part.refit) == train | inner
        assert train | inner | test == units(split.test)
        tested[fold.repeat] += part.test.snapshots.entities
    assert sorted(tested[1]) == sorted(tested[2]) == sorted(split.test.snapshots.entities)
    assert audit_leakage(split) == 2 * 60
    assert units(split.everything()) == units(split.test)


def units(labelled: Labelled) -> set[str]:
    return set(labelled.snapshots.entities)


def test_the_fold_after_the_test_validates() -> None:
    split = divided(repeats=1)
    for number in range(1, 6):
        validates = units(split.part(Fold(1, number)).validation)
        assert validates == units(split.part(Fold(1, number % 5 + 1)).test)


def test_protected_and_excluded_columns_are_no_features() -> None:
    columns = divided().test.snapshots.columns
    assert columns is not None
    assert list(columns) == ["pages", "month"]
    less = divided(exclude_columns=["pages"]).test.snapshots.columns
    assert less is not None
    assert list(less) == ["month"]


def test_an_excluded_column_that_is_not_there_is_named() -> None:
    with pytest.raises(BriefError, match="no column 'page'") as caught:
        divided(exclude_columns=["page"])
    assert "pages" in caught.value.remedy
    with pytest.raises(DataError, match="No column"):
        divided(exclude_columns=["pages", "month"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"split": Split()}, "no clock"),
        ({"split": Split(kind="folds", by="query")}, "no clock"),
        ({"kind": "amount"}, "yes or no"),
        ({"folds": 2}, "leave none to train"),
    ],
)
def test_what_folds_of_examples_cannot_be_is_said(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BriefError, match=says):
        divided(**changes)


def test_a_label_too_rare_for_the_folds_is_an_error() -> None:
    frame = examples()
    frame["label"] = (np.arange(60) < 4).astype(float)
    with pytest.raises(DataError, match="Only 4 of 60 examples have the label 1"):
        split_examples(frame, target(), set())
