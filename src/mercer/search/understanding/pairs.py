"""Queries with what they ask for, written from a catalogue alone: what learned makers are trained on.

Templates are English; what stands in them are the catalogue's brands, values, words of titles and texts. Every draw
comes from one seeded stream. Templates are split by the hash of their text, so validation asks in ways that training
did not. Numbers that are no prices, denied values, words of no meaning, article numbers and questions of service are
among them.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml

from mercer.data.money import decimals
from mercer.search.understanding.contract import Filters, Intent, Understanding
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.lexicon import Lexicon
from mercer.search.understanding.resolving import Resolver
from mercer.search.understanding.titles import Entry, title_runs, uses
from mercer.search.understanding.tokens import phrase
from mercer.search.understanding.values import CatalogueValues, attribute_values, column

Kind = Literal["category", "brand", "attribute", "price_min", "price_max", "age"]
Part = Literal["training", "validation"]

KINDS: tuple[Kind, ...] = ("category", "brand", "attribute", "price_min", "price_max", "age")
ONE_IN = 5
"""One template in this many is validation's."""

_SLOT = re.compile(r"\{(\w+)\}")
_LEAST_LETTERS = 5
AGREEMENT = 0.8
"""Share of the titles with a phrase that must use it in a sense before a pair does."""
_TYPO, _PARTIAL, _CAPITALS, _HELD_FORM = 0.15, 0.25, 0.08, 0.5


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters `start` to `end` of a query say what `kind` it is; value: what they stand for."""

    start: int
    end: int
    kind: Kind
    value: str | int


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, what it asks for, where it says so, and the template it was written from."""

    text: str
    understood: Understanding
    marks: tuple[Mark, ...]
    template: str


def make_pairs(
    items: pd.DataFrame,
    values: CatalogueValues,
    facts: ItemFacts,
    lexicon: Lexicon,
    *,
    n: int,
    seed: int,
    part: Part = "training",
) -> list[Pair]:
    """n pairs; equal arguments give equal pairs. part: whose templates are used."""
    writer = _Writer(items, values, facts, lexicon, part)
    rng = np.random.default_rng([seed, int(part == "validation")])
    return [writer.write(rng) for _ in range(n)]


def templates(part: Part) -> tuple[str, ...]:
    """The templates of products and of service that belong to a part."""
    content = _content()
    return tuple(text for text in (*content["templates"], *content["service"]) if part_of(text) == part)


def part_of(template: str) -> Part:
    """The part that a template belongs to: a function of its text alone."""
    digest = hashlib.sha256(template.encode()).digest()
    return "validation" if int.from_bytes(digest[:4], "big") % ONE_IN == 0 else "training"


@cache
def _content() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(
        files("mercer.search.understanding").joinpath("pairs.yaml").read_text("utf-8")
    )
    return found


@dataclass(slots=True)
class _Draft:
    """A query as it grows. kept: its words that are searched for. context: the category that its noun will name."""

    text: str = ""
    marks: list[Mark] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    gift: bool = False
    context: str = ""

    def say(self, text: str, kind: Kind | None = None, value: str | int = "", *, keep: bool = False) -> None:
        if kind is not None:
            self.marks.append(Mark(len(self.text), len(self.text) + len(text), kind, value))
        self.text += text
        if keep:
            self.kept.append(text)


