"""Maker `decoder`: a language model writes the filters as JSON, and can write nothing that the catalogue does not hold.

The grammar of the answer is the schema over the catalogue's values (schema.py): an invented brand has no path in it,
and text that only one value continues costs no step. The words that are left to search for are those of the rules, and
so are prices and ages unless the model is to read them, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mercer.data.money import decimals
from mercer.language.decoders import Decoder
from mercer.language.generating import ConstrainedDecoder, Grammar, Prefix
from mercer.language.prompts.examples import Examples
from mercer.language.prompts.library import load_prompt
from mercer.language.prompts.prompt import Free, Prompt
from mercer.language.prompts.rendering import Renderer, plain
from mercer.search.matching import has_words
from mercer.search.understanding.contract import Understanding
from mercer.search.understanding.rules import RuleMaker
from mercer.search.understanding.schema import AMOUNTS, schema, to_parsed, to_understanding
from mercer.search.understanding.values import CatalogueValues

if TYPE_CHECKING:
    from mercer.language.finetuning import Example
    from mercer.search.understanding.pairs import Pair

ASKED, TUNED = "query-filters", "query-filters-tuned"
"""Prompts for a model as it came, and for one that was fine-tuned."""

Amounts = Literal["rules", "model"]


@dataclass(frozen=True)
class Form:
    """How a query is put to the model, and what it may answer: the same when it learns and when it is asked.

    prompt, wording: of the library of prompts. amounts: who reads prices and ages.
    """

    values: CatalogueValues
    prompt: Prompt
    wording: int = 0
    amounts: Amounts = "rules"

    @classmethod
    def of(cls, values: CatalogueValues, *, tuned: bool, wording: int, amounts: Amounts) -> Form:
        """The form for a model that was fine-tuned, or for one that was not."""
        return cls(values, load_prompt(TUNED if tuned else ASKED), wording, amounts)

    @property
    def unit(self) -> int:
        """Minor units of one unit of the catalogue's currency."""
        return int(10 ** decimals(self.values.currency or None))

    @cached_property
    def grammar(self) -> Grammar:
        """What the model may write."""
        told = schema(self.values)
        if self.amounts == "rules":
            kept = {name: one for name, one in told["properties"].items() if name not in AMOUNTS}
            told = {**told, "properties": kept}
        return Grammar(told)

    @property
    def most_tokens(self) -> int:
        """Of an answer."""
        assert isinstance(self.prompt.answer, Free)
        return self.prompt.answer.tokens

    def answer(self, understood: Understanding) -> str:
        """The answer that says an understanding, as the grammar writes it."""
        parsed = to_parsed(understood, unit=self.unit)
        if self.amounts == "rules":
            parsed = {name: value for name, value in parsed.items() if name not in AMOUNTS}
        return Grammar.dumps(parsed)

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

    def understood(self, parsed: dict[str, Any], query: str, by_rules: Understanding) -> Understanding:
        """The understanding that an answer says. by_rules: what the rules found in the same query."""
        found = to_understanding(parsed, query, self.values, unit=self.unit)
        filters = found.filters
        if self.amounts == "rules":
            told = by_rules.filters
            filters = replace(filters, price_min=told.price_min, price_max=told.price_max, age=told.age)
        return replace(found, query=by_rules.query, filters=filters)

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
        self._examples = examples or Examples()
        self._writer = ConstrainedDecoder(decoder)
        self._prefix: Prefix | None = None

    def understand(self, query: str) -> Understanding:
        """What a query asks for. A query without a letter or a digit is not asked about."""
        by_rules = self.rules.understand(query)
        if not has_words(query):
            return by_rules
        tokens = self.form.tokens(query, self.decoder, self._examples.chosen(query))
        if self._prefix is None:
            self._prefix = self._writer.prefix(tokens)
        answer = self._writer.decode(
            tokens, self.form.grammar, max_tokens=self.form.most_tokens, prefix=self._prefix
        )
        return self.form.understood(answer.value, query, by_rules)
