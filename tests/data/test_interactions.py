"""From the event log to compressed rows, and the catalogue's frame: order, codes, groups, origins and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.written import BRIEF, Row, event, moment, tables
from mercer.contracts import ITEM_COLUMNS, NEVER, Interactions, Vocabulary, same_interactions
from mercer.data.interactions import KINDS, build_interactions, catalogue, item_frame, micros
from mercer.data.tables import Tables
from mercer.errors import DataError


def built(folder: Path, *events: Row, mask: list[bool] | None = None, **more: list[Row]) -> Interactions:
    loaded = tables(folder, events=list(events), **more)
    return build_interactions(loaded, BRIEF, mask=None if mask is None else np.array(mask))


def us(day: float) -> int:
    return int(micros(pd.Series([moment(day)]))[0])


def names(log: Interactions, user: str) -> list[str]:
    """A user's items in order."""
    return [log.items.ids[code] for code in log.item_rows[log.users.ids.index(user)]]


def test_a_row_is_a_user_and_its_events_go_by_time(tmp_path: Path) -> None:
    log = built(
        tmp_path,
        event("e1", "bob", "tea", 3),
        event("e2", "ann", "mug", 2, quantity=3.0, amount_minor=1_200),
        event("e3", "bob", "cup", 1),
    )
    assert log.users.ids == ("ann", "bob")
    assert log.items.ids == ("cup", "mug", "tea")
    assert log.indptr.tolist() == [0, 1, 3]
    assert names(log, "bob") == ["cup", "tea"]
    assert log.time.tolist() == [us(2), us(1), us(3)]
    assert log.quantity.tolist() == [3, 1, 1]
    assert log.amount_minor.tolist() == [1_200, 0, 0]
    assert log.has_clock


def test_of_events_at_the_same_time_the_id_decides(tmp_path: Path) -> None:
    events = [event("e3", "ann", "tea", 1), event("e1", "ann", "mug", 1), event("e2", "ann", "cup", 1)]
    assert names(built(tmp_path, *events), "ann") == ["mug", "cup", "tea"]
    assert same_interactions(built(tmp_path, *events), built(tmp_path, *events[::-1]))


def test_codes_do_not_depend_on_the_mask(tmp_path: Path) -> None:
    events = [event("e1", "ann", "tea", 1), event("e2", "bob", "mug", 2), event("e3", "cas", "cup", 3)]
    catalogue_ = [{"item": "zinc-bucket", "title": "Bucket"}]
    whole = built(tmp_path, *events, items=catalogue_)
    part = built(tmp_path, *events, items=catalogue_, mask=[False, True, False])
    assert part.users.ids == whole.users.ids == ("ann", "bob", "cas")
    assert part.items.ids == whole.items.ids == ("cup", "mug", "tea", "zinc-bucket")
    assert part.lengths.tolist() == [0, 1, 0]
    assert names(part, "bob") == ["mug"]


def test_a_mask_without_any_event_keeps_the_users(tmp_path: Path) -> None:
    log = built(tmp_path, event("e1", "ann", "tea", 1), mask=[False])
    assert (log.n_users, log.n_events) == (1, 0)
    assert log.lengths.tolist() == [0]


def test_a_return_carries_the_time_of_the_purchase_that_it_undoes(tmp_path: Path) -> None:
    log = built(
        tmp_path,
        event("e1", "ann", "tea", 1),
        event("e2", "ann", "tea", 4, kind="return", origin="e1", amount_minor=-500),
        event("e3", "ann", "mug", 5, kind="return"),
        event("e4", "ann", "mug", 6, kind="return", origin="not-in-the-log"),
    )
    assert log.origin_time.tolist() == [us(1), us(1), NEVER, NEVER]
    assert log.amount_minor.tolist() == [0, -500, 0, 0]


def test_a_return_keeps_its_origin_when_the_mask_hides_the_purchase(tmp_path: Path) -> None:
    events = [event("e1", "ann", "tea", 1), event("e2", "ann", "tea", 4, kind="return", origin="e1")]
    assert built(tmp_path, *events, mask=[False, True]).origin_time.tolist() == [us(1)]


def test_the_usual_kinds_come_first_and_others_follow_by_name(tmp_path: Path) -> None:
    log = built(
        tmp_path,
        event("e1", "ann", "tea", 1, kind="wish"),
        event("e2", "ann", "tea", 2, kind="purchase"),
        event("e3", "ann", "tea", 3, kind="gift"),
    )
    assert log.kinds == (*KINDS, "gift", "wish")
    assert [log.kinds[code] for code in log.kind] == ["wish", "purchase", "gift"]


