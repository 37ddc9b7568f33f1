"""Planted groups are found, a cloud is not divided, nothing later is read and nobody is named."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import Interactions, Vocabulary
from mercer.data.segments import find_segments
from mercer.data.segments.stability import choose, group
from mercer.testing.small_shop import DAY_US, log_of


def _log(rows: list[tuple[int, int, int]], n_users: int, n_items: int) -> Interactions:
    """Purchases (user, item, day) worth a pound each."""
    ordered = sorted(rows, key=lambda row: (row[0], row[2]))
    codes = np.array([(u, i, d * DAY_US, 0, -1) for u, i, d in ordered], np.int64)
    users = Vocabulary([f"person-{n:04d}" for n in range(n_users)])
    return log_of(codes, users, Vocabulary([f"i{n:03d}" for n in range(n_items)]), kinds=("purchase",))


def _two_kinds(seed: int = 0) -> Interactions:
    """200 who buy every week until the end from items 0 to 29, and 200 who bought twice long ago from 30 to 59."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(200):
        rows += [
            (user, int(item), int(day))
            for item, day in zip(rng.integers(0, 30, 20), range(60, 200, 7), strict=True)
        ]
    for user in range(200, 400):
        rows += [(user, int(item), int(rng.integers(0, 2) * 20)) for item in rng.integers(30, 60, 8)]
    return _log(rows, 400, 60)


def test_planted_groups_are_found_in_both_views() -> None:
    log = _two_kinds()
    items = pd.DataFrame(
        {"item": log.items.ids, "title": [f"Mug {n}" if n < 30 else f"Lamp {n}" for n in range(60)]}
    )
    found = find_segments(log, items, 201 * DAY_US)
    habit, taste = found.views
    assert [one.customers for one in habit.segments] == [200, 200]
    assert {"bought lately" in one.name for one in habit.segments} == {True, False}
    assert len(taste.segments) >= 2
    kinds = {tuple(title.split()[0] for title in one.typical[:1]) for one in taste.segments}
    assert kinds == {("Mug",), ("Lamp",)}
    assert "person-" not in json.dumps(found.to_dict())


def test_a_cloud_is_not_divided() -> None:
    points = np.random.default_rng(1).normal(size=(1500, 3))
    choice = choose(points)
    assert choice.groups == 1
    assert (group(points, 1) == 0).all()


@pytest.mark.parametrize("k", [2, 4])
def test_the_number_of_planted_groups_is_found(k: int) -> None:
    rng = np.random.default_rng(2)
    centres = np.array([[0, 0], [6, 6], [0, 6], [6, 0]])[:k]
    points = np.concatenate([centre + rng.normal(scale=0.5, size=(200, 2)) for centre in centres])
    assert choose(points).groups == k


def test_nothing_after_the_cut_is_read() -> None:
    log = _two_kinds()
    later = log.where(log.time < 150 * DAY_US)
    items = pd.DataFrame({"item": log.items.ids, "title": ["Thing"] * 60})
    cut = 150 * DAY_US - 1
    assert find_segments(log, items, cut) == find_segments(later, items, cut)


def test_few_customers_are_left_alone() -> None:
    log = _log([(user, user % 5, 3) for user in range(50)], 50, 5)
    items = pd.DataFrame({"item": log.items.ids, "title": ["Thing"] * 5})
    assert find_segments(log, items, 10 * DAY_US).views == ()


def test_customers_alike_in_all_but_one_measure_or_in_all_are_no_trouble() -> None:
    rng = np.random.default_rng(4)
    one = np.concatenate([rng.normal(0, 1, (150, 1)), rng.normal(20, 1, (150, 1))])
    assert choose(one).groups == 2
    assert choose(np.zeros((300, 0))).groups == 1


def test_a_log_of_customers_who_all_bought_once_is_not_divided() -> None:
    log = _log([(user, user % 5, 3) for user in range(200)], 200, 5)
    items = pd.DataFrame({"item": log.items.ids, "title": ["Thing"] * 5})
    [view] = find_segments(log, items, 10 * DAY_US).views
    assert view.segments == ()
    assert "No division" in view.sentence
