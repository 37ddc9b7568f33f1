"""What holds for every feature: cuts, missing values, batches, declarations."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.written import DAY, KINDS, event, snapshots
from mercer.contracts import NEVER, Interactions, Snapshots, Vocabulary
from mercer.errors import DataError
from mercer.features import FEATURES, compute

EVENTS = st.builds(
    event,
    st.floats(0, 120),
    st.sampled_from(KINDS),
    item=st.integers(-1, 9),
    amount=st.integers(-10_000, 10_000),
    basket=st.integers(-1, 3),
    session=st.integers(-1, 3),
    known=st.floats(0, 130),
    origin=st.floats(0, 120),
    quantity=st.floats(0, 100, width=32),
)
HISTORIES = st.lists(st.lists(EVENTS, max_size=12), min_size=1, max_size=5)


def in_order(histories):
    return [sorted(history, key=lambda row: row["day"]) for history in histories]


@settings(max_examples=60, deadline=None)
@given(HISTORIES)
def test_what_is_known_after_the_cut_is_never_read(histories):
    whole = snapshots(*in_order(histories))
    cut = replace(whole, history=whole.history.as_of(whole.as_of))
    pd.testing.assert_frame_equal(compute(whole), compute(cut), check_exact=True)


@settings(max_examples=40, deadline=None)
@given(HISTORIES)
def test_a_row_does_not_depend_on_its_batch(histories):
    together = snapshots(*in_order(histories))
    frame = compute(together)
    for row in range(len(together)):
        alone = compute(together.take(np.array([row])))
        pd.testing.assert_frame_equal(alone, frame.iloc[[row]].reset_index(drop=True), check_exact=True)


@settings(max_examples=40, deadline=None)
@given(HISTORIES)
def test_no_feature_is_infinite_and_counts_are_never_missing(histories):
    frame = compute(snapshots(*in_order(histories)))
    assert not np.isinf(frame.to_numpy()).any()
    counted = [f.name for f in FEATURES if f.missing.startswith("0")]
    assert len(counted) > 20
    assert not frame[counted].isna().any().any()


@settings(max_examples=40, deadline=None)
@given(HISTORIES)
def test_events_in_any_order_of_arrival_give_the_same(histories):
    ordered = [[row | {"day": row["day"] + at / 7} for at, row in enumerate(h)] for h in in_order(histories)]
    backwards = [history[::-1] for history in ordered]
    left, right = compute(snapshots(*ordered)), compute(snapshots(*backwards))
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_the_frame_holds_exactly_the_declared_features_in_order():
    frame = compute(snapshots([event(1)]))
    assert list(frame.columns) == [feature.name for feature in FEATURES]
    assert set(frame.dtypes) == {np.dtype(np.float64)}
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)


def test_every_feature_has_a_meaning_and_a_unit_in_plain_words():
    assert FEATURES
    for feature in FEATURES:
        assert len(feature.meaning) > 10
        assert "_" not in feature.meaning
        assert feature.unit
        assert feature.missing


def test_an_entity_without_history_has_the_declared_missing_values():
    row = compute(snapshots([])).iloc[0]
    for feature in FEATURES:
        if feature.missing.startswith("0"):
            assert row[feature.name] == 0, feature.name
        else:
            assert np.isnan(row[feature.name]), feature.name


def test_no_snapshot_gives_no_row():
    frame = compute(snapshots())
    assert frame.shape == (0, len(FEATURES))


def test_a_snapshot_without_a_time_knows_nothing():
    timeless = replace(snapshots([event(1, amount=5)]), as_of=np.array([NEVER]))
    assert compute(timeless).net_spend[0] == 0


def test_a_log_without_a_clock_has_no_days():
    row = compute(snapshots([event(0, basket=1), event(1, "view")], has_clock=False)).iloc[0]
    assert row.orders == 1
    assert row.views_since_purchase == 1
    for feature in FEATURES:
        assert np.isnan(row[feature.name]) or not feature.clock, feature.name


def test_cuts_and_histories_must_be_as_many():
    wrong = replace(snapshots([event(1)]), as_of=np.zeros(2, np.int64))
    with pytest.raises(DataError, match="2 cuts were given for 1 histories"):
        compute(wrong)


def test_inputs_are_left_as_they_were():
    given_ = snapshots([event(1, amount=5, quantity=np.inf), event(2, "return", amount=-5, origin=1)])
    before = {name: getattr(given_.history, name).copy() for name in ("time", "quantity", "origin_time")}
    compute(given_)
    for name, array in before.items():
        assert np.array_equal(array, getattr(given_.history, name)), name


def test_features_grow_with_events_and_not_with_rows_times_events():
    """25,000 snapshots of 20 events take under 20 times what 2,500 take, and seconds at most."""
    seconds = []
    for rows in (2_500, 25_000):
        batch = _busy(rows, 20)
        start = time.perf_counter()
        compute(batch)
        seconds.append(time.perf_counter() - start)
    assert seconds[1] < 5
    assert seconds[1] < 30 * seconds[0]


def _busy(rows: int, events: int) -> Snapshots:
    rng = np.random.default_rng(1)
    n = rows * events
    when = np.sort(rng.integers(0, 400 * DAY, (rows, events)), axis=1).ravel()
    history = Interactions(
        users=Vocabulary(map(str, range(rows))),
        items=Vocabulary(map(str, range(500))),
        kinds=KINDS,
        indptr=np.arange(rows + 1, dtype=np.int64) * events,
        item=rng.integers(0, 500, n).astype(np.int32),
        time=when,
        known_at=when,
        kind=rng.integers(0, len(KINDS), n).astype(np.int8),
        quantity=np.ones(n, np.float32),
        amount_minor=rng.integers(1, 1000, n),
        basket=rng.integers(0, n, n),
        session=rng.integers(0, n, n),
        origin_time=when,
    )
    return Snapshots(entities=history.users.ids, as_of=np.full(rows, 400 * DAY), history=history)
