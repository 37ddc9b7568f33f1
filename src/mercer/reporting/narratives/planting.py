"""False sentences made of true ones, to measure the check. Works on the text alone and knows nothing of the check."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from mercer.reporting.narratives.fact import Fact
from mercer.reporting.narratives.narrative import Sentence

_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w-])")
_UNITS = {
    "days": "weeks", "£": "€", "€": "£", " %": "", "percent": "days", "orders": "returns", "probability": "amount",
}  # fmt: skip
_OPPOSITE = {
    "raises": "lowers", "lowers": "raises", "raise": "lower", "lower": "raise", "raised": "lowered",
    "lowered": "raised", "increases": "decreases", "decreases": "increases", "decrease": "increase",
    "reduces": "increases", "up": "down", "down": "up", "above": "below", "exceeds": "is below", "lifts": "lowers",
    "greater": "smaller", "higher": "lower", "rises": "falls",
}  # fmt: skip
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "case": ("case-000777", "case-000030"),
    "case-kind": ("law change", "adverse action"),
    "subject": ("customer-71", "customer-171", "account-42"),
    "item": ("Brass floor lamp", "Copper desk lamp", "desk"),
    "brand": ("Lumex", "Halden"),
    "history": ("Oak dining table", "Pine writing desk", "Wool rug"),
    "disposition": ("dismissed", "overturned"),
    "role": ("support", "legal"),
    "reason": ("Number of complaints", "Days since the first visit", "Share of late payments"),
    "parameter": ("What suppliers pay for a place", "How much the item earns"),
}
_OTHER_RULES = ("gdpr-erase", "credit", "returns", "aia-5", "dsa-27")
_INVENTED = (
    ", and the customer moved house last month", ", because of a late payment", " after a complaint by a neighbour",
    ", which is typical of fraud", ", and the account was closed", " because the customer came here",
    ", so the customer will not return", ", as the model knows the customer", ", and the score rises every week",
    " since the customer lost a job", ", a sign of financial distress", ", and she is likely to leave",
    ", which makes the customer a risk", " because prices went up", ", as similar customers were confirmed",
    ", so the account should be blocked", ", and the limit was exceeded twice", " following a stock shortage",
    ", and it costs less than other items", ", and the customer bought it before", ", the largest figure of all",
    ", well above the average customer", " due to the season", ", and that is the only reason",
)  # fmt: skip

Planted = tuple[str, Sentence]


def plant(sentence: Sentence, facts: Sequence[Fact], rng: random.Random) -> Iterator[Planted]:
    """Every kind of fault that the sentence allows, one false sentence each: (kind, sentence)."""
    cited = [fact for fact in facts if fact.id in sentence.facts]
    makers: Mapping[str, Callable[[], str | None]] = {
        "number changed": lambda: _number(sentence.text, rng, _changed),
        "digits swapped": lambda: _number(sentence.text, rng, _swapped),
        "values exchanged": lambda: _exchanged(sentence.text),
        "unit changed": lambda: _word(sentence.text, _UNITS, rng),
        "name changed": lambda: _renamed(sentence.text, cited, rng),
        "direction flipped": lambda: _word(sentence.text, _OPPOSITE, rng),
        "rule changed": lambda: _ruled(sentence.text, cited, rng),
        "negation inserted": lambda: _negated(sentence.text),
        "reason invented": lambda: f"{sentence.text.rstrip('.')}{rng.choice(_INVENTED)}.",
    }
    for kind, make in makers.items():
        text = make()
        if text is not None and text != sentence.text:
            yield kind, Sentence(text=text, facts=sentence.facts)
    others = [fact.id for fact in facts if fact.id not in sentence.facts]
    if others:
        ids = (*sentence.facts[1:], rng.choice(others))
        yield "evidence of another fact", Sentence(text=sentence.text, facts=ids)


def _number(text: str, rng: random.Random, change: Callable[[str, random.Random], str | None]) -> str | None:
    found = list(_NUMBER.finditer(text))
    rng.shuffle(found)
    for match in found:
        other = change(match.group(), rng)
        if other is not None:
            return text[: match.start()] + other + text[match.end() :]
    return None


def _changed(number: str, rng: random.Random) -> str:
    places = [place for place, sign in enumerate(number) if sign.isdecimal()]
    # The first digits carry the value: one further back might be within what rounding allows.
    place = next((at for at in places if number[at] != "0"), places[0])
    digit = rng.choice([sign for sign in "123456789" if sign != number[place]])
    return number[:place] + digit + number[place + 1 :]


def _swapped(number: str, rng: random.Random) -> str | None:
    pairs = [
        place
        for place in range(len(number) - 1)
        if number[place].isdecimal() and number[place + 1].isdecimal() and number[place] != number[place + 1]
    ]
    if not pairs:
        return None
    place = rng.choice(pairs)
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]


def _exchanged(text: str) -> str | None:
    found = list(_NUMBER.finditer(text))
    for one, other in pairwise(found):
        if one.group() != other.group():
            between = text[one.end() : other.start()]
            return text[: one.start()] + other.group() + between + one.group() + text[other.end() :]
    return None


def _word(text: str, words: Mapping[str, str], rng: random.Random) -> str | None:
    found = [
        match
        for word in words
        for match in re.finditer(
            rf"\b{word}\b" if word.isalpha() and word.isascii() else re.escape(word), text
        )
    ]
    if not found:
        return None
    match = rng.choice(found)
    return text[: match.start()] + words[match.group()] + text[match.end() :]


def _renamed(text: str, cited: Sequence[Fact], rng: random.Random) -> str | None:
    for fact in rng.sample(list(cited), len(cited)):
        name = fact.name if fact.kind in ("reason", "parameter") else fact.value
        if (
            fact.kind in _OTHER_NAMES
            and isinstance(name, str)
            and (at := text.lower().find(name.lower())) >= 0
        ):
            return text[:at] + rng.choice(_OTHER_NAMES[fact.kind]) + text[at + len(name) :]
    return None


def _ruled(text: str, cited: Sequence[Fact], rng: random.Random) -> str | None:
    for fact in cited:
        if fact.kind == "rule" and isinstance(fact.value, str) and fact.value in text:
            return text.replace(fact.value, rng.choice(_OTHER_RULES))
    return None


def _negated(text: str) -> str | None:
    match = re.search(r"\b(?:is|was|has been|are|were|had|have)\b", text)
    if match:
        return f"{text[: match.end()]} not{text[match.end() :]}"
    match = re.search(r"\b(?:raises|lowers|reduces|costs|increases|gave|gives)\b", text)
    return f"{text[: match.start()]}never {text[match.start() :]}" if match else None
