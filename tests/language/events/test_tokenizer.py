from __future__ import annotations

import numpy as np
import pytest

from language.events.small import (
    DAY_US,
    EVERY,
    ITEMS_ALONE,
    N_ITEMS,
    dataset,
    frame,
    ids,
    log,
    tokenizer,
)
from mercer.errors import ConflictError, DataError
from mercer.language.events import EventOptions, EventTokenizer
from mercer.language.events.tokenizer import SPECIAL


def test_ranges_are_disjoint_and_fill_the_vocabulary() -> None:
    for made in (tokenizer(), tokenizer(EVERY)):
        ranges = sorted(made.ranges.values())
        assert ranges[0] == (0, len(SPECIAL))
        assert [start for start, _ in ranges[1:]] == [stop for _, stop in ranges[:-1]]
        assert ranges[-1][1] == made.size


def test_items_alone_are_their_paths() -> None:
    made, shop = tokenizer(), log((2, 0, 1))
    rows = made.rows(shop)
    assert rows.lengths.tolist() == [9, 1, 5]
    start = made.special("start")
    assert rows[0].tolist() == [start, *made.paths[shop.item[0]], *made.paths[shop.item[1]]]
    assert rows[1].tolist() == [start]


def test_levels_have_rows_of_their_own() -> None:
    made = tokenizer()
    codes = made.paths - np.array([start for start, _ in made.item_rows])
    assert np.array_equal(codes, ids().codes)
    assert [stop - start for start, stop in made.item_rows] == list(ids().sizes)


def test_an_event_is_what_is_known_then_its_item_then_the_rest() -> None:
    made = tokenizer(EVERY)
    names = [slot.name for slot in made.event_slots]
    assert names == [
        "kind", "gap", "month", "weekday", "item.0", "item.1", "item.2", "item.3", "amount", "category", "merchant"
    ]  # fmt: skip
    events = made.tokens(log())
    for place, slot in enumerate(made.event_slots):
        assert events[:, place].min() >= slot.start
        assert events[:, place].max() < slot.stop
    assert made.n_event == 11
    assert made.n_before == 4


def test_a_category_of_the_catalogue_follows_the_item() -> None:
    made, shop = tokenizer(EVERY), log()
    column = made.tokens(shop)[:, 9] - made.ranges["category"][0]
    assert np.array_equal(column, made.tables["category"][shop.item])
    assert len(np.unique(column)) <= 5


def test_a_long_history_keeps_its_newest_whole_events() -> None:
    made, shop = tokenizer(), log((14,))
    rows = made.rows(shop)
    assert rows[0].tolist() == [made.special("start"), *made.paths[shop.item[-5:]].ravel()]
    assert made.rows(shop, window=1).lengths.tolist() == [1 + made.n_event]


def test_cutting_changes_no_token_that_is_kept() -> None:
    """The gap of the first kept event still counts from the one that was cut."""
    made, shop = tokenizer(EVERY), log((14,))
    assert np.array_equal(made.rows(shop)[0][1:], made.rows(shop, window=14)[0][-5 * made.n_event :])


def test_unknown_items_are_left_out() -> None:
    made, shop = tokenizer(), log((3,))
    shop.item[1] = -1
    shop.item[2] = N_ITEMS + 3
    assert made.rows(shop)[0].tolist() == [made.special("start"), *made.paths[shop.item[0]]]


def test_what_is_asked_ends_with_what_is_known_of_it() -> None:
    made, shop = tokenizer(EVERY), log((4, 0))
    now = np.array([shop.time[3] + 3 * DAY_US, shop.time[3]])
    asked = made.asked(shop, now, kind="view")
    rows = made.rows(shop)
    assert asked.lengths.tolist() == (rows.lengths + made.n_before).tolist()
    assert asked[0][: -made.n_before].tolist() == rows[0].tolist()
    ranges = made.ranges
    assert asked[0][-4] == ranges["kind"][0] + 1
    assert asked[1][-3] == ranges["gap"][0], "a stranger has no event before"
    assert asked[0][-3] > ranges["gap"][0]


def test_items_alone_ask_with_the_history_alone() -> None:
    made, shop = tokenizer(), log()
    asked = made.asked(shop, np.zeros(shop.n_users, np.int64))
    assert np.array_equal(asked.values, made.rows(shop).values)


def test_the_asked_event_reads_as_it_will_in_the_log() -> None:
    """What is foretold from in serving is what it was learned from in training."""
    made, shop = tokenizer(EVERY), log((5,))
    before = shop.where(np.arange(5) < 4)
    kind = shop.kinds[shop.kind[4]]
    asked = made.asked(before, shop.time[[4]], kind=kind)[0]
    assert asked.tolist() == made.rows(shop)[0][: 1 + 4 * made.n_event + made.n_before].tolist()


def test_new_items_change_no_row_of_the_vocabulary() -> None:
    made = tokenizer(EVERY)
    old = ids()
    assert made.with_ids(old, frame()).fingerprint == made.fingerprint
    with pytest.raises(ConflictError, match="built on"):
        made.with_ids(ids(seed=2), frame())
    with pytest.raises(DataError, match="category"):
        made.with_ids(old)


def test_fingerprints_tell_fields_bins_and_ids_apart() -> None:
    options = [ITEMS_ALONE, EVERY, EVERY.model_copy(update={"buckets": 8}), EventOptions(fields=("gap",))]
    made = [tokenizer(one) for one in options]
    made.append(EventTokenizer.build(dataset(), ids(seed=2), ITEMS_ALONE))
    assert len({one.vocabulary for one in made}) == len(made)
    assert len({one.fingerprint for one in made}) == len(made)
    assert tokenizer().fingerprint == made[0].fingerprint


def test_what_the_data_lack_is_refused() -> None:
    with pytest.raises(DataError, match="clock"):
        EventTokenizer.build(dataset(log(clock=False)), ids(), EventOptions(fields=("gap",)))
    with pytest.raises(DataError, match="colour"):
        EventTokenizer.build(dataset(), ids(), EventOptions(hashed=("colour",)))
    with pytest.raises(DataError, match="31 items"):
        EventTokenizer.build(dataset(), ids(31), ITEMS_ALONE)


def test_a_catalogue_of_one() -> None:
    shop = log((2,))
    shop.item[:] = 0
    made = EventTokenizer.build(dataset(shop), ids(), ITEMS_ALONE)
    assert made.rows(shop).lengths.tolist() == [9]
