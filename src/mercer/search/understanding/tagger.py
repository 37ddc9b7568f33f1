"""The tagger: MiniLM reads which words say what, and the linker finds the catalogue's own values. Maker `tagger`.

PyTorch trains; ONNX Runtime serves, one thread, one query at a time.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pydantic import Field

from mercer.contracts import Options
from mercer.data.money import decimals
from mercer.errors import DamagedError
from mercer.search.understanding.amounts import MOST_YEARS, Line
from mercer.search.understanding.contract import INTENTS, Filters, Intent, Understanding
from mercer.search.understanding.linking import Linker
from mercer.search.understanding.tagging import Tagged, open_tokenizer, spans
from mercer.search.understanding.tokens import tokens

if TYPE_CHECKING:
    from mercer.search.understanding.rules import RuleMaker

GRAPH = "tagger.onnx"
TOKENIZER = "tagger-tokenizer.json"


class TaggerOptions(Options):
    """When a span is believed."""

    sure: float = Field(0.5, ge=0, le=1, description="least probability of a span's words that is believed")
    with_rules: bool = Field(
        True, description="keep what the rules read, and add what the tagger finds beside it"
    )
    sure_beside: float = Field(
        0.9, ge=0, le=1, description="least probability of what is added to what the rules read"
    )


class TaggerMaker:
    """Reads a query with a trained network. Stability: caller stable."""

    name = "tagger"

    def __init__(
        self, folder: Path, linker: Linker, rules: RuleMaker, options: TaggerOptions | None = None
    ) -> None:
        """folder: holds the graph and the tokenizer, which are read at once. rules: tell what words are left, too."""
        self._values = rules.values
        self._linker = linker
        self._rules = rules
        self._options = options or TaggerOptions()
        self._unit = 10 ** decimals(self._values.currency or None)
        self._tokenizer, self._session = _open(folder)

    def understand(self, query: str) -> Understanding:
        """What a query asks for."""
        text = query[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
        if not any(map(str.isalnum, text)):
            return Understanding(query=query)
        encoded = self._tokenizer.encode(text)
        ids = np.array([encoded.ids], np.int64)
        said, meant = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        intent = cast(Intent, INTENTS[int(meant[0].argmax())])
        ruled = self._rules.understand(query)
        if intent == "service" or (self._options.with_rules and ruled.intent == "service"):
            return Understanding(query=query, intent="service")
        least = self._options.sure_beside if self._options.with_rules else self._options.sure
        found = [one for one in spans(said[0], encoded) if one.sure >= least]
        filters = self._filters(text, found)
        if self._options.with_rules:
            filters = joined(ruled.filters, filters)
        return Understanding(query=ruled.query, filters=filters, intent=intent)

    def _filters(self, text: str, found: list[Tagged]) -> Filters:
        categories = {
            category
            for one in found
            if one.kind == "category" and (category := self._linker.category(text[one.start : one.end]))
        }
        category = next(iter(categories)) if len(categories) == 1 else ""
        brands = {
            brand
            for one in found
            if one.kind == "brand" and (brand := self._linker.brand(text[one.start : one.end]))
        }
        values: dict[str, set[str]] = {}
        for one in found:
            pair = (
                self._linker.value(text[one.start : one.end], category) if one.kind == "attribute" else None
            )
            if pair is not None:
                values.setdefault(pair[0], set()).add(pair[1])
        numbers = {one.kind: value for one in found if (value := _number(text, one)) is not None}
        filters = Filters(
            category=category,
            brand=next(iter(brands)) if len(brands) == 1 else "",
            attributes=MappingProxyType(
                {name: next(iter(held)) for name, held in sorted(values.items()) if len(held) == 1}
            ),
            price_min=self._minor(numbers.get("price_min")),
            price_max=self._minor(numbers.get("price_max")),
            age=_age(numbers.get("age")),
        )
        if self._values.holds(filters):
            return filters
        return replace(filters, price_min=None, price_max=None)

    def _minor(self, amount: float | None) -> int | None:
        return None if amount is None else round(amount * self._unit)


_LONGEST = 2_000


def joined(kept: Filters, added: Filters) -> Filters:
    """The filters of both; where both say something of the same, the first's. The limits of a price are one thing."""
    priced = kept if (kept.price_min, kept.price_max) != (None, None) else added
    return Filters(
        category=kept.category or added.category,
        brand=kept.brand or added.brand,
        price_min=priced.price_min,
        price_max=priced.price_max,
        attributes=MappingProxyType(dict(sorted({**added.attributes, **kept.attributes}.items()))),
        age=kept.age if kept.age is not None else added.age,
    )


def _open(folder: Path) -> tuple[Any, Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        graph = (folder / GRAPH).read_bytes()
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return open_tokenizer(folder / TOKENIZER), session
    except Exception as fault:
        raise DamagedError(
            "The tagger's files are damaged or missing.", remedy="Fit the ranker again."
        ) from fault


def _number(text: str, span: Tagged) -> float | None:
    """The number that a span of a price or an age says; None where it says none."""
    if span.kind not in ("price_min", "price_max", "age"):
        return None
    line = Line.of(tokens(text[span.start : span.end]))
    return next((value for value in line.values if value is not None), None)


def _age(years: float | None) -> int | None:
    return int(years) if years is not None and years == int(years) and 0 <= years <= MOST_YEARS else None
