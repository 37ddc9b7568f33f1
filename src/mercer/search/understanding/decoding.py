"""Maker `decoder`: a language model writes the filters as JSON, and can write nothing that the catalogue does not hold.

The grammar of the answer is the schema over the catalogue's values (schema.py): an invented brand has no path in it,
and text that only one value continues costs no step. Words that are left to search for are those of the rules. What the
model is asked for can be narrowed to the category, which is what rules over a catalogue's own words miss: that a
skillet is cookware. There the model has the word where it is sure, and the rules have it elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from mercer.data.money import decimals
from mercer.language.decoders import Decoder
from mercer.language.generating import Answer, ConstrainedDecoder, Grammar, Prefix
from mercer.language.prompts.examples import Examples
from mercer.language.prompts.library import load_prompt
from mercer.language.prompts.prompt import Free, Prompt
from mercer.language.prompts.rendering import Renderer, plain
from mercer.search.matching import has_words
from mercer.search.understanding.contract import Filters, Understanding
from mercer.search.understanding.rules import RuleMaker
from mercer.search.understanding.schema import AMOUNTS, schema, to_parsed, to_understanding
from mercer.search.understanding.values import CatalogueValues

if TYPE_CHECKING:
    from mercer.language.finetuning import Example
    from mercer.search.understanding.pairs import Pair

ASKED, TUNED = "query-filters", "query-filters-tuned"
"""Prompts for a model as it came, and for one that was fine-tuned."""

Reads = Literal["category", "names", "all but amounts", "all"]
NAMES = ("category", "brand")
"""Keys that say what a thing is called; names: a model reads these."""


@dataclass(frozen=True)
class Form:
    """How a query is put to the model, and what it may answer: the same when it learns and when it is asked.

    prompt, wording: of the library of prompts. reads: what the model is asked for; the rules read the rest. sure: how
    probable an answer of names must be for the model to have the word.
    """

    values: CatalogueValues
    prompt: Prompt
    wording: int = 0
    reads: Reads = "category"
    sure: float = 0.5

    @classmethod
    def of(cls, values: CatalogueValues, *, tuned: bool, wording: int, reads: Reads, sure: float) -> Form:
        """The form for a model that was fine-tuned, or for one that was not."""
        return cls(values, load_prompt(TUNED if tuned else ASKED), wording, reads, sure)

    @property
    def unit(self) -> int:
        """Minor units of one unit of the catalogue's currency."""
        return int(10 ** decimals(self.values.currency or None))

    @property
    def by_names(self) -> bool:
        """Whether names alone are asked for, and the rules have the word elsewhere."""
        return self.reads in ("category", "names")

    @cached_property
    def grammar(self) -> Grammar:
        """What the model may write."""
        return Grammar({**schema(self.values), "properties": self.asks})

    @cached_property
    def asks(self) -> dict[str, Any]:
        """The schema of what the model is asked for, by key; empty where the catalogue has nothing of it."""
        return self._asked(schema(self.values)["properties"])

    @property
    def most_tokens(self) -> int:
        """Of an answer."""
        assert isinstance(self.prompt.answer, Free)
        return self.prompt.answer.tokens

    def answer(self, understood: Understanding) -> str:
        """The answer that says an understanding, as the grammar writes it."""
        return Grammar.dumps(self._asked(to_parsed(understood, unit=self.unit)))

    def example(self, pair: Pair, decoder: Decoder) -> Example:
        """A pair as fine-tuning takes it."""
        from mercer.language.finetuning import Example

        messages = Renderer(self.prompt, decoder, self.wording).messages({"query": pair.text})
        return Example(self._put(messages), self.answer(pair.understood))

    def tokens(self, query: str, decoder: Decoder, examples: Sequence[Mapping[str, Any]] = ()) -> list[int]:
        """The tokens of the prompt for a query."""
        messages = Renderer(self.prompt, decoder, self.wording).messages({"query": query}, examples=examples)
        put = self._put(messages)
        return decoder.start + decoder.encode(put) if isinstance(put, str) else decoder.chat(put)

    def understood(self, answer: Answer, query: str, by_rules: Understanding) -> Understanding:
        """The understanding that an answer says. by_rules: what the rules found in the same query."""
        found, told = to_understanding(answer.value, query, self.values, unit=self.unit), by_rules.filters
        if self.by_names:
            if answer.log_probability < math.log(self.sure):
                return by_rules
            category = found.filters.category or told.category
            brand = (found.filters.brand if self.reads == "names" else "") or told.brand
            return replace(by_rules, filters=replace(told, category=category, brand=brand))
        filters = found.filters
        if self.reads == "all but amounts":
            filters = replace(filters, price_min=told.price_min, price_max=told.price_max, age=told.age)
        return replace(found, query=by_rules.query, filters=filters)

    def _asked(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """Those keys that the model is asked for."""
        if self.by_names:
            wanted = NAMES if self.reads == "names" else NAMES[:1]
            return {name: one for name, one in keys.items() if name in wanted}
        return {name: one for name, one in keys.items() if self.reads == "all" or name not in AMOUNTS}

    def _put(self, messages: Sequence[dict[str, str]]) -> Any:
        return plain(tuple(messages)) if self.prompt.style == "plain" else tuple(messages)


class DecoderMaker:
    """Asks a decoder for the filters of a query. Stability: experimental.

    examples: what stands in the prompt beside the query; none for a model that was fine-tuned.
    """

    name = "decoder"

    def __init__(
        self, decoder: Decoder, form: Form, rules: RuleMaker, examples: Examples | None = None
    ) -> None:
        self.decoder = decoder
        self.form = form
        self.rules = rules
        self.examples = examples or Examples()
        self._writer = ConstrainedDecoder(decoder)
        self._prefix: Prefix | None = None

    def understand(self, query: str) -> Understanding:
        """What a query asks for. A query without a letter or a digit is not asked about."""
        by_rules = self.rules.understand(query)
        if not has_words(query) or (by_rules.intent == "service" and self.form.by_names):
            return by_rules
        tokens = self.form.tokens(query, self.decoder, self.examples.chosen(query))
        if self._prefix is None:
            self._prefix = self._writer.prefix(tokens)
        answer = self._writer.decode(
            tokens, self.form.grammar, max_tokens=self.form.most_tokens, prefix=self._prefix
        )
        found = self.form.understood(answer, query, by_rules)
        return replace(found, filters=self._together(found.filters)) if self.form.by_names else found

    def _together(self, filters: Filters) -> Filters:
        """The filters less what no item of the category has: a word that the rules read in another sense."""
        if not filters.category:
            return filters
        place = Filters(category=filters.category)
        inside = self.rules.facts.matches(place)

        def has(one: Filters) -> bool:
            return bool((inside & self.rules.facts.matches(one)).any())

        kept = {
            name: value
            for name, value in filters.attributes.items()
            if has(Filters(attributes={name: value}))
        }
        brand = filters.brand if filters.brand and has(Filters(brand=filters.brand)) else ""
        return replace(filters, brand=brand, attributes=MappingProxyType(kept))
