"""Relations of a sentence: verbs and their items, causes and their reasons, states and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mercer.reporting.narratives.binding import Found, Place, distance, named
from mercer.reporting.narratives.fact import Fact, Kind
from mercer.reporting.narratives.lexicon import (
    BOUGHT,
    BRANDED,
    CAUSES,
    CUES,
    CUES_OF_RULE,
    NAMED,
    NOT_CASES,
    RANKING,
    SCALE,
    SHOWN,
    SKIPPED,
    STATES,
    stem,
)
from mercer.reporting.narratives.reading import Token


def relation_faults(tokens: Sequence[Token], cited: Sequence[Fact], facts: Sequence[Fact]) -> Iterator[Found]:
    """Cue words, verbs and states without the fact that they speak of."""
    places = named(tokens, cited)
    kinds = {fact.kind for _, fact in places}
    for at, token in enumerate(tokens):
        if token.form != "word":
            continue
        if token.stem in CUES and not CUES[token.stem] & kinds:
            yield "relation", ""
        if token.stem == "ago" and not any(one.ago for one in tokens):
            yield "relation", ""
        if (
            token.stem == "of"
            and at
            and _is_share(tokens[at - 1])
            and _ends_on_rule(tokens[at + 1 :], at + 1, places)
        ):
            yield "relation", ""
        if token.stem in CAUSES and not _has_cause(tokens, at, places):
            yield "relation", ""
    yield from _missing_faults(tokens, places)
    yield from _state_faults(tokens, places, cited, facts)
    yield from _item_faults(tokens, places)
    yield from _unmoored(tokens, kinds)


def _unmoored(tokens: Sequence[Token], kinds: set[Kind]) -> Iterator[Found]:
    """Names that need company: a parameter a word of ranking, a brand its item, a cause of showing what is shown."""
    stems = {token.stem for token in tokens}
    if "parameter" in kinds and not stems & RANKING:
        yield "relation", ""
    if "brand" in kinds and "item" not in kinds and not stems & BRANDED:
        yield "relation", ""
    if "history" in kinds and stems & CAUSES and not stems & SHOWN:
        yield "relation", ""


def _is_share(token: Token) -> bool:
    return token.amount is not None and token.amount.form == "percent"


def _ends_on_rule(tokens: Sequence[Token], start: int, places: Sequence[Place]) -> bool:
    """Whether what comes next, function words apart, is a rule or a target: no share is of those."""
    for at, token in enumerate(tokens, start):
        if token.stem in SKIPPED:
            continue
        return token.stem in CUES_OF_RULE or any(
            place == at and fact.kind == "rule" for place, fact in places
        )
    return False


def _has_cause(tokens: Sequence[Token], at: int, places: Sequence[Place]) -> bool:
    """Whether a cause stands after the word, or, after `since`, a date."""
    dated = tokens[at].stem == stem("since") and at + 1 < len(tokens) and tokens[at + 1].form == "number"
    return dated or any(where > at and fact.kind in CUES[tokens[at].stem] for where, fact in places)


def _item_faults(tokens: Sequence[Token], places: Sequence[Place]) -> Iterator[Found]:
    """Each item stands nearest to a verb of its kind: shown or priced, or bought; and each `bought` has an item."""
    verbs: list[tuple[int, Kind]] = [
        (at, "history" if token.stem in BOUGHT else "item")
        for at, token in enumerate(tokens)
        if token.form == "word" and token.stem in BOUGHT | SHOWN
    ]
    served = set()
    for place, fact in places:
        if fact.kind not in ("item", "history"):
            continue
        near = sorted((distance(tokens, place, at), at, kind) for at, kind in verbs)
        best = [(at, kind) for far, at, kind in near if far == near[0][0]]
        if {kind for _, kind in best} != {fact.kind}:
            yield "relation", fact.id
        served |= {at for at, _ in best}
    if any(kind == "history" and at not in served for at, kind in verbs):
        yield "relation", ""


def _state_faults(
    tokens: Sequence[Token], places: Sequence[Place], cited: Sequence[Fact], facts: Sequence[Fact]
) -> Iterator[Found]:
    """Opened, closed and disposed of is a case and nothing else; a word for a quantity or a date needs such a fact.

    `score` and `prediction` may stand without one, as what reasons move.
    """
    kinds = {fact.kind for fact in cited}
    other = {place for place, fact in places if fact.kind in ("subject", "rule", "item", "history", "reason")}
    states = {place for place, fact in places if fact.kind == "disposition"}
    for at, token in enumerate(tokens):
        meant = {kind for kind, words in NAMED.items() if token.stem in words}
        if token.form == "word" and meant and not meant & kinds and token.stem not in SCALE:
            yield "relation", ""
        if token.text.lower() == "open" and any(fact.kind == "closed" for fact in facts):
            yield "relation", ""
        if token.stem in STATES or at in states:
            before = [where for where in range(at) if tokens[where].stem in NOT_CASES or where in other]
            case = [where for where in range(at) if _is_case(tokens[where], where, places)]
            if before and before[-1] > max(case, default=-1):
                yield "relation", ""
        if token.stem == stem("role") and not any(
            abs(place - at) == 1 and fact.kind == "role" for place, fact in places
        ):
            yield "relation", ""


def _is_case(token: Token, at: int, places: Sequence[Place]) -> bool:
    named_here = any(place == at and fact.kind in ("case", "case-kind") for place, fact in places)
    return named_here or token.stem in ("case", "it", "decision") or token.text == ","


def _missing_faults(tokens: Sequence[Token], places: Sequence[Place]) -> Iterator[Found]:
    """`missing` is said of the nearest reason, and must be so."""
    reasons = [(place, fact) for place, fact in places if fact.kind == "reason"]
    for place, token in enumerate(tokens):
        if token.form == "word" and token.stem in (stem("missing"), stem("unknown")) and reasons:
            nearest = min(reasons, key=lambda reason: distance(tokens, place, reason[0]))[1]
            if nearest.value is not None:
                yield "relation", nearest.id