def test_baskets_and_sessions_are_numbered_across_users_and_missing_ones_are_minus_one(
    tmp_path: Path,
) -> None:
    log = built(
        tmp_path,
        event("e1", "ann", "tea", 1, basket="b9", session="s1"),
        event("e2", "ann", "mug", 2, basket="b2"),
        event("e3", "bob", "tea", 3, basket="b9"),
        event("e4", "bob", "mug", 4),
    )
    assert log.basket.tolist() == [1, 0, 1, -1]
    assert log.session.tolist() == [0, -1, -1, -1]


def test_nothing_is_known_before_it_happened(tmp_path: Path) -> None:
    log = built(
        tmp_path,
        event("e1", "ann", "tea", 3, known_at=moment(1)),
        event("e2", "ann", "tea", 4, known_at=moment(9)),
    )
    assert log.known_at.tolist() == [us(3), us(9)]


def test_country_and_channel_are_carried_along_in_the_order_of_the_events(tmp_path: Path) -> None:
    log = built(
        tmp_path, event("e1", "bob", "tea", 2), event("e2", "ann", "tea", 1, country="DE"),
    )  # fmt: skip
    assert {name: column.tolist() for name, column in log.extras.items()} == {"country": ["DE", ""]}


def test_the_catalogue_holds_what_either_table_names(tmp_path: Path) -> None:
    loaded = tables(tmp_path, events=[event("e1", "ann", "tea", 1)], items=[{"item": "mug", "title": "Mug"}])
    assert catalogue(loaded).ids == ("mug", "tea")


def test_without_events_or_without_items_it_is_an_error(tmp_path: Path) -> None:
    only = tables(tmp_path / "a", items=[{"item": "tea", "title": "Tea"}])
    with pytest.raises(DataError, match="no event log"):
        build_interactions(only, BRIEF)
    with pytest.raises(DataError, match="no item"):
        catalogue(tables(tmp_path / "b", users=[{"user": "ann"}]))


rows = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cas"]), st.sampled_from(["tea", "mug"]), st.integers(0, 4)),
    min_size=1,
    max_size=20,
)


@given(rows, st.data())
def test_a_mask_leaves_the_events_that_it_names(
    drawn: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn))))
    frame = pd.DataFrame(
        dict.fromkeys(("quantity", "amount_minor", "basket", "session", "origin")),
        index=range(len(drawn)),
    ).assign(**pd.DataFrame([event(f"e{n:02}", *row) for n, row in enumerate(drawn)]))
    loaded = Tables(Path(), ("events",), {"events": frame})
    whole = build_interactions(loaded, BRIEF)
    part = build_interactions(loaded, BRIEF, mask=keep)
    order = frame.sort_values(["user", "time", "event"]).index
    again = whole.where(keep[order])
    assert same_interactions(part, again)


def frame_of(folder: Path, *items: Row, ids: tuple[str, ...] = ("mug", "tea")) -> pd.DataFrame:
    loaded = tables(folder, items=list(items)) if items else tables(folder, users=[{"user": "ann"}])
    return item_frame(loaded, Vocabulary(ids))


def test_row_i_of_the_item_frame_is_item_code_i(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, {"item": "tea", "title": "Tea"}, {"item": "mug", "title": "Mug"})
    assert frame["item"].tolist() == ["mug", "tea"]
    assert frame["title"].tolist() == ["Mug", "Tea"]


@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_known_of_an_item_has_the_same_form_with_and_without_a_table(
    tmp_path: Path, known: bool
) -> None:
    tea: dict[str, Any] = {"item": "tea", "title": "Tea", "price_minor": 900, "min_age": 18}
    frame = frame_of(tmp_path, *[tea] * known)
    assert tuple(frame.columns) == (*ITEM_COLUMNS, "attributes")
    mug = frame.iloc[0]
    assert [mug[c] for c in ("title", "text", "category", "brand", "currency", "attributes")] == [""] * 6
    assert (mug["price_minor"], mug["min_age"]) == (-1, 0)
    assert pd.isna(mug["available_from"])
    assert pd.isna(mug["available_until"])
    assert frame["price_minor"].dtype == frame["min_age"].dtype == np.int64
    assert frame["available_from"].dtype == frame["available_until"].dtype == "datetime64[us]"
    assert frame["price_minor"].tolist() == [-1, 900 if known else -1]


def test_further_columns_of_an_item_follow_as_text(tmp_path: Path) -> None:
    frame = frame_of(
        tmp_path, {"item": "tea", "title": "Tea", "colour": "green", "available_from": moment(2)}
    )
    assert frame.columns[-1] == "colour"
    assert frame["colour"].tolist() == ["", "green"]
    assert frame["available_from"].iloc[1] == pd.Timestamp("2026-01-03")
