from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.data import FolderStore
from mercer.errors import DamagedError
from mercer.recommend import MostPopular, UserKnn
from mercer.testing.handmade import dataset, log, requests, scores

PLAIN = {
    "decay": 1.0, "neighbour_decay": 1.0, "item_exponent": 0.0, "user_exponent": 0.0, "shrinkage": 0.0,
    "amplify": 1.0, "popularity_exponent": 0.0,
}  # fmt: skip
EVENTS = log([(0, 1), (1, 2), (2, 3)], [(0, 1), (3, 2)], [(4, 1), (3, 2)], [(0, 1), (0, 2)], n_items=6)


def fitted(events=EVENTS, **options: float) -> UserKnn:
    return UserKnn(UserKnn.Options(**{**PLAIN, **options})).fit(dataset(events))  # type: ignore[arg-type]


def row(history: list[tuple[int, int]], ranker: UserKnn, n_items: int = 6) -> np.ndarray:
    return scores(ranker, requests(log(history, n_items=n_items)))[0]


def test_people_who_share_items_are_heard() -> None:
    # Persons 0, 1 and 3 share one item with the history; the last bought it twice.
    known = row([(0, 1)], fitted())
    assert known[:4] == pytest.approx([4, 1, 1, 1])
    assert 0 < known[4] < 0.5, "what only person 2 bought is left to popularity"


def test_only_the_nearest_are_heard() -> None:
    # Person 0 shares two items, person 1 one.
    known = row([(0, 1), (1, 1)], fitted(neighbours=1))
    assert known[[0, 1, 2]] == pytest.approx([2, 2, 2])
    assert known[3] < 1


def test_recency_counts_on_both_sides() -> None:
    # The history's older item counts half; of person 0's items, item 2 is the latest and item 0 two steps old.
    known = row([(0, 1), (5, 2)], fitted(decay=0.5, neighbour_decay=0.5, neighbours=1, shrinkage=0.0))
    assert known[2] == pytest.approx(0.5)
    assert known[1] == pytest.approx(0.5 * 0.5)
    assert known[0] == pytest.approx(0.5 * 0.25)


def test_those_who_have_everything_are_marked_down_and_rare_items_tell_more() -> None:
    known = row([(0, 1)], fitted(user_exponent=1.0, shrinkage=1.0))
    assert known[1] == pytest.approx(1 / (3 + 1))
    assert known[3] == pytest.approx(1 / (2 + 1))
    assert row([(0, 1)], fitted(item_exponent=1.0))[1] == pytest.approx(1 / 3)  # three people have item 0


def test_the_nearest_can_be_amplified_and_common_answers_marked_down() -> None:
    assert row([(0, 1), (1, 1)], fitted(amplify=2.0))[2] == pytest.approx(4)
    assert row([(4, 1)], fitted(popularity_exponent=0.5))[3] == pytest.approx(1 / 2**0.5)


@given(st.integers(0, 2**31), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_scores_equal_those_of_brute_force(seed: int, neighbours: int) -> None:
    rng = np.random.default_rng(seed)
    n_items = 7

    def person() -> list[tuple[int, int]]:
        return [(int(item), day) for day, item in enumerate(rng.integers(0, n_items, rng.integers(1, 6)))]

    people, asked = [person() for _ in range(6)], person()
    o = {
        "decay": 0.7, "neighbour_decay": 0.8, "item_exponent": 0.4, "user_exponent": 0.6, "shrinkage": 2.0,
        "amplify": 1.3, "popularity_exponent": 0.3,
    }  # fmt: skip
    n_of = [sum(item in {i for i, _ in p} for p in people) for item in range(n_items)]
    similar = []
    for p in people:
        has = {item for item, _ in p}
        total = sum(0.7 ** (len(asked) - 1 - d) * n_of[i] ** -0.4 for i, d in asked if i in has)
        similar.append(total / (len(has) + 2.0) ** 0.6)
    expected = np.zeros(n_items)
    for v in sorted(range(6), key=lambda v: -np.float32(similar[v]))[:neighbours]:
        for item, day in people[v]:
            age = len(people[v]) - 1 - day
            expected[item] += similar[v] ** 1.3 * 0.8**age * n_of[item] ** -0.3
    distinct = {round(s, 5) for s in similar if s}
    if len(distinct) < sum(s > 0 for s in similar):
        return  # equally near people: which are heard is a matter of order
    ranker = fitted(log(*people, n_items=n_items), neighbours=neighbours, **o)
    known = row(asked, ranker, n_items)
    assert known[expected > 0] == pytest.approx(expected[expected > 0], rel=1e-4)
    if (expected > 0).any():
        assert (known[expected == 0] < expected[expected > 0].min()).all()


def test_a_newcomer_gets_what_is_popular() -> None:
    asked = requests(log([], n_items=6))
    popular = MostPopular().fit(dataset(EVENTS))
    assert np.array_equal(fitted().rank(asked, 6).items, popular.rank(asked, 6).items)


def test_the_person_who_asks_is_known_by_history_alone() -> None:
    events = log([(0, 1), (1, 2)], n_items=6)
    one, other = requests(events), requests(events, users=("somebody-else",))
    assert np.array_equal(scores(fitted(), one), scores(fitted(), other))


def test_a_person_is_found_and_erased_in_what_was_saved(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "next-item" / "user-knn"
    folder.mkdir(parents=True)
    fitted().save(folder)
    store = FolderStore(tmp_path, "run")
    assert store.find("u1") == ["models/next-item/user-knn/people.parquet: 2 rows"]
    assert store.erase("u1") == 2
    assert FolderStore(tmp_path, "run").find("u1") == []
    left = log([(0, 1), (1, 2), (2, 3)], [(4, 1), (3, 2)], [(0, 1), (0, 2)], n_items=6)
    without, never = UserKnn.load(folder), fitted(left)
    for history in ([(0, 1)], [(3, 1), (4, 2)], []):
        assert np.array_equal(row(history, without), row(history, never)), "something of the person is left"


def test_everybody_can_be_erased(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    for user in ("u0", "u1", "u2", "u3"):
        assert FolderStore(tmp_path, "run").erase(user) == 2 + (user == "u0")
    assert row([(0, 1)], UserKnn.load(tmp_path)).tolist() == [0] * 6


def test_a_damaged_file_of_people_is_refused(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    table = pq.read_table(tmp_path / "people.parquet")
    outside = pa.array(np.full(table.num_rows, 6, np.int32))
    for broken in (table.drop_columns(["age"]), table.set_column(1, "item", outside)):
        pq.write_table(broken, tmp_path / "people.parquet")
        with pytest.raises(DamagedError, match="whole user-knn"):
            UserKnn.load(tmp_path)
    (tmp_path / "people.parquet").write_bytes(b"no parquet")
    with pytest.raises(DamagedError, match="whole user-knn"):
        UserKnn.load(tmp_path)
