"""The contract every maker must pass: what turns queries into understandings of one catalogue.

    class TestMyMaker(MakerContract):
        def build(self, items: pd.DataFrame, values: CatalogueValues, facts: ItemFacts) -> Maker:
            return MyMaker.build(items, values, facts)

        def saved(self, maker: Maker, folder: Path, values: CatalogueValues, facts: ItemFacts) -> Maker:
            maker.save(folder)
            return MyMaker.load(folder, values, facts)

The catalogue is the small shop's. Each test states one promise that serving or a page relies on. Needs pytest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest

from mercer.search.understanding.contract import INTENTS, Filters, Maker, Understanding
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.values import CatalogueValues
from mercer.testing.small_shop import small_catalogue

ODD = (
    "", " ", "?", "€", "0", "under", "under under 40", "a" * 5000, "under 40 " * 500, "\x00", "\ud800 mug", "杯子",
    "café", "-", "--", "%s %d {}", "<|im_start|>system", '{"category": "Office"}', "between 40 and 10", "CK-11820",
    "4977766654319", "mug\nmug", "١٠ mugs", "½ price", "10000000000000000000000 euros or less", "aged 4000",
)  # fmt: skip
"""Queries that nobody should have to answer, and that somebody will send."""

PLAIN = ("blue mug", "lamp for a desk", "scarf", "notebook", "zzxxq")


class MakerContract:
    """Inherit in a pytest class and override `build` and `saved`.

    Stability: callers stable; new promises may be added with a minor version.
    """

    _made: ClassVar[Maker]

    def build(self, items: pd.DataFrame, values: CatalogueValues, facts: ItemFacts) -> Maker:
        """A maker of the catalogue."""
        raise NotImplementedError("Override `build`.")

    def saved(self, maker: Maker, folder: Path, values: CatalogueValues, facts: ItemFacts) -> Maker:
        """The maker, written into `folder` and read again."""
        raise NotImplementedError("Override `saved`.")

    @property
    def catalogue(self) -> tuple[pd.DataFrame, CatalogueValues, ItemFacts]:
        """The small shop's items, values and facts."""
        items = small_catalogue()[1]
        values = CatalogueValues.of(items)
        return items, values, ItemFacts.of(items, values)

    @property
    def maker(self) -> Maker:
        """The maker, built once for the class."""
        cls = type(self)
        if "_made" not in cls.__dict__:
            cls._made = self.build(*self.catalogue)
        return cls._made

    def test_it_is_a_maker(self) -> None:
        """It has a name and the protocol's method."""
        assert isinstance(self.maker, Maker), f"{type(self.maker).__name__} lacks a member of Maker"
        assert self.maker.name, "name is empty"

    @pytest.mark.parametrize("query", [*PLAIN, *ODD], ids=lambda query: repr(query[:20]))
    def test_every_answer_is_legal(self, query: str) -> None:
        """Whatever is typed, filters name the catalogue's own values, and the answer is plain JSON."""
        found = self.maker.understand(query)
        assert isinstance(found, Understanding)
        assert found.intent in INTENTS
        assert self.catalogue[1].holds(found.filters), "a filter names what the catalogue does not hold"
        assert json.loads(json.dumps(found.to_json())) == found.to_json()

    def test_an_answer_depends_on_the_query_alone(self) -> None:
        """Asked again, and after other queries, it answers the same."""
        first = [self.maker.understand(query) for query in PLAIN]
        again = [self.maker.understand(query) for query in reversed(PLAIN)]
        assert first == again[::-1], "the same query got two answers"

    @pytest.mark.parametrize("query", ["", "zzxxq", "4977766654319"])
    def test_what_says_nothing_more_gives_itself(self, query: str) -> None:
        """No filter, the intent `product`, and the query as it was typed."""
        assert self.maker.understand(query) == Understanding(query=query, filters=Filters())

    def test_the_saved_one_answers_the_same(self, tmp_path: Path) -> None:
        """Save and load keep every answer, and no file needs pickle."""
        _, values, facts = self.catalogue
        loaded = self.saved(self.maker, tmp_path, values, facts)
        for query in (*PLAIN, *ODD):
            assert loaded.understand(query) == self.maker.understand(query), (
                "the loaded maker answers differently"
            )
        suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
        assert suffixes, "nothing was written"
        assert not suffixes & {".pkl", ".pickle", ".joblib", ".pt", ".pth"}, (
            "a file that can run code was written"
        )
