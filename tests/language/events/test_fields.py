from __future__ import annotations

import json

import numpy as np
import pytest

from language.events.small import DAY_US, log
from mercer.errors import DamagedError
from mercer.language.events.columns import FIRST, Columns
from mercer.language.events.fields import (
    AmountField,
    CalendarField,
    GapField,
    HashedField,
    KindField,
    bucket,
    described,
    restored,
)

MINUTE = 60_000_000


def columns(n: int, **given: object) -> Columns:
    base = {"kinds": ("purchase",), "kind": np.zeros(n, np.int64), "time": np.zeros(n, np.int64),
            "since": np.full(n, FIRST)}  # fmt: skip
    return Columns(**{**base, **given})


def test_an_unknown_kind_is_zero() -> None:
    field = KindField(("view", "purchase"))
    events = columns(3, kinds=("return", "purchase", "view"), kind=np.array([0, 1, 2]))
    assert field.codes(events).ravel().tolist() == [0, 2, 1]
    assert field.slots == (("kind", 3),)


def test_a_gap_doubles_from_bin_to_bin() -> None:
    since = np.array([FIRST, 0, MINUTE - 1, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE, 10**17])
    assert GapField(5).codes(columns(8, since=since)).ravel().tolist() == [0, 1, 1, 2, 3, 3, 4, 5]


def test_the_epoch_was_a_thursday_in_january() -> None:
    time = np.array([0, 4 * DAY_US, 31 * DAY_US, -DAY_US])
    assert CalendarField().codes(columns(4, time=time)).tolist() == [[0, 3], [0, 0], [1, 6], [11, 2]]


def test_amounts_are_binned_by_their_logarithm_and_sign() -> None:
    field = AmountField((10.0, 100.0))
    codes = field.codes(columns(6, amount=np.array([0, 1, 10, 99, 10**9, -50])))
    assert codes.ravel().tolist() == [0, 1, 2, 2, 3, 5]
    assert field.slots == (("amount", 7),)


def test_amount_bins_are_fitted_and_survive_equal_or_unknown_amounts() -> None:
    field = AmountField.fitted(np.geomspace(1, 10_000, 500).astype(np.int64), 8)
    assert len(field.edges) == 7
    steps = np.diff(np.log(field.edges))
    assert np.allclose(steps, steps[0])
    assert AmountField.fitted(np.full(5, 300), 8).edges == (300.0,)
    assert AmountField.fitted(np.zeros(5, np.int64), 8).edges == ()


def test_hashing_says_how_often_it_collides() -> None:
    values = [f"m{number}" for number in range(40)]
    field = HashedField.fitted("merchant", [*values, None, "", float("nan")], 8, of_items=False)
    assert field.values == 40
    buckets = [bucket(value, 8) for value in values]
    assert field.collisions == sum(buckets.count(one) > 1 for one in buckets) / 40
    assert field.hashed(["m1", None, "", "m1"]).tolist() == [bucket("m1", 8), 0, 0, bucket("m1", 8)]
    assert "40 values in 8 buckets" in field.said()
    assert HashedField.fitted("merchant", [], 8, of_items=False).collisions == 0.0


def test_a_bucket_is_the_same_on_every_machine() -> None:
    assert [bucket(text, 1000) for text in ("", "a", "\ud800")] == [757, 929, 915]


def test_a_log_without_the_column_has_zero() -> None:
    field = HashedField("merchant", 8, of_items=False, values=3, collisions=0.0)
    assert field.codes(columns(2)).tolist() == [[0], [0]]
    codes = field.codes(Columns.of(log()))
    assert codes.min() >= 1
    assert codes.max() <= 8


@pytest.mark.parametrize(
    "field",
    [
        KindField(("view",)),
        GapField(4),
        CalendarField(),
        AmountField((1.5, 3.25)),
        HashedField("category", 8, of_items=True, values=3, collisions=0.25),
    ],
)
def test_a_field_comes_back_from_json(field: object) -> None:
    assert restored(json.loads(json.dumps(described(field)))) == field


def test_a_strange_description_is_refused() -> None:
    for told in ({}, {"field": "colour"}, {"field": "gap", "boxes": 3}):
        with pytest.raises(DamagedError):
            restored(told)


def test_missing_and_mixed_values_are_hashed() -> None:
    field = HashedField("merchant", 8, of_items=False, values=3, collisions=0.0)
    column = np.array(["a", None, 7, float("nan"), "a"], object)
    codes = field.codes(columns(5, extras={"merchant": column})).ravel().tolist()
    assert codes == [bucket("a", 8), 0, bucket("7", 8), 0, bucket("a", 8)]


def test_the_asked_event_knows_the_time_since_the_last() -> None:
    shop = log((2, 0))
    asked = Columns.asked(shop, shop.time[[1, 1]] + np.array([5 * MINUTE, 0]), "purchase")
    assert asked.since.tolist() == [5 * MINUTE, FIRST]
    late = Columns.asked(shop, shop.time[[1, 1]] - 1, "purchase")
    assert late.since.tolist() == [0, FIRST]