class _Writer:
    """Writes pairs about the items of one catalogue."""

    def __init__(
        self, items: pd.DataFrame, values: CatalogueValues, facts: ItemFacts, lexicon: Lexicon, part: Part
    ) -> None:
        self._values = values
        self._facts = facts
        self._lexicon = lexicon
        self._part = part
        content = _content()
        self._templates = [text for text in content["templates"] if part_of(text) == part]
        self._service = [text for text in content["service"] if part_of(text) == part]
        self._codes = column(items, "item")
        self._brands = column(items, "brand")
        self._paths = column(items, "category")
        self._known = attribute_values(items)
        self._resolver = Resolver(lexicon, facts, agreement=AGREEMENT)
        self._plains = [
            word
            for word in content["plain"]
            if phrase(word) not in lexicon.entries and word not in lexicon.parts
        ]
        self._nouns = [[run for run in runs if run] for runs in title_runs(items, values)]
        self._uses: dict[str, list[str]] = defaultdict(list)
        for words, path in uses(items).items():
            self._uses[path].append(words)
        self._unit = 10 ** decimals(values.currency or None)
        self._prices = facts.prices

    def write(self, rng: np.random.Generator) -> Pair:
        """One pair about a drawn item."""
        service = self._service and rng.random() < 0.07
        template = str(rng.choice(self._service if service else self._templates))
        item = int(rng.integers(len(self._codes)))
        draft = _Draft(context=self._meant(item) if "{noun}" in template or "{thing}" in template else "")
        if not service:
            draft.say(self._pick("before", rng))
        at = 0
        for slot in _SLOT.finditer(template):
            draft.say(template[at : slot.start()])
            getattr(self, f"_{slot.group(1)}")(draft, item, rng)
            at = slot.end()
        draft.say(template[at:])
        if not service:
            draft.say(self._pick("after", rng))
        return self._pair(draft, template, bool(service), rng)

    def _pair(self, draft: _Draft, template: str, service: bool, rng: np.random.Generator) -> Pair:
        text = draft.text.upper() if rng.random() < _CAPITALS / 2 else draft.text
        text = text[:1].upper() + text[1:] if rng.random() < _CAPITALS else text
        if service:
            return Pair(text, Understanding(query=text, intent="service"), (), template)
        gift = draft.gift or re.search(r"\b(gift|present|surprise)\b", template) is not None
        intent: Intent = "gift" if gift else "product"
        left = " ".join(draft.kept) or text
        filters = Filters(**draft.found, attributes=MappingProxyType(dict(sorted(draft.attributes.items()))))
        return Pair(
            text, Understanding(query=left, filters=filters, intent=intent), tuple(draft.marks), template
        )

    # What stands in a template

    def _thing(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        """The noun with none, one or two of brand and values, in one of the orders in which people say them."""
        told = [name for name in ("brand", "value", "value") if rng.random() < 0.4]
        before = [name for name in told if rng.random() < 0.7]
        for name in before:
            getattr(self, f"_{name}")(draft, item, rng)
            draft.say(" ")
        self._noun(draft, item, rng)
        for name in told[len(before) :]:
            draft.say(
                str(rng.choice([" ", " in ", ", "]))
                if name == "value"
                else str(rng.choice([" ", " by ", " from "]))
            )
            getattr(self, f"_{name}")(draft, item, rng)

    def _noun(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        """What the item is, as its title or its category says; a category is meant where the words stand for one."""
        runs = self._nouns[item]
        if not runs:
            draft.say(self._pick("plain", rng), keep=True)
            return
        words = max(runs, key=len)
        category = self._meant(item)
        leaf = self._paths[item].rpartition(" > ")[2]
        if leaf and rng.random() < 0.1 and self._category_of(phrase(leaf)) == self._paths[item]:
            words, category = leaf.lower(), self._paths[item]
        if rng.random() < 0.15 and words.isascii() and not words.endswith("s"):
            words += "s"
        words = self._slip(words, rng)
        if category and draft.found.setdefault("category", category) == category:
            draft.say(words, "category", category, keep=True)
        else:
            draft.say(words, keep=True)

    def _use(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        """What the catalogue says that things of one category are for."""
        options = self._uses.get(self._paths[item], [])
        if not options:
            self._noun(draft, item, rng)
            return
        words, category = options[int(rng.integers(len(options)))], self._paths[item]
        if draft.found.setdefault("category", category) == category:
            draft.say(words, "category", category, keep=True)
        else:
            draft.say(words, keep=True)

    def _brand(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        brand = self._brands[item]
        if not brand:
            draft.say(self._pick("plain", rng), keep=True)
            return
        words = self._slip(brand.lower() if rng.random() < 0.7 else brand, rng)
        if self._resolver.trusted(phrase(brand), "") and draft.found.setdefault("brand", brand) == brand:
            draft.say(words, "brand", brand, keep=True)
        else:
            draft.say(words, keep=True)

    def _value(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        """A value of the item; its last word alone is one where no other value of the category ends in it."""
        options = self._values_of(item, exclude=draft.attributes)
        if not options:
            draft.say(self._pick("plain", rng), keep=True)
            return
        name, value = options[int(rng.integers(len(options)))]
        words = value.lower() if rng.random() < 0.7 else value
        means = self._resolver.value(phrase(value), draft.context) == (name, value)
        if len(phrase(value)) > 1 and rng.random() < _PARTIAL and phrase(value)[-1].isalpha():
            words = value.split()[-1].lower()
            part = self._resolver.part(phrase(value)[-1], draft.context)
            means = part == Entry("attribute", name, value)
        words = self._slip(words, rng)
        if means:
            draft.attributes[name] = value
            draft.say(words, "attribute", f"{name}\x1f{value}", keep=True)
        else:
            draft.say(words, keep=True)

    def _not(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        other = int(rng.integers(len(self._codes))) if rng.random() < 0.5 else item
        options = self._values_of(other, exclude={})
        value = options[int(rng.integers(len(options)))][1].lower() if options else self._pick("plain", rng)
        draft.say(self._pick("not", rng).replace("{v}", value))

    def _plain(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        draft.say(self._pick("plain", rng), keep=True)

    def _code(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        draft.say(self._codes[item], keep=True)

    def _digit(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        draft.say(str(int(rng.integers(2, 60))), keep=True)

    def _measure(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        """A measure that makes no value of the number before it."""
        number = draft.text.split()[-1]
        options = [
            one for one in _content()["measures"] if phrase(f"{number} {one}") not in self._lexicon.entries
        ]
        draft.say(str(options[int(rng.integers(len(options)))]), keep=True)

    def _person(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        draft.gift = True
        draft.say(self._pick("persons", rng))

    def _child(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        draft.gift = True
        self._aged("children", draft, rng)

    def _own(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:  # noqa: ARG002
        self._aged("own", draft, rng)

    def _aged(self, name: str, draft: _Draft, rng: np.random.Generator) -> None:
        age = int(rng.integers(1, 19)) if rng.random() < 0.8 else int(rng.integers(19, 91))
        before, _, after = self._pick(name, rng).partition("{a}")
        draft.say(before)
        words = _NUMBER_WORDS.get(age) if after[:2] not in ("yo", "th") and rng.random() < 0.3 else None
        draft.say(words or str(age), "age", age)
        draft.say(after)
        draft.found["age"] = age

    def _most(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        self._priced("most", draft, (("price_max", self._price(item, rng, 1.0, 2.0)),), rng)

    def _least(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        self._priced("least", draft, (("price_min", self._price(item, rng, 0.4, 1.0)),), rng)

    def _between(self, draft: _Draft, item: int, rng: np.random.Generator) -> None:
        low = self._price(item, rng, 0.4, 1.0)
        high = low + self._price(item, rng, 0.3, 1.5)
        self._priced("between", draft, (("price_min", low), ("price_max", high)), rng)

    def _priced(
        self, name: str, draft: _Draft, limits: tuple[tuple[Kind, float], ...], rng: np.random.Generator
    ) -> None:
        form = self._pick(name, rng)
        at, used = 0, str(rng.choice(_content()["money"]))
        for slot, (kind, value) in zip(_SLOT.finditer(form), limits, strict=True):
            draft.say(form[at : slot.start()])
            bare = slot.group(1).startswith("n") and rng.random() < 0.5
            amount = f"{value:g}" if value == int(value) else f"{value:.2f}"
            words = _NUMBER_WORDS.get(int(value)) if value == int(value) and rng.random() < 0.12 else None
            signed = "{x}" if bare else used
            if words and signed[0] == "{" and signed[3:4] in ("", " "):
                amount = words
            minor = round(value * self._unit)
            draft.say(signed.replace("{x}", amount), kind, minor)
            draft.found[kind] = minor
            at = slot.end()
        draft.say(form[at:])

    def _price(self, item: int, rng: np.random.Generator, low: float, high: float) -> float:
        known = self._prices[item] if self._prices[item] > 0 else 30 * self._unit
        value = known / self._unit * rng.uniform(low, high)
        if rng.random() < 0.08:
            return float(round(value) + rng.choice([0.5, 0.99, 0.95]))
        step = 1 if value < 12 else 5 if value < 100 else 50
        return max(1.0, float(round(value / step) * step))

    # What words mean

    def _meant(self, item: int) -> str:
        """The category that the name of an item stands for; "" where it stands for none."""
        return self._category_of(phrase(max(self._nouns[item], key=len, default="")))

    def _category_of(self, words: tuple[str, ...]) -> str:
        named = [one.value for one in self._lexicon.entries.get(words, ()) if one.kind == "category"]
        return named[0] if named else ""

    def _values_of(self, item: int, *, exclude: Mapping[str, str]) -> list[tuple[str, str]]:
        return [
            (name, value)
            for name, held in self._known[item].items()
            for value in held
            if name not in exclude and value in self._values.attributes.get(name, ())
        ]

    def _pick(self, name: str, rng: np.random.Generator) -> str:
        """A form, of the part's own or, half the time in validation, of training's."""
        forms = self._plains if name == "plain" else _content()[name]
        if name in ("most", "least", "between", "children", "not") and len(forms) > ONE_IN:
            held = self._part == "validation" and rng.random() < _HELD_FORM
            forms = [form for form in forms if (part_of(form) == "validation") == held] or forms
        return str(forms[int(rng.integers(len(forms)))])

    def _slip(self, text: str, rng: np.random.Generator) -> str:
        return slipped(text, rng) if rng.random() < _TYPO else text


def slipped(text: str, rng: np.random.Generator) -> str:
    """One edit in one of the longer words: a letter out, doubled, another, or two exchanged; never the first."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= _LEAST_LETTERS and word.isalpha()]
    if not long:
        return text
    place = long[int(rng.integers(len(long)))]
    word = words[place]
    at = int(rng.integers(1, len(word) - 1))
    letter = "etaoinshrdlu"[int(rng.integers(12))]
    words[place] = (
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )[int(rng.integers(4))]
    return " ".join(words)


_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBER_WORDS: Mapping[int, str] = MappingProxyType(
    {
        **dict(enumerate(_ONES)),
        **{
            10 * ten + one: word if one == 0 else f"{word} {_ONES[one]}"
            for ten, word in enumerate(_TENS, start=2)
            for one in range(10)
        },
        100: "a hundred",
    }
)
