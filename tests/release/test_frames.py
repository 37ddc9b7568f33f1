from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercer.errors import DataError
from mercer.release import FrameRelease, Overlay, Release, load_frames
from release.small_shop import CUT, Shop, requests_at, snapshots_at


@pytest.fixture
def frames(candidate: Release) -> FrameRelease:
    return load_frames(candidate.folder)


def test_frames_answer_as_the_release_does(shop: Shop, frames: FrameRelease, candidate: Release) -> None:
    users = list(shop.log.users.ids)
    table = frames.recommend(shop.events, users, k=5, at=CUT, target="next-item")
    expected = candidate.recommend("next-item", requests_at(shop.log, np.arange(len(users))), 5)
    assert list(table.columns) == ["user", "position", "item", "title", "score"]
    assert table["item"].tolist() == shop.vocabulary.decode(expected.items[expected.items >= 0])
    assert table["score"].to_numpy().tolist() == expected.scores[expected.items >= 0].tolist()


def test_times_may_be_datetimes_with_or_without_zone(shop: Shop, frames: FrameRelease) -> None:
    numbers = frames.recommend(shop.events, ["customer-001"], target="next-item", at=CUT)
    naive = shop.events.assign(time=pd.to_datetime(shop.events["time"], unit="us")).drop(columns="known_at")
    zoned = naive.assign(time=naive["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris"))
    for events in (naive, zoned):
        at = pd.Timestamp(CUT, unit="us", tz="UTC")
        assert frames.recommend(events, ["customer-001"], target="next-item", at=at).equals(numbers)


def test_what_was_known_later_is_not_used(shop: Shop, frames: FrameRelease) -> None:
    known = shop.events[shop.events["user"] == "customer-001"]
    early = int(known["time"].min())
    later = frames.recommend(known, at=early, target="next-item")
    first = frames.recommend(known[known["time"] <= early], at=early, target="next-item")
    assert later.equals(first)


def test_a_user_without_events_is_answered_as_a_stranger(shop: Shop, frames: FrameRelease) -> None:
    table = frames.recommend(shop.events, ["nobody", "nobody-else"], k=3, at=CUT, target="again")
    assert table.groupby("user")["item"].apply(list).map(tuple).nunique() == 1


def test_the_context_opens_what_is_age_limited(shop: Shop, frames: FrameRelease) -> None:
    context = pd.DataFrame({"user": ["customer-001"], "age": [30.0]})
    adult = frames.recommend(shop.events, ["customer-001"], k=60, at=CUT, target="again", context=context)
    child = frames.recommend(shop.events, ["customer-001"], k=60, at=CUT, target="again")
    assert set(adult["item"]) - set(child["item"]) == {"i-03"}


def test_the_overlay_is_laid_over_titles_and_items(shop: Shop, candidate: Release) -> None:
    frames = FrameRelease(candidate, Overlay(version=1, withdrawn=frozenset({"i-00"}), title={"i-01": "New"}))
    table = frames.recommend(shop.events, ["customer-001"], k=60, at=CUT, target="again")
    assert "i-00" not in set(table["item"])
    assert table.loc[table["item"] == "i-01", "title"].tolist() == ["New"]


def test_a_missing_column_is_named(shop: Shop, frames: FrameRelease) -> None:
    with pytest.raises(DataError, match="no column 'user'"):
        frames.recommend(shop.events.rename(columns={"user": "users"}), target="again")


def test_histories_of_another_shop_are_refused(shop: Shop, frames: FrameRelease) -> None:
    with pytest.raises(DataError, match="None of the items"):
        frames.recommend(shop.events.assign(item="x"), target="again")


def test_a_value_that_is_no_time_is_refused(shop: Shop, frames: FrameRelease) -> None:
    with pytest.raises(DataError, match="'time' holds what is no time"):
        frames.recommend(shop.events.assign(time="yesterday-ish"), at=CUT, target="again")


def test_predictions_in_frames_are_the_releases(shop: Shop, frames: FrameRelease, candidate: Release) -> None:
    users = list(shop.log.users.ids)
    table = frames.predict(shop.events, CUT, entities=users, target="repurchase", reasons=2)
    made = candidate.predict("repurchase", snapshots_at(shop.log, np.arange(len(users)), CUT))
    assert list(table.columns) == ["entity", "value", "low", "high", "reasons"]
    assert np.array_equal(table["value"], made.value)
    assert table["reasons"].map(len).tolist() == [2] * len(users)


def test_a_search_in_frames_hides_what_is_age_limited(frames: FrameRelease) -> None:
    table = frames.search(["chair no. 3", "oak"], k=60, at=CUT)
    assert list(table.columns) == ["query", "position", "item", "title", "score"]
    assert set(table["query"]) == {"chair no. 3", "oak"}
    assert "i-03" not in set(table["item"])
    assert "i-03" in set(frames.search(["chair no. 3"], k=60, at=CUT, age=18)["item"])
