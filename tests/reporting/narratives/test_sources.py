"""What becomes a fact, and how the template says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mercer.compliance import Case
from mercer.contracts import Reason
from mercer.errors import UsageError
from mercer.features import FEATURES
from mercer.reporting.narratives import Fact, case_facts, prediction_facts, recommendation_facts, template

DAY = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAYS = next(feature for feature in FEATURES if feature.name == "days_since_purchase")


def alert_of(
    *,
    subject: str = "customer-17",
    score: float | None = 0.0823,
    days: float = 212.0,
    feature: Any = None,
    value: float = 3.0,
    push: float = -0.4,
) -> Case:
    """An alert with two reasons."""
    second = feature or next(one for one in FEATURES if one.name == "orders")
    reasons = (
        {"feature": DAYS.name, "value": days, "contribution": -0.9, "meaning": DAYS.meaning},
        {"feature": second.name, "value": value, "contribution": push, "meaning": second.meaning},
    )
    if second.name == DAYS.name:
        reasons = reasons[1:]
    return Case(
        case=f"case-{subject[-1]:>06}", kind="alert", subject=subject, opened=DAY, score=score,
        reasons=reasons, rule=f"rule-{subject[-1]}", disposition=None, reviewer_role=None, closed=None,
    )  # fmt: skip


def said(facts: tuple[Fact, ...]) -> list[str]:
    return [one.text for one in template(facts)]


def test_case_in_plain_words() -> None:
    assert said(case_facts(replace(alert_of(), rule="repurchase"))) == [
        "Case-000007 is an alert about customer-17, opened on 1 October 2026 under the rule repurchase.",
        "The score is 0.0823.",
        "The strongest reason is “Days since the last purchase” at 212 days; it lowers the score.",
        "A reason is “Number of orders” at 3; it lowers the score.",
    ]


def test_closed_case_says_how_it_ended() -> None:
    case = replace(alert_of(), closed=DAY, disposition="confirmed", reviewer_role="risk")

    assert (
        said(case_facts(case))[-1] == "The case was closed on 1 October 2026 as confirmed by the role risk."
    )


def test_failed_gate_in_plain_words() -> None:
    case = replace(
        alert_of(score=None), kind="failed-gate", subject="gdpr-consent", rule="gdpr-consent",
        reasons=({"measured": 17, "threshold": 2.5, "remedy": "Ask for consent.", "target": ""}, {"user": "ab12"}),
    )  # fmt: skip

    assert said(case_facts(case)) == [
        "Case-000007 is a failed gate, opened on 1 October 2026 under the rule gdpr-consent.",
        "Measured was 17.",
        "The threshold is 2.5.",
        "The rows listed: 1.",
        "The remedy reads: Ask for consent.",
    ]


def test_erased_case_still_has_a_narrative() -> None:
    case = replace(alert_of(), subject="erased", reasons=())

    assert said(case_facts(case))[0].startswith("Case-000007 is an alert about erased")


def test_amounts_need_their_currency() -> None:
    spend = next(feature for feature in FEATURES if feature.name == "net_spend")
    case = alert_of(feature=spend, value=12345.0)

    assert "“Spend so far, less returns”; it" in said(case_facts(case))[-1]
    assert "“Spend so far, less returns” at £123; it" in said(case_facts(case, currency="GBP"))[-1]


def test_prediction_with_interval_and_reasons() -> None:
    reasons = [Reason("plan", 2.0, -0.3, "plan is gold"), Reason(DAYS.name, float("nan"), 0.2, DAYS.meaning)]
    facts = prediction_facts("customer-8", 0.3741, reasons, target="churn", interval=(0.29, 0.46))

    assert said(facts) == [
        "For the target churn, the prediction for customer-8 is 37.4 %.",
        "It has a 95 % interval from 29 % to 46 %.",
        "The strongest reason is “plan is gold”; it lowers the prediction.",
        "A reason is “Days since the last purchase”, which is missing; it raises the prediction.",
    ]


def test_recommendation_says_why_this() -> None:
    facts = recommendation_facts(
        "Brass desk lamp",
        parameters=[
            ("How lately you bought an item", "Your latest purchases count most."),
            ("B", "C"),
            ("D", ""),
        ],
        history=["Oak desk", "Brass desk lamp", "Oak desk"],
        brand="Lumen",
        price_minor=3499,
        currency="GBP",
    )

    assert said(facts) == [
        "“Brass desk lamp” by Lumen costs £34.99.",
        "“Brass desk lamp” is recommended because you bought “Oak desk”.",
        "The ranking depends mainly on this: “How lately you bought an item”. Your latest purchases count most.",
        "It depends also on this: “B”. C.",
    ]


def test_stranger_is_told_how_the_ranking_works() -> None:
    facts = recommendation_facts(
        "Lamp", parameters=[("How often customers bought it", "It orders the items.")]
    )

    assert said(facts)[0] == "“Lamp” is recommended."


def test_item_without_a_title_is_refused() -> None:
    with pytest.raises(UsageError, match="title"):
        recommendation_facts("  ", parameters=[])


def test_every_fact_is_said_and_ids_are_in_order() -> None:
    facts = case_facts(replace(alert_of(), closed=DAY, disposition="upheld", reviewer_role="risk"))
    told = {fact for one in template(facts) for fact in one.facts}

    assert told == {fact.id for fact in facts} == {f"f{number + 1}" for number in range(len(facts))}


def test_facts_survive_json() -> None:
    facts = case_facts(alert_of())

    assert tuple(Fact.from_json(fact.to_json()) for fact in facts) == facts
