"""Gates over served answers: replays, age limits, explanations, disclosure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from compliance.shop import LIMITED, NOW, clean_evidence
from mercer.compliance import Evidence, check
from mercer.compliance.faults.answers import Wrapped
from mercer.compliance.gates.explanation import concordance
from mercer.compliance.gates.replay import as_strangers, requests_of, spread
from mercer.contracts import Finding, Predictions, Rankings, Reason, Requests, Snapshots


def found(evidence: Evidence, rule: str) -> Finding:
    return next(one for one in check(evidence).findings if one.rule == rule)


def without(evidence: Evidence, name: str) -> Evidence:
    return replace(evidence, tables={k: v for k, v in evidence.tables.items() if k != name})


class ReadsIds(Wrapped):
    """Knows people by their id, history or not: what a per-user parameter would do."""

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        answer = self.inner.recommend(target, requests, k)
        known = np.array([user is not None for user in requests.users])
        items = np.where(known[:, None], np.roll(answer.items, 1, axis=1), answer.items)
        return Rankings(items.astype(np.int32), answer.scores)


def test_ranker_that_remembers_ids_is_caught_by_the_replay(clean: Evidence) -> None:
    assert clean.candidate is not None
    spoilt = replace(clean, candidate=ReadsIds(clean.candidate))

    for rule in ("gdpr-object", "ccpa-gpc", "dsa-38"):
        one = found(spoilt, rule)
        assert one.status == "FAIL"
        assert one.target == "next-item"


def test_replay_says_how_much_the_signal_hides(clean: Evidence) -> None:
    one = found(clean, "ccpa-gpc")

    assert one.examined == 400
    assert one.measured == ("0 of 400 replayed answers depend on the history (400 would without the signal)")


def test_objectors_are_replayed_before_others_and_their_rows_counted(clean: Evidence) -> None:
    person = clean.training_events["user"].iloc[-1]  # type: ignore[index]
    objection = pd.DataFrame(
        {"user": [person], "purpose": ["objection"], "given": [True], "time": [np.datetime64(NOW, "us")]}
    )
    consents = pd.concat([clean.tables["consents"], objection])
    evidence = replace(clean, tables={**clean.tables, "consents": consents})

    one = found(evidence, "gdpr-object")
    assert one.status == "FAIL"
    assert str(one.measured).startswith("8 training rows of objectors among 1920")

    assert evidence.training_events is not None
    kept = evidence.training_events[evidence.training_events["user"] != person]
    assert found(replace(evidence, training_events=kept), "gdpr-object").status == "PASS"


def test_without_a_candidate_replays_are_not_assessed(clean: Evidence) -> None:
    blind = replace(clean, candidate=None)

    for rule in ("gdpr-object", "ccpa-gpc", "dsa-38", "age-goods", "dsa-27", "gdpr-adm"):
        one = found(blind, rule)
        assert one.status == "NOT_ASSESSED", one
        assert "candidate" in one.because


def test_without_a_log_no_answer_can_profile(clean: Evidence) -> None:
    quiet = replace(without(clean, "events"), interactions=None)

    one = found(quiet, "ccpa-gpc")

    assert one.status == "NOT_APPLICABLE"
    assert one.because == "data.events is absent: nobody has a history"


def test_strangers_have_neither_id_nor_history_but_keep_their_signals(clean: Evidence) -> None:
    requests = requests_of(clean, clean.ranking_targets["next-item"], np.arange(5))
    assert requests is not None

    strangers = as_strangers(requests)

    assert strangers.users == (None,) * 5
    assert strangers.history.n_events == 0
    assert strangers.context.jurisdiction == ("EU",) * 5
    assert requests.history.n_events == 40
    assert requests.context.age.tolist() == [20, 21, 22, 23, 24]


def test_spread_takes_all_or_evenly() -> None:
    assert spread(np.arange(5), 10).tolist() == [0, 1, 2, 3, 4]
    assert spread(np.arange(100), 3).tolist() == [0, 49, 99]


class AdultsOnly(Wrapped):
    """Denies limited goods to the known young, and forgets people of unknown age."""

    def recommend(self, target: str, requests: Requests, k: int) -> Rankings:
        age = requests.context.age
        told = replace(requests.context, age=np.where(age < 0, 99, age).astype(np.int16))
        return self.inner.recommend(target, replace(requests, context=told), k)


def test_unknown_age_counts_as_under_age(clean: Evidence) -> None:
    assert clean.candidate is not None

    one = found(replace(clean, candidate=AdultsOnly(clean.candidate)), "age-goods")

    assert one.status == "FAIL"
    assert {row["age"] for row in one.offending} == {"unknown"}
    assert {row["item"] for row in one.offending} <= {f"item-{code:02d}" for code in LIMITED}


def test_catalogue_without_limits_passes_and_one_without_the_column_does_not(clean: Evidence) -> None:
    free = clean.items.assign(min_age=0)
    unlimited = replace(clean, items=free, tables={**clean.tables, "items": free})
    assert found(unlimited, "age-goods").status == "PASS"
    assert found(unlimited, "age-goods").measured == "0 of 40 items have an age limit"

    unknown = {**clean.tables, "items": free.drop(columns="min_age")}
    assert found(replace(clean, tables=unknown), "age-goods").status == "NOT_ASSESSED"


def test_concordance_by_hand() -> None:
    up = np.array([1.0, 2.0, 3.0])

    assert concordance(up, up) == 1.0
    assert concordance(-up, up) == 0.0
    assert concordance(np.array([1.0, 3.0, 2.0]), up) == pytest.approx(2 / 3)
    assert np.isnan(concordance(up, np.ones(3)))
    assert concordance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0])) == 1.0


class Scrambled(Wrapped):
    """Gives each person the reasons of another."""

    def explain(self, target: str, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        told = self.inner.explain(target, snapshots, n)
        return told[::-1]


def test_reasons_of_somebody_else_are_not_faithful(clean: Evidence) -> None:
    assert clean.candidate is not None
    one = found(replace(clean, candidate=Scrambled(clean.candidate)), "gdpr-adm")

    assert one.status == "FAIL"
    assert any("not the value read" in row["why"] for row in one.offending)
    assert one.offending[0]["user"].startswith("p:")


class Same(Wrapped):
    """Says the same of everybody."""

    def predict(self, target: str, snapshots: Snapshots) -> Predictions:
        value = np.full(len(snapshots), 0.4)
        return Predictions(value, value, value)


def test_equal_predictions_prove_nothing_of_their_reasons(clean: Evidence) -> None:
    assert clean.candidate is not None
    one = found(replace(clean, candidate=Same(clean.candidate)), "gdpr-adm")

    assert one.status == "NOT_ASSESSED"
    assert "all predictions are equal" in one.because


def test_effect_decides_whether_decisions_must_be_explained() -> None:
    evidence = clean_evidence()
    target = evidence.behavior_targets["repurchase"].model_copy(update={"effect": "none"})
    targets = {**evidence.brief.targets, "repurchase": target}
    harmless = replace(evidence, brief=evidence.brief.model_copy(update={"targets": targets}))

    one = found(harmless, "gdpr-adm")

    assert one.status == "NOT_APPLICABLE"
    assert one.because == "targets.repurchase.effect is none"


class Shuffled(Wrapped):
    """Publishes the right parameters in another order."""

    def disclosure(self, target: str) -> list[tuple[str, str]]:
        return self.inner.disclosure(target)[::-1]


def test_order_of_the_parameters_is_part_of_what_is_published(clean: Evidence) -> None:
    assert clean.candidate is not None

    one = found(replace(clean, candidate=Shuffled(clean.candidate)), "dsa-27")

    assert one.status == "FAIL"
    assert one.offending[0]["why"] == "another order or another reason than the model's"


def test_target_whose_model_is_unknown_is_not_assessed(clean: Evidence) -> None:
    one = found(replace(clean, parameters={"next-item": clean.parameters["next-item"]}), "p2b-5")

    assert one.status == "NOT_ASSESSED"
    assert "find" in one.because
