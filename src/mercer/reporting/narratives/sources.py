"""Facts of a case, of a prediction and of a recommendation. A narrative says nothing that is not among them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from mercer.compliance import Case
from mercer.contracts import Reason
from mercer.errors import UsageError
from mercer.features import FEATURES
from mercer.reporting.narratives.fact import Direction, Fact, Kind, Unit
from mercer.reporting.narratives.numbers import say_quantity

_UNITS: Mapping[str, Unit] = {"days": "days", "count": "count", "share": "share", "ratio": "ratio"}
_FEATURE_UNITS = {feature.name: feature.unit for feature in FEATURES}


def case_facts(case: Case, *, currency: str = "") -> tuple[Fact, ...]:
    """Facts of a case: what it is, whom it is about, its dates, rule, score and reasons, the strongest first.

    currency: of features that are amounts; without it their values are not given, for an amount without a
    currency says nothing.
    """
    made = _Made()
    made.add("case", "case", case.case)
    made.add("case-kind", "kind", case.kind.replace("-", " "), required=True)
    if case.subject != case.rule:
        made.add("subject", "subject", case.subject, required=True)
    made.add("rule", "rule", case.rule, required=True)
    made.add("opened", "opened", case.opened, unit="date")
    if case.score is not None:
        made.add("score", "score", float(case.score), required=True)
    for reason in case.reasons:
        if "measured" in reason and "threshold" in reason:
            _finding(made, reason)
        elif "feature" in reason:
            _reason(made, reason, currency)
    rows = sum(1 for reason in case.reasons if "feature" not in reason and "measured" not in reason)
    if rows:
        made.add("rows", "rows", float(rows), unit="count")
    if case.closed is not None:
        made.add("closed", "closed", case.closed, unit="date")
        made.add("disposition", "disposition", case.disposition or "", required=True)
        made.add("role", "role", case.reviewer_role or "")
    return tuple(made.facts)


def prediction_facts(
    subject: str,
    value: float,
    reasons: Sequence[Reason],
    *,
    target: str,
    unit: Unit = "share",
    interval: tuple[float, float] | None = None,
    currency: str = "",
) -> tuple[Fact, ...]:
    """Facts of a prediction and of the reasons that its model gave, the strongest first.

    unit: `share` for a probability, `money` for an amount in minor units. interval: the 95 % interval.
    """
    made = _Made()
    made.add("subject", "subject", subject, required=True)
    made.add("rule", "target", target, required=True)
    made.add("prediction", "prediction", float(value), unit=unit, currency=currency, required=True)
    if interval is not None:
        low, high = (say_quantity(end, unit, currency) for end in interval)
        made.add("interval", "interval", f"95 % interval from {low} to {high}")
    for reason in reasons:
        content = {name: getattr(reason, name) for name in ("feature", "value", "contribution", "meaning")}
        _reason(made, content, currency)
    return tuple(made.facts)


def recommendation_facts(
    title: str,
    *,
    parameters: Sequence[tuple[str, str]],
    history: Sequence[str] = (),
    brand: str = "",
    price_minor: int | None = None,
    currency: str = "",
) -> tuple[Fact, ...]:
    """Facts of "why this": the item, what of the customer's purchases carried it, and how the ranking works.

    parameters: of the ranking, most significant first, as `Ranker.parameters` gives them; two are told. history:
    titles of bought items that carried the item, as the caller measured it; empty for a stranger.
    Raises UsageError for an empty title.
    """
    if not title.strip():
        raise UsageError(
            "An item without a title can't be named.", remedy="Give its id in place of the title."
        )
    made = _Made()
    made.add("item", "item", title, required=True)
    if brand:
        made.add("brand", "brand", brand)
    if price_minor is not None and price_minor >= 0 and currency:
        made.add("price", "price", float(price_minor), unit="money", currency=currency)
    for bought in dict.fromkeys(history):
        if bought and bought != title:
            made.add("history", "purchase", bought)
    for name, why in parameters[:2]:
        made.add("parameter", name, name, meaning=why, required=True)
    return tuple(made.facts)


class _Made:
    """Facts in the order they are added, numbered f1, f2, …"""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._numbers: Iterator[int] = count(1)

    def add(self, kind: Kind, name: str, value: float | str | datetime | None, **more: Any) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        self.facts.append(Fact(id=f"f{next(self._numbers)}", kind=kind, name=name, value=value, **more))


def _reason(made: _Made, reason: Mapping[str, Any], currency: str) -> None:
    feature = str(reason["feature"])
    name = str(reason.get("meaning") or feature)
    push, value = reason.get("contribution"), reason.get("value")
    direction: Direction = ""
    if isinstance(push, (int, float)) and push:
        direction = "raises" if push > 0 else "lowers"
    declared = _FEATURE_UNITS.get(feature, "")
    unit: Unit = "money" if declared.startswith("minor units") else _UNITS.get(declared, "")
    said: float | str | None = value if isinstance(value, str) else _number(value)
    # A category's value is a code, and its name holds what it says; an amount needs its currency.
    untold = name.startswith(f"{feature} is ") or (unit == "money" and not currency)
    made.add(
        "reason",
        name,
        "" if untold else said,
        unit=unit,
        currency=currency if unit == "money" else "",
        direction=direction,
        required=True,
    )


def _finding(made: _Made, reason: Mapping[str, Any]) -> None:
    for kind in ("measured", "threshold"):
        value = reason[kind]
        told = _number(value) if isinstance(value, (int, float)) else str(value)
        if told != "":
            made.add(kind, kind, told, required=True)
    if reason.get("remedy"):
        made.add("remedy", "remedy", str(reason["remedy"]))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
