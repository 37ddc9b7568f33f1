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
from mercer.search.understanding.values import CatalogueValues

if TYPE_CHECKING:
    from mercer.search.understanding.rules import RuleMaker

GRAPH = "tagger.onnx"
TOKENIZER = "tagger-tokenizer.json"


class TaggerOptions(Options):
    """When a span is believed."""

    sure: float = Field(0.5, ge=0, le=1, description="least probability of a span's words that is believed")


class TaggerMaker:
    """Reads a query with a trained network. Stability: caller stable."""

    name = "tagger"

    def __init__(
        self, folder: Path, values: CatalogueValues, linker: Linker, rules: RuleMaker, *, sure: float
    ) -> None:
        """folder: holds the graph and the tokenizer, which are read at once. rules: for the words that are left."""
        self._values = values
        self._linker = linker
        self._rules = rules
        self._sure = sure
        self._unit = 10 ** decimals(values.currency or None)
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
        if intent == "service":
            return Understanding(query=query, intent=intent)
        found = [one for one in spans(said[0], encoded.offsets) if one.sure >= self._sure]
        filters = self._filters(text, found)
        return Understanding(query=self._rules.understand(query).query, filters=filters, intent=intent)

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
