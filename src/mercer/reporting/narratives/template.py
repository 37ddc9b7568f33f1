"""The plain narrative: one sentence after another from the facts, complete, the same words for the same facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mercer.reporting.narratives.fact import Fact, Kind
from mercer.reporting.narratives.narrative import Sentence
from mercer.reporting.narratives.numbers import say

_Drafts = Iterator[tuple[str, list[Fact]]]


def template(facts: Sequence[Fact]) -> tuple[Sentence, ...]:
    """Sentences that say every fact. Empty for no facts."""
    found = _ByKind(facts)
    drafts = [*_case(found), *_item(found), *_prediction(found), *_reasons(found), *_end(found)]
    return tuple(Sentence(text=text, facts=tuple(fact.id for fact in cited)) for text, cited in drafts)


class _ByKind:
    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts

    def all(self, kind: Kind) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]

    def one(self, kind: Kind) -> Fact | None:
        return next(iter(self.all(kind)), None)


def _case(found: _ByKind) -> _Drafts:
    kind, rule = found.one("case-kind"), found.one("rule")
    if kind is None or rule is None:
        return
    case, subject, opened = found.one("case"), found.one("subject"), found.one("opened")
    cited = [fact for fact in (case, kind, subject, opened, rule) if fact is not None]
    text = f"{say(case).capitalize() if case else 'This'} is {_article(say(kind))} {say(kind)}"
    text += f" about {say(subject)}" if subject else ""
    text += f", opened on {say(opened)}" if opened else ""
    yield f"{text} under the rule {say(rule)}.", cited
    if score := found.one("score"):
        yield f"The score is {say(score)}.", [score]
    measured, threshold = found.one("measured"), found.one("threshold")
    if measured:
        yield f"Measured was {say(measured)}.", [measured]
    if threshold:
        yield f"The threshold is {say(threshold)}.", [threshold]
    if rows := found.one("rows"):
        yield f"The rows listed: {say(rows)}.", [rows]
    if remedy := found.one("remedy"):
        yield f"The remedy reads: {_full(say(remedy))}", [remedy]


def _item(found: _ByKind) -> _Drafts:
    item, brand, price = found.one("item"), found.one("brand"), found.one("price")
    if item is None:
        return
    if brand and price:
        yield f"“{say(item)}” by {say(brand)} costs {say(price)}.", [item, brand, price]
    elif brand:
        yield f"“{say(item)}” is made by {say(brand)}.", [item, brand]
    elif price:
        yield f"“{say(item)}” costs {say(price)}.", [item, price]
    if history := found.all("history"):
        yield f"“{say(item)}” is recommended because you bought {_listed(history)}.", [item, *history]
    elif not (brand or price):
        yield f"“{say(item)}” is recommended.", [item]


def _prediction(found: _ByKind) -> _Drafts:
    prediction, rule, subject = found.one("prediction"), found.one("rule"), found.one("subject")
    if prediction is None:
        return
    text = f"rediction for {say(subject)} is" if subject else "rediction is"
    text = f"For the target {say(rule)}, the p{text}" if rule else f"The p{text}"
    yield f"{text} {say(prediction)}.", [fact for fact in (subject, rule, prediction) if fact is not None]
    if interval := found.one("interval"):
        yield f"It has a {say(interval)}.", [interval]


def _reasons(found: _ByKind) -> _Drafts:
    moved = "prediction" if found.one("prediction") else "score"
    for place, fact in enumerate(found.all("reason")):
        lead = "The strongest reason" if place == 0 else "A reason"
        value = (
            "" if fact.value == "" else f" at {say(fact)}" if fact.value is not None else ", which is missing"
        )
        push = f"; it {fact.direction} the {moved}" if fact.direction else ""
        yield f"{lead} is “{fact.name}”{value}{push}.", [fact]
    for place, fact in enumerate(found.all("parameter")):
        lead = "The ranking depends mainly on" if place == 0 else "It depends also on"
        yield f"{lead} this: “{fact.name}”. {_full(fact.meaning)}".rstrip(), [fact]


def _end(found: _ByKind) -> _Drafts:
    closed, disposition, role = found.one("closed"), found.one("disposition"), found.one("role")
    if closed and disposition:
        text = f"The case was closed on {say(closed)} as {say(disposition)}"
        yield (f"{text} by the role {say(role)}.", [closed, disposition, role]) if role else (
            f"{text}.", [closed, disposition])  # fmt: skip


def _listed(facts: Sequence[Fact]) -> str:
    names = [f"“{say(fact)}”" for fact in facts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


def _full(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
