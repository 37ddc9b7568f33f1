from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mercer.contracts import Candidate, Policy
from mercer.errors import NotFoundError, UnsupportedError, UsageError
from mercer.release import DeterministicPolicy, Overlay, Release, load
from release.small_shop import CUT, Shop, requests_at, snapshots_at


def test_a_release_is_a_candidate(candidate: Release) -> None:
    assert isinstance(candidate, Candidate)


def test_answers_equal_the_rankers_own_where_no_rule_bites(shop: Shop, candidate: Release) -> None:
    rows = np.arange(shop.log.n_users)
    asked = requests_at(shop.log, rows)
    open_shop = Overlay(min_age={"i-03": 0}, availability={"i-04": (None, None), "i-05": (None, None)})
    served = candidate.recommend("again", asked, 10, overlay=open_shop)
    plain = candidate.rankers["again"].rank(asked, 10)
    assert np.array_equal(served.items, plain.items)
    assert np.array_equal(served.scores, plain.scores)


def test_history_is_masked_where_the_brief_forbids_repeats(shop: Shop, candidate: Release) -> None:
    rows = np.arange(50)
    asked = requests_at(shop.log, rows)
    served = candidate.recommend("next-item", asked, 60)
    for row in rows:
        bought = set(asked.history.item_rows[row].tolist())
        assert not bought & set(served.items[row].tolist())


def test_answers_do_not_depend_on_the_batch(shop: Shop, candidate: Release) -> None:
    rows = np.arange(40)
    together = candidate.recommend("next-item", requests_at(shop.log, rows), 5)
    for row in rows:
        alone = candidate.recommend("next-item", requests_at(shop.log, np.array([row])), 5)
        assert np.array_equal(alone.items[0], together.items[row])
        assert np.array_equal(alone.scores[0], together.scores[row])


def test_an_answer_carries_what_an_exposure_log_needs(shop: Shop, candidate: Release) -> None:
    answer = candidate.answer("next-item", requests_at(shop.log, np.arange(2)), 4)
    assert answer.policy == "next-item/item-knn"
    assert answer.propensity.tolist() == [[1.0] * 4] * 2
    shown = answer.rankings.items[0]
    assert answer.requests.eligible()[0, shown].all()
    assert not answer.requests.eligible()[0, 3]


def test_no_request_gives_no_row(shop: Shop, candidate: Release) -> None:
    assert candidate.recommend("again", requests_at(shop.log, np.arange(0)), 3).items.shape == (0, 3)


def test_the_target_may_be_left_out_only_when_one_is_meant(candidate: Release) -> None:
    with pytest.raises(UsageError, match="next-item, again"):
        candidate.resolve("recommend")
    with pytest.raises(NotFoundError, match="Did you mean 'next-item'"):
        candidate.resolve("recommend", "next-itm")
    assert candidate.resolve("search") == "find"
    without = replace(candidate, manifest=candidate.manifest.model_copy(update={"targets": {}}))
    with pytest.raises(NotFoundError, match="no search target"):
        without.resolve("search")
    with pytest.raises(NotFoundError):
        candidate.predict("next-item", None)  # type: ignore[arg-type]


def test_the_main_parameters_are_disclosed(candidate: Release) -> None:
    assert all(name and why for name, why in candidate.disclosure("next-item"))


def test_a_deterministic_ranker_is_a_policy_of_propensity_one(shop: Shop, candidate: Release) -> None:
    policy = DeterministicPolicy("p", candidate.rankers["again"].rank)
    assert isinstance(policy, Policy)
    asked = requests_at(shop.log, np.arange(3), CUT)
    shown, propensity = policy.sample(asked, 4, np.random.default_rng(1))
    assert (propensity == 1).all()
    assert (policy.probabilities(asked, shown) == 1).all()
    other = type(shown)(shown.items[:, ::-1].copy(), shown.scores)
    assert (policy.probabilities(asked, other) == 0).all()


def test_predictions_and_reasons_are_the_models_own(shop: Shop, candidate: Release) -> None:
    snapshots = snapshots_at(shop.log, np.arange(20), CUT)
    for target in ("repurchase", "spend"):
        made = candidate.predict(target, snapshots)
        assert np.array_equal(made.value, candidate.predictors[target].predict(snapshots).value)
        assert (made.low <= made.value).all()
        assert (made.value <= made.high).all()
        assert 1 <= len(candidate.explain(target, snapshots, 2)[0]) <= 2


def test_a_search_answers_queries_alone(shop: Shop, candidate: Release) -> None:
    asked = requests_at(shop.log, np.arange(2), query=("walnut chair", "no such thing"))
    served = candidate.search("find", asked, 5)
    titles = shop.items["title"].to_numpy()[served.items[0]]
    assert all(title.startswith("Walnut") for title in titles)
    with pytest.raises(UnsupportedError, match="answers queries"):
        candidate.search("find", requests_at(shop.log, np.arange(2)), 5)


def test_searching_leaves_the_release_whole(shop: Shop, candidate: Release) -> None:
    candidate.search("find", requests_at(shop.log, np.arange(1), query=("oak",)), 5)
    assert load(candidate.folder).hash == candidate.hash
