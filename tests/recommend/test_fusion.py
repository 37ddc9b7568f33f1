"""Lists of several rankers as one."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from mercer.contracts import Runtime, plugins, search_space
from mercer.errors import DamagedError
from mercer.recommend import Ease, ItemKnn, MostPopular
from mercer.recommend.fusion import Fusion, grid, ranks, scaled
from mercer.recommend.members import within
from mercer.testing.handmade import dataset, log, requests, scores
from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset
from recommend.two_stage.shops import loyal_shop

SMALL = {"width": 16, "epochs": 2, "negatives": 8, "window": 10, "content": ["brand"], "estimate_steps": 0}


class TestKnnAndSequence(RankerContract):
    ranker = Fusion
    options = MappingProxyType({"members": {"item-knn": {}, "sasrec": SMALL}})
    tolerance = 1e-5


class TestScaledScoresOfThreeWithGivenShares(RankerContract):
    ranker = Fusion
    options = MappingProxyType(
        {
            "members": ["item-knn", "buy-again", "user-knn"],
            "join": "convex",
            "shares": {"item-knn": 2, "buy-again": 1, "user-knn": 1},
        }
    )


EVENTS = log([(0, 1), (1, 2), (2, 3)], [(0, 1), (1, 2)], [(3, 1), (4, 2)], [(3, 1), (2, 2)], n_items=6)
TRAIN = dataset(EVENTS, repeats=False)
ASKED = requests(log([(0, 1)], [(3, 1)], [], n_items=6))
BOTH = ("item-knn", "most-popular")


def joined(**options: Any) -> Fusion:
    return Fusion(Fusion.Options(**{"members": BOTH, **options})).fit(TRAIN)


def alone(name: str) -> np.ndarray:
    return scores(plugins.load(plugins.RANKERS, name)().fit(TRAIN), ASKED)


# What is joined


@pytest.mark.parametrize("constant", [0.0, 10.0])
def test_places_are_joined_as_the_formula_says(constant: float) -> None:
    shares = {"item-knn": 3.0, "most-popular": 1.0}
    wanted = sum(
        share / 4 / (constant + 1 + (own[:, None, :] > own[:, :, None]).sum(axis=2))
        for own, share in ((alone(name), shares[name]) for name in BOTH)
    )
    assert scores(joined(rank_constant=constant, shares=shares), ASKED) == pytest.approx(wanted)


def test_scores_are_joined_from_their_least_to_their_greatest() -> None:
    wanted = 0
    for name in BOTH:
        own = alone(name)
        low, high = own.min(axis=1, keepdims=True), own.max(axis=1, keepdims=True)
        wanted = wanted + (own - low) / (high - low) / 2
    assert scores(joined(join="convex"), ASKED) == pytest.approx(wanted)


def test_a_member_with_all_of_the_share_is_answered_as_it_is() -> None:
    found = joined(shares={"item-knn": 1, "most-popular": 0}).rank(ASKED, 6)
    assert np.array_equal(found.items, ItemKnn().fit(TRAIN).rank(ASKED, 6).items)


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 12)),
        elements=st.sampled_from([-1, 0, 2, -np.inf]),
    )
)
def test_ranks_are_one_more_than_what_is_greater(values: np.ndarray) -> None:
    assert np.array_equal(ranks(values), 1 + (values[:, None, :] > values[:, :, None]).sum(axis=2))


def test_what_can_never_be_answered_and_what_is_all_alike_scale_to_nothing() -> None:
    found = scaled(np.array([[-np.inf, 1, 3], [2, 2, 2], [-np.inf] * 3], np.float32))
    assert found.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_every_way_to_share_is_tried_and_even_ones_first(n: int) -> None:
    tried = grid(n)
    assert np.allclose([one.sum() for one in tried], 1)
    assert len({tuple(one) for one in tried}) == len(tried)
    assert any(np.array_equal(one, np.eye(n)[0]) for one in tried)
    assert np.ptp(tried[0]) == min(np.ptp(one) for one in tried)


# How much each member counts


def test_validation_gives_the_better_member_the_greater_share() -> None:
    train, validation, _ = loyal_shop()
    quick = {"text": False, "min_rows_per_leaf": 20, "rounds": 20}
    ranker = Fusion(Fusion.Options(members={"most-popular": {}, "two-stage": quick}, validation_rows=300))
    popular, learned = ranker.fit(train, validation=validation, seed=1).state["shares"]
    assert learned > popular
    without = ranker.fit(train, seed=1).state["shares"]
    assert without.tolist() == [0.5, 0.5]


def test_given_shares_are_kept_whatever_validation_says() -> None:
    train, validation, _ = loyal_shop()
    ranker = Fusion(Fusion.Options(members=BOTH, shares={"most-popular": 9, "item-knn": 1}))
    assert ranker.fit(train, validation=validation).state["shares"] == pytest.approx([0.1, 0.9])


# What it says of itself


def test_it_is_what_its_members_are() -> None:
    plain = Fusion(Fusion.Options(members=BOTH))
    assert (plain.parts, plain.stochastic, plain.holds_users, plain.trains) == (BOTH, False, False, False)
    neural = Fusion()
    assert (neural.parts, neural.stochastic, neural.holds_users, neural.trains) == (
        ("item-knn", "sasrec"),
        True,
        False,
        True,
    )
    nested = Fusion(Fusion.Options(members={"user-knn": {}, "fusion": {"members": ["ease", "sasrec"]}}))
    assert (nested.stochastic, nested.holds_users, nested.trains) == (True, True, True)


def test_it_costs_what_its_members_cost() -> None:
    members = [plugins.load(plugins.RANKERS, name)() for name in BOTH]
    found = Fusion(Fusion.Options(members=BOTH)).estimate(TRAIN)
    assert found.seconds == pytest.approx(sum(one.estimate(TRAIN).seconds for one in members))
    assert found.peak_mib == pytest.approx(sum(one.estimate(TRAIN).peak_mib for one in members))


def test_the_member_that_counts_most_is_named_first_and_nothing_twice() -> None:
    first, second = (
        joined(shares={"item-knn": 1, "most-popular": 3}),
        joined(shares={"item-knn": 3, "most-popular": 1}),
    )
    assert first.parameters()[0] == MostPopular().parameters()[0]
    assert second.parameters()[0] == ItemKnn().parameters()[0]
    names = [name for name, _ in second.parameters()]
    assert len(names) == len(set(names)) == len(first.parameters())


def test_all_options_of_all_members_are_visible() -> None:
    some = Fusion.Options(members={"item-knn": {"decay": 0.5}, "ease": {}})
    assert some.members["item-knn"] == ItemKnn.Options(decay=0.5).model_dump(mode="json")
    assert set(some.members["ease"]) == set(Ease.Options.model_fields)
    assert Fusion.Options(members=["item-knn", "ease"]) == Fusion.Options(
        members={"item-knn": {}, "ease": {}}
    )
    assert {"join", "rank_constant"} <= search_space(Fusion.Options).keys()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"members": ["item-knn"]}, "at least 2"),
        ({"members": ["item-knn", "sasrek"]}, "Did you mean 'sasrec'"),
        ({"members": ["item-knn", "bm25"]}, "no scores for the task recommend"),
        ({"members": {"item-knn": {"decoy": 1}, "ease": {}}}, "decoy"),
        ({"shares": {"item-knn": 1}}, "does not name 'sasrec'"),
        ({"shares": {"item-knn": 1, "sasrek": 1}}, "no member"),
        ({"shares": {"item-knn": 0, "sasrec": 0}}, "not all of them 0"),
        ({"shares": {"item-knn": -1, "sasrec": 2}}, "from 0"),
    ],
)
def test_what_is_wrong_in_options_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Fusion.Options(**wrong)


# Its members


@pytest.fixture(scope="module")
def neural() -> Fusion:
    members = {"item-knn": {}, "sasrec": {**SMALL, "epochs": 1}, "ligr": SMALL}
    return Fusion(Fusion.Options(members=members)).fit(small_dataset(), seed=1, runtime=Runtime(threads=1))


def test_records_of_trainings_are_kept_with_their_members(neural: Fusion, tmp_path: Path) -> None:
    assert list(neural.records) == ["sasrec", "ligr"]
    assert neural.training is max(neural.records.values(), key=lambda record: record.seconds)
    neural.save(tmp_path)
    loaded = Fusion.load(tmp_path)
    assert {name: record.losses for name, record in loaded.records.items()} == {
        name: record.losses for name, record in neural.records.items()
    }


def test_interrupted_trainings_have_places_of_their_own(tmp_path: Path) -> None:
    assert within(Runtime(checkpoint_folder=tmp_path), "ligr").checkpoint_folder == tmp_path / "ligr"
    assert within(Runtime(), "ligr").checkpoint_folder is None
    members = {"sasrec": {**SMALL, "checkpoint_every": 1}, "ligr": {**SMALL, "checkpoint_every": 1}}
    runtime = Runtime(threads=1, checkpoint_folder=tmp_path)
    Fusion(Fusion.Options(members=members)).fit(small_dataset(), seed=1, runtime=runtime)
    assert {path.name for path in tmp_path.iterdir()} == {"sasrec", "ligr"}


def test_a_member_of_another_fit_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, decay in ((one, 0.5), (other, 0.9)):
        folder.mkdir()
        joined(members={"item-knn": {"row_exponent": decay}, "most-popular": {}}).save(folder)
    shutil.rmtree(one / "members" / "item-knn")
    shutil.copytree(other / "members" / "item-knn", one / "members" / "item-knn")
    with pytest.raises(DamagedError, match="item-knn that belongs to this fit"):
        Fusion.load(one)
    shutil.rmtree(one / "members" / "item-knn")
    with pytest.raises(DamagedError, match="item-knn"):
        Fusion.load(one)


def test_what_members_note_is_passed_on_with_their_name() -> None:
    empty = small_dataset(empty=True)
    ranker = Fusion(Fusion.Options(members={"item-knn": {}, "sasrec": SMALL})).fit(empty)
    assert any(note.startswith("sasrec: ") for note in ranker.notes)
