"""What belongs to what in a sentence: numbers to facts, directions to reasons, both sides of `above`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from mercer.reporting.narratives.fact import Direction, Fact
from mercer.reporting.narratives.lexicon import (
    DIRECTIONS,
    FIRST,
    LESS_THAN,
    NAMED,
    OVER,
    SCALE,
    SKIPPED,
    THAN,
    UNDER,
    stem,
)
from mercer.reporting.narratives.narrative import Check
from mercer.reporting.narratives.numbers import Amount, follows
from mercer.reporting.narratives.reading import Token

Found = tuple[Check, str]
Place = tuple[int, Fact]

_UNIT_WORDS = {stem("days"): "days"}
_FAR = 1000.0


def number_faults(tokens: Sequence[Token], cited: Sequence[Fact]) -> tuple[list[Found], set[str]]:
    """Faults of numbers, and the ids of the facts that the sentence says.

    Each number belongs to the fact beside which it stands: numbers and facts of the same form are paired so that the
    distances add up to the least. A fact whose value is a number or a date is said by its number, any other by name.
    """
    faults, by_number = _numbers(tokens, cited)
    return faults, by_number | {fact.id for _, fact in named(tokens, cited) if not _by_number(fact)}


def numbered(tokens: Sequence[Token], cited: Sequence[Fact]) -> set[str]:
    """Ids of the facts whose number the sentence says."""
    return _numbers(tokens, cited)[1]


def _numbers(tokens: Sequence[Token], cited: Sequence[Fact]) -> tuple[list[Found], set[str]]:
    faults: list[Found] = []
    said: set[str] = set()
    numbers = [place for place, token in enumerate(tokens) if token.form == "number"]
    for form in ("date", "amount"):
        here = [place for place in numbers if (_form(tokens[place].amount) == "date") == (form == "date")]
        hosts = [
            (place, fact)
            for place, fact in named(tokens, cited)
            if fact.value is not None and not isinstance(fact.value, str)
            and isinstance(fact.value, datetime) == (form == "date")
        ]  # fmt: skip
        for place, fact in _paired(here, hosts, tokens):
            amount = tokens[place].amount
            if (
                fact is None
                or amount is None
                or not follows(amount, fact)
                or not _unit_fits(tokens, place, fact)
            ):
                faults.append(("number", fact.id if fact else ""))
            else:
                said.add(fact.id)
    return faults, said


def named(tokens: Sequence[Token], cited: Sequence[Fact]) -> list[Place]:
    """Where which cited fact is named, in the order of the sentence."""
    ids = {fact.id: fact for fact in cited}
    places = []
    for place, token in enumerate(tokens):
        if token.form == "name":
            places += [(place, ids[fact]) for fact in token.facts if fact in ids]
        elif token.form == "word":
            places += [(place, fact) for fact in cited if token.stem in NAMED.get(fact.kind, ())]
    return places


def _by_number(fact: Fact) -> bool:
    return fact.kind != "reason" and not isinstance(fact.value, str)


def _form(amount: Amount | None) -> str:
    return "" if amount is None else amount.form


def _paired(
    numbers: list[int], hosts: list[Place], tokens: Sequence[Token]
) -> Iterator[tuple[int, Fact | None]]:
    """Each number with the fact it belongs to; None where no fact is left for it."""
    facts = list({fact.id: fact for _, fact in hosts}.values())
    if not numbers:
        return
    far = np.full((len(numbers), len(facts) + len(numbers)), _FAR)
    for row, number in enumerate(numbers):
        for column, fact in enumerate(facts):
            far[row, column] = min(
                distance(tokens, number, place) for place, other in hosts if other.id == fact.id
            )
    from scipy.optimize import linear_sum_assignment

    for row, column in zip(*linear_sum_assignment(far), strict=True):
        yield numbers[row], facts[column] if column < len(facts) else None


def distance(tokens: Sequence[Token], one: int, other: int) -> float:
    """How far apart two tokens stand; the end of a clause keeps them further apart."""
    between = tokens[min(one, other) + 1 : max(one, other)]
    return 1.0 + sum(4.0 if token.text in (";", ".") else 1.0 for token in between)


def _unit_fits(tokens: Sequence[Token], place: int, fact: Fact) -> bool:
    after = tokens[place + 1].stem if place + 1 < len(tokens) else ""
    ago = any(token.ago and fact.id in token.facts for token in tokens)
    return (after not in _UNIT_WORDS or fact.unit == _UNIT_WORDS[after]) and (not ago or after in _UNIT_WORDS)


def direction_faults(
    tokens: Sequence[Token], cited: Sequence[Fact], facts: Sequence[Fact]
) -> Iterator[Found]:
    """A direction belongs to the reasons named before it, since the direction before; where none is named before the
    first direction of a sentence, to those after it. It must be the direction of each of them.
    """
    reasons = [(place, fact) for place, fact in named(tokens, cited) if fact.kind == "reason"]
    moves = list(_moves(tokens, reasons))
    if moves and not any(token.stem in SCALE or token.stem == "it" for token in tokens):
        yield "direction", ""
    for push, moved in moves:
        if not moved:
            yield "direction", ""
        for fact in moved:
            if fact.direction != push:
                yield "direction", fact.id
    yield from _rank_faults(tokens, reasons, facts)


def moved_reasons(tokens: Sequence[Token], cited: Sequence[Fact]) -> set[str]:
    """Ids of the reasons of which the sentence says a direction."""
    reasons = [(place, fact) for place, fact in named(tokens, cited) if fact.kind == "reason"]
    return {fact.id for _, moved in _moves(tokens, reasons) for fact in moved}


def _moves(tokens: Sequence[Token], reasons: Sequence[Place]) -> Iterator[tuple[Direction, list[Fact]]]:
    """Each direction of a sentence with the reasons that it is said of."""
    pushes = list(_pushes(tokens))
    leading = bool(reasons and pushes) and reasons[0][0] < pushes[0][0]
    for at, (place, push) in enumerate(pushes):
        before = pushes[at - 1][0] if at else -1
        after = pushes[at + 1][0] if at + 1 < len(pushes) else len(tokens)
        low, high = (before, place) if leading else (place, after)
        yield push, [fact for where, fact in reasons if low < where < high]


def _pushes(tokens: Sequence[Token]) -> Iterator[tuple[int, Direction]]:
    for place, token in enumerate(tokens):
        after = tokens[place + 1].stem if place + 1 < len(tokens) else ""
        if token.stem in DIRECTIONS and after != "than":
            yield place, DIRECTIONS[token.stem]


def _rank_faults(tokens: Sequence[Token], reasons: Sequence[Place], facts: Sequence[Fact]) -> Iterator[Found]:
    """`the strongest reason` is the first reason of all, and `the reason` the only one."""
    all_of = [fact.id for fact in facts if fact.kind == "reason"]
    first = next(iter(all_of), None)
    for place, token in enumerate(tokens):
        if token.stem == stem("reason") and place and tokens[place - 1].stem == "the" and len(all_of) > 1:
            yield "relation", ""
        if token.stem in FIRST and reasons:
            nearest = min(reasons, key=lambda reason: distance(tokens, place, reason[0]))[1]
            if nearest.id != first:
                yield "relation", nearest.id


def comparison_faults(tokens: Sequence[Token], cited: Sequence[Fact]) -> Iterator[Found]:
    """`A above B`: A is the nearest quantity named before, B the nearest after, and their values must agree.

    Only a threshold is compared with: with anything else a comparison is refused.
    """
    places = [(at, fact) for at, fact in named(tokens, cited) if isinstance(fact.value, float)]
    for at, token in enumerate(tokens):
        alone = not (at + 1 < len(tokens) and tokens[at + 1].stem == "than")
        if token.stem in (THAN | LESS_THAN) - frozenset(DIRECTIONS) and alone:
            yield "comparison", ""
        sign = _sign(tokens, at)
        if not sign:
            continue
        before = [fact for place, fact in places if place < at]
        after = [fact for place, fact in places if place > at]
        if not before or not after or "threshold" not in (before[-1].kind, after[0].kind):
            yield "comparison", ""
            continue
        left, right = before[-1].value, after[0].value
        if not isinstance(left, float) or not isinstance(right, float) or (left - right) * sign <= 0:
            yield "comparison", before[-1].id


def _sign(tokens: Sequence[Token], at: int) -> int:
    """1 for `above`, −1 for `below`, 0 for what compares nothing. `under the rule` is no comparison."""
    word = tokens[at].stem
    after = tokens[at + 1].stem if at + 1 < len(tokens) else ""
    if word == "under" and _names_rule(tokens[at + 1 :]):
        return 0
    if word in THAN | LESS_THAN:
        return (1 if word in THAN else -1) if after == "than" else 0
    return 1 if word in OVER else -1 if word in UNDER else 0


def _names_rule(tokens: Sequence[Token]) -> bool:
    rest = [token for token in tokens if token.stem not in SKIPPED]
    return bool(rest) and (rest[0].form == "name" or rest[0].stem in (stem("rule"), stem("target")))
