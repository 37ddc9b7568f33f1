"""The check finds what was made false, and lets pass what the template says."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.features import FEATURES
from mercer.reporting.narratives import Fact, Sentence, case_facts, check, check_sentence, template
from mercer.reporting.narratives.planting import plant

from .corpus import Facts, fact_sets, sentences
from .test_sources import alert_of


@pytest.mark.parametrize("name", list(fact_sets()))
def test_template_passes(name: str) -> None:
    facts = fact_sets()[name]

    assert check(template(facts), facts) == ()


def test_true_paraphrases_pass_as_often_as_documented() -> None:
    passed = {
        part: sum(not check_sentence(one, facts) for one, facts in sentences(part))
        for part in ("tuned", "held")
    }

    assert len(sentences("tuned")) + len(sentences("held")) >= 76
    assert passed == {"tuned": 42, "held": 23}


@pytest.mark.parametrize("part", ["untrue", "untrue_held"])
def test_false_sentences_by_hand_are_found(part: str) -> None:
    missed = [one.text for one, facts in sentences(part) if not check_sentence(one, facts)]

    # Nonsense made of true names and permitted words: the limit that the module states.
    assert (
        missed
        == {
            "untrue": [
                "The alert is based on the rule, and the rule is based on repurchase, so the account stands behind it.",
                "customer-88 has a value of 37.4 %, which is the prediction of the account subject.",
            ],
            "untrue_held": ["customer-17 gives an alert to the model."],
        }[part]
    )


def test_planted_faults_are_found() -> None:
    true: list[tuple[Sentence, Facts]] = [
        (one, facts) for facts in fact_sets().values() for one in template(facts)
    ]
    true += [(one, facts) for part in ("tuned", "held") for one, facts in sentences(part)]
    true = [(one, facts) for one, facts in true if not check_sentence(one, facts)]
    planted: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    rng = random.Random(7)
    for one, facts in true:
        for kind, false in plant(one, facts, rng):
            planted[kind] += 1
            missed[kind] += not check_sentence(false, facts)

    assert len(planted) == 10
    assert min(planted.values()) >= 10
    assert all(missed[kind] <= 0.05 * planted[kind] for kind in planted)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The score is 0.0832.", "number"),
        ("The score is 0.08.", "number"),
        ("The score is 8.23 %.", "number"),
        ("The score is not 0.0823.", "negation"),
        ("The score isn't 0.0823.", "negation"),
        ("The score is 0.0823, so please block the customer.", "advice"),
        ("She has a score of 0.0823.", "protected"),
        ("The score is 0.0823, which looks suspicious.", "word"),
        ("The score is about 0.0823 → bad.", "word"),
        ("customer-17 has a score of 0.0823.", "citation"),
        ("It is the score.", "citation"),
        ("  ", "form"),
        ("The score\u200b is 0.0823.", "form"),
        ("The score is 0.0823. " * 40, "form"),
    ],
)
def test_each_fault_has_its_name(text: str, kind: str) -> None:
    facts = fact_sets()["alert"]

    found = check_sentence(Sentence(text=text, facts=("f6",)), facts)

    assert kind in {fault.check for fault in found}


@pytest.mark.parametrize("said", ["0.0823", "0.082", ".0823"])
def test_rounding(said: str) -> None:
    facts = fact_sets()["alert"]
    passes = not check_sentence(Sentence(text=f"The score is {said}.", facts=("f6",)), facts)

    assert passes is (said[0] == "0")


def test_comparison_needs_a_threshold_and_its_order() -> None:
    facts = fact_sets()["gate"]
    ids = ("f5", "f6")

    assert not check_sentence(Sentence(text="The measured 17 is above the threshold of 2.", facts=ids), facts)
    assert check_sentence(Sentence(text="The measured 17 is below the threshold of 2.", facts=ids), facts)


def test_what_is_required_and_unsaid_makes_a_narrative_incomplete() -> None:
    facts = fact_sets()["alert"]
    kept = [one for one in template(facts) if "f6" not in one.facts]

    assert [(fault.check, fault.fact) for fault in check(kept, facts)] == [("incomplete", "f6")]


@pytest.mark.parametrize("less", ["; it lowers the score", " at 212 days"])
def test_a_reason_without_its_value_or_direction_is_left_out(less: str) -> None:
    facts = fact_sets()["alert"]
    kept = [Sentence(text=one.text.replace(less, ""), facts=one.facts) for one in template(facts)]

    assert {fault.check for fault in check(kept, facts)} == {"incomplete"}


@pytest.mark.parametrize(
    ("of", "text", "ids"),
    [
        ("churn", "The prediction for customer-88 is 37.4% of the target churn.", ("f1", "f2", "f3")),
        ("alert", "The reason is “Number of orders” at 3.", ("f8",)),
    ],
)
def test_what_a_language_model_slipped_through_is_found(of: str, text: str, ids: tuple[str, ...]) -> None:
    assert check_sentence(Sentence(text=text, facts=ids), fact_sets()[of])


def test_facts_of_another_case_are_found() -> None:
    facts = case_facts(alert_of(subject="customer-1", score=0.31, days=12.0, value=2.0))
    other = case_facts(alert_of(subject="customer-2", score=0.47, days=99.0, value=5.0))

    assert [bool(check_sentence(one, facts)) for one in template(other)] == [True] * 4


def test_ids_that_are_not_there_are_no_evidence() -> None:
    facts = fact_sets()["alert"]

    for ids in ((), ("f99",), ("f6", "f99")):
        found = check_sentence(Sentence(text="The score is 0.0823.", facts=ids), facts)
        assert [fault.check for fault in found] == ["citation"]


features = st.sampled_from([feature for feature in FEATURES if "minor" not in feature.unit])


@given(
    feature=features,
    value=st.one_of(st.floats(0, 1e6).map(lambda value: round(value, 4)), st.integers(0, 10**6).map(float)),
    lowers=st.booleans(),
)
def test_template_of_any_reason_passes_and_its_opposite_does_not(
    feature: object, value: float, lowers: bool
) -> None:
    facts: Facts = case_facts(alert_of(feature=feature, value=value, push=-0.5 if lowers else 0.5))
    reason = template(facts)[-1]
    other = "raises" if lowers else "lowers"
    flipped = reason.text.replace("lowers" if lowers else "raises", other)

    assert check_sentence(reason, facts) == ()
    assert check_sentence(Sentence(text=flipped, facts=reason.facts), facts)


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip().isprintable()))
def test_any_title_is_a_name_and_nothing_else(title: str) -> None:
    facts = (Fact(id="f1", kind="item", name="item", value=title),)
    one = Sentence(text=f"“{title}” is recommended, and the customer is a thief.", facts=("f1",))

    assert check_sentence(one, facts)
