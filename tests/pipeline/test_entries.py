"""The resolved options of a model: the target's own, or those that a trial of `tune` gives instead."""

from __future__ import annotations

import pytest

from mercer.brief import BehaviorTarget, RecommendTarget
from mercer.errors import BriefError
from mercer.pipeline.models import entries, entry_of

TARGET = BehaviorTarget(
    task="behavior", kind="amount", horizon_days=30, options={"lightgbm": {"leaves": 9, "l2": 2.0}}
)


def test_the_options_that_the_target_stores_are_taken_where_none_are_given() -> None:
    options = entry_of("spend", TARGET, "lightgbm").options
    assert (options.leaves, options.l2, options.kind) == (9, 2.0, "amount")


def test_given_options_stand_in_their_place() -> None:
    options = entry_of("spend", TARGET, "lightgbm", {"leaves": 4}).options
    assert (options.leaves, options.l2, options.kind) == (4, 5.0, "amount")
    assert entry_of("spend", TARGET, "lightgbm", {}).options.leaves == 7


def test_a_predictor_learns_its_horizon_from_the_target() -> None:
    assert entry_of("spend", TARGET, "bg-nbd").options.horizon_days == 30


def test_auto_means_the_defaults_that_serve_the_kind() -> None:
    amounts = [entry.model for entry in entries("spend", TARGET.model_copy(update={"models": "auto"}))]
    assert "lightgbm" in amounts
    assert "logistic-regression" not in amounts
    chances = BehaviorTarget(task="behavior", kind="probability", horizon_days=30)
    assert "logistic-regression" in [entry.model for entry in entries("repurchase", chances)]


def test_what_joins_lists_is_what_its_members_are() -> None:
    target = RecommendTarget(
        task="recommend",
        models=["fusion", "two-stage-sequence"],
        options={"fusion": {"members": ["item-knn", "user-knn"]}, "two-stage-sequence": {"sequence": "ligr"}},
    )
    joined, ordered = entries("next", target)
    assert (joined.composition, joined.parts) == ("fusion", ("item-knn", "user-knn"))
    assert (joined.stochastic, joined.holds_users, joined.trained) == (False, True, False)
    assert (ordered.composition, ordered.parts[-1]) == ("rerank", "ligr")
    assert (ordered.stochastic, ordered.holds_users, ordered.trained) == (True, False, True)


def test_a_fallback_competes_and_keeps_nobody() -> None:
    target = RecommendTarget(task="recommend", models=["item-knn", "user-knn"], fallback="item-knn")
    assert [entry.model for entry in entries("next", target)] == ["item-knn", "user-knn"]
    with pytest.raises(ValueError, match="Did you mean 'item-knn'"):
        RecommendTarget(task="recommend", models=["item-knn"], fallback="item-kn")
    automatic = RecommendTarget(task="recommend", fallback="ligr")
    with pytest.raises(BriefError, match="'ligr' is not among"):
        entries("next", automatic)
    with pytest.raises(BriefError, match="no release takes it"):
        entries("next", target.model_copy(update={"fallback": "user-knn"}))
