"""Columns of flat examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.written import snapshots
from mercer.errors import DataError
from mercer.features import FEATURES, compute


def flat(**columns):
    frame = pd.DataFrame(columns)
    return replace(snapshots(*([] for _ in range(len(frame)))), columns=frame)


def test_numbers_flags_and_categories_follow_the_declared_features():
    frame = compute(flat(age=[30, 40], member=[True, False], channel=["web", None]))
    assert list(frame.columns[len(FEATURES) :]) == ["age", "member", "channel"]
    assert frame.age.tolist() == [30.0, 40.0]
    assert frame.member.tolist() == [1.0, 0.0]
    assert frame.channel.tolist() == ["web", None]


def test_infinite_numbers_and_nullable_holes_are_missing():
    frame = compute(flat(a=[1.0, np.inf], b=pd.array([None, 2], "Int64"), c=pd.Categorical(["x", None])))
    assert np.isnan(frame.a[1])
    assert np.isnan(frame.b[0])
    assert frame.c.tolist() == ["x", None]


def test_an_index_of_its_own_does_not_shift_rows():
    examples = flat(age=[30, 40])
    examples.columns.index = pd.Index([7, 9])
    assert compute(examples).age.tolist() == [30.0, 40.0]


@pytest.mark.parametrize("name", ["orders", "age"])
def test_a_name_that_is_taken_is_refused(name):
    examples = flat(age=[1], other=[2])
    examples = replace(examples, columns=examples.columns.rename(columns={"other": name}))
    with pytest.raises(DataError, match=name):
        compute(examples)


def test_a_column_of_times_is_refused():
    with pytest.raises(DataError, match="'born' holds times"):
        compute(flat(born=[pd.Timestamp("1990-01-01")]))
