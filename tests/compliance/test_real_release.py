"""The gates against a release of ours with fitted models: what it keeps, and what they catch in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from release.small_shop import CUT, DAY, START, Shop, labelled, make_shop

from compliance.shop import NobodyForgotten
from mercer.behavior import LightGbm
from mercer.compliance import FAULTS, Evidence, Pseudonyms, check, plant
from mercer.compliance.faults.answers import deciding
from mercer.contracts import Budget, Finding, Runtime
from mercer.evaluation import score_predictions
from mercer.features import compute

SERVED = {"object", "opt-out", "unprofiled", "age", "ranking", "sellers", "consumers"}
EXPLAINED = {"explanation", "notice", "credit-review", "colorado"}


def fit_again(shop: Shop) -> None:
    """Refit LightGBM on outcomes that follow from the history, so that predictions differ."""
    held = labelled(shop.log, START + 150 * DAY, amounts=False)
    often = held.snapshots.history.lengths >= np.median(held.snapshots.history.lengths)
    outcome = (np.random.default_rng(2).random(len(often)) < np.where(often, 0.85, 0.15)).astype(np.float64)
    model = LightGbm(LightGbm.Options(kind="probability", rounds=30, folds=2))
    train = replace(held, outcome=outcome)
    model.fit(train, validation=None, budget=Budget(), seed=1, runtime=Runtime(threads=1))
    model.save(shop.models["repurchase"].model_folder)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A release of item-knn, most-popular and LightGBM, as the gates see it."""
    shop = make_shop(tmp_path_factory.mktemp("models"))
    fit_again(shop)
    release = shop.build(tmp_path_factory.mktemp("built") / "release")
    held = labelled(shop.log, CUT - 40 * DAY, amounts=False)
    told = release.predict("repurchase", held.snapshots)
    events = shop.events.assign(
        time=shop.events["time"].to_numpy(np.int64).astype("datetime64[us]"),
        known_at=shop.events["known_at"].to_numpy(np.int64).astype("datetime64[us]"),
    )
    consents = pd.DataFrame(
        {
            "user": events["user"].unique(),
            "purpose": "recommendation",
            "given": True,
            "time": np.datetime64("2020-01-01", "us"),
        }
    )
    places = ["EU", "UK", "US", "US-CA"]
    return Evidence(
        brief=shop.brief.model_copy(update={"jurisdictions": places}),
        now=CUT,
        pseudonyms=Pseudonyms(b"a key of tests, of 32 bytes long"),
        tables={"events": events, "items": shop.items, "consents": consents},
        training_events=events,
        interactions=shop.log,
        vocabulary=shop.vocabulary,
        items=shop.items,
        features={"repurchase": compute(held.snapshots).set_index(pd.Index(held.snapshots.entities))},
        predictions={"repurchase": score_predictions(held, told, kind="probability").rows},
        snapshots={"repurchase": held.snapshots},
        parameters={name: ranker.parameters() for name, ranker in release.rankers.items()},
        suppression=NobodyForgotten(),
        candidate=release,
    )


def found(evidence: Evidence, rule: str) -> Finding:
    return next(one for one in check(evidence).findings if one.rule == rule)


@pytest.mark.parametrize("fault", sorted(SERVED))
def test_release_keeps_what_is_asked_of_answers(released: Evidence, fault: str) -> None:
    one = found(released, FAULTS[fault].rule)

    assert one.status == "PASS", one


def test_replay_is_not_empty_words(released: Evidence) -> None:
    told = str(found(released, "ccpa-gpc").measured)

    assert told.startswith("0 of 400")
    assert int(told.split("(")[1].split()[0]) > 150


@pytest.mark.parametrize("effect", ["credit", "significant"])
def test_reasons_of_lightgbm_are_faithful(released: Evidence, effect: str) -> None:
    _, decides = deciding(released, effect)  # type: ignore[arg-type]

    one = found(decides, "gdpr-adm")

    assert one.status == "PASS", one
    assert one.examined > 50


@pytest.mark.parametrize("fault", sorted(SERVED | EXPLAINED))
def test_what_is_planted_in_the_release_is_caught(released: Evidence, fault: str) -> None:
    one = found(plant(fault, released), FAULTS[fault].rule)

    assert one.status == "FAIL", one
    assert one.offending


def test_models_without_effect_need_not_explain(released: Evidence) -> None:
    assert found(replace(released, predictions={}), "gdpr-adm").status == "NOT_APPLICABLE"
