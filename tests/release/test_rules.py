from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import Context, Ragged, Vocabulary
from mercer.errors import UnsupportedError
from mercer.release import NO_OVERLAY, Catalogue, Overlay
from mercer.release.rules import apply
from release.small_shop import CUT, DAY, START, Shop, items_frame, requests_at

ROWS = np.arange(4)


def context(**given: object) -> Context:
    return replace(Context.unknown(4), **given)  # type: ignore[arg-type]


def eligible(shop: Shop, overlay: Overlay = NO_OVERLAY, time: int = CUT, **changes: object) -> np.ndarray:
    catalogue = Catalogue.of(shop.items, shop.vocabulary, overlay)
    return apply(requests_at(shop.log, ROWS, time, **changes), catalogue, repeats=True).eligible()


def test_an_age_limited_item_needs_a_known_sufficient_age(shop: Shop) -> None:
    seen = eligible(shop, context=context(age=np.array([-1, 17, 18, 40], np.int16)))
    assert seen[:, 3].tolist() == [False, False, True, True]


def test_availability_is_judged_at_the_time_of_the_request(shop: Shop) -> None:
    assert eligible(shop, time=START + 100 * DAY)[0, [4, 5]].tolist() == [True, False]
    assert eligible(shop, time=START + 100 * DAY + 1)[0, [4, 5]].tolist() == [False, False]
    assert eligible(shop, time=START + 300 * DAY)[0, [4, 5]].tolist() == [False, True]


def test_times_of_the_catalogue_may_be_datetimes() -> None:
    items = items_frame()
    as_times = items.assign(
        available_until=pd.to_datetime(items["available_until"].replace(0, None), unit="us"),
        available_from=pd.to_datetime(items["available_from"].replace(0, None), unit="us"),
    )
    vocabulary = Vocabulary(items["item"])
    numbers, times = Catalogue.of(items, vocabulary), Catalogue.of(as_times, vocabulary)
    assert np.array_equal(numbers.available_from, times.available_from)
    assert np.array_equal(numbers.available_until, times.available_until)


def test_the_overlay_wins_over_the_catalogue(shop: Shop) -> None:
    overlay = Overlay(
        version=1,
        withdrawn=frozenset({"i-10", "unheard-of"}),
        min_age={"i-03": 0, "i-11": 16},
        availability={"i-04": (None, None), "i-05": (None, None), "i-12": (CUT + 1, None)},
    )
    seen = eligible(shop, overlay)
    assert seen[0, [3, 4, 5, 10, 11, 12]].tolist() == [True, True, True, False, False, False]


def test_no_allow_and_no_pin_brings_back_what_a_rule_denies(shop: Shop, candidate) -> None:
    wanted = Ragged.from_rows([[3, 4, 7]] * 4)
    asked = requests_at(shop.log, ROWS, allow=wanted, pin=wanted)
    rankings = candidate.recommend("again", asked, 5)
    assert rankings.items[0].tolist() == [7, -1, -1, -1, -1]


def test_the_callers_deny_is_kept(shop: Shop, candidate) -> None:
    first = candidate.recommend("again", requests_at(shop.log, ROWS), 1).items
    second = candidate.recommend("again", requests_at(shop.log, ROWS, deny=Ragged.from_rows(first)), 1).items
    assert not np.any(first == second)


@pytest.mark.parametrize("signal", ["opt_out", "objected", "not_profiled"])
def test_an_unprofiled_answer_equals_a_strangers(shop: Shop, candidate, signal: str) -> None:
    flagged = context(**{signal: np.array([True, False, True, False])})
    answers = candidate.recommend("next-item", requests_at(shop.log, ROWS, context=flagged), 10)
    plain = candidate.recommend("next-item", requests_at(shop.log, ROWS), 10)
    blank = requests_at(shop.log, ROWS)
    stranger = candidate.recommend(
        "next-item", replace(blank, history=blank.history.blank(np.ones(4, bool))), 10
    )
    assert np.array_equal(answers.items[[0, 2]], stranger.items[[0, 2]])
    assert np.array_equal(answers.items[[1, 3]], plain.items[[1, 3]])
    assert not np.array_equal(plain.items, stranger.items)


def test_no_model_sees_the_history_or_id_of_who_objected(shop: Shop) -> None:
    flagged = context(objected=np.array([True, False, False, False]))
    seen = apply(
        requests_at(shop.log, ROWS, context=flagged), Catalogue.of(shop.items, shop.vocabulary), repeats=True
    )
    assert seen.users[0] is None
    assert seen.users[1] is not None
    assert seen.history.lengths[0] == 0
    assert seen.history.lengths[1] > 0


def test_another_catalogues_requests_are_refused(shop: Shop, candidate) -> None:
    other = replace(shop.log, items=Vocabulary([f"x{n}" for n in range(60)]))
    with pytest.raises(UnsupportedError, match="another catalogue"):
        candidate.recommend("again", requests_at(other, ROWS), 3)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_denied_items_are_exactly_those_a_plain_loop_denies(data: st.DataObject) -> None:
    ages = data.draw(st.lists(st.integers(-1, 30), min_size=1, max_size=4))
    times = data.draw(st.lists(st.integers(0, 400), min_size=len(ages), max_size=len(ages)))
    gone = data.draw(st.frozensets(st.sampled_from([f"i-{n:02d}" for n in range(60)]), max_size=5))
    items = items_frame()
    catalogue = Catalogue.of(items, Vocabulary(items["item"]), Overlay(withdrawn=gone))
    when = START + np.array(times, np.int64) * DAY
    denied = catalogue.denied(when, np.array(ages, np.int16))
    for row, (age, time) in enumerate(zip(ages, when.tolist(), strict=True)):
        for code, item in enumerate(items.itertuples()):
            late = item.available_until and time > item.available_until
            early = item.available_from and time < item.available_from
            young = item.min_age > 0 and age < item.min_age
            assert denied[row, code] == bool(late or early or young or item.item in gone)
