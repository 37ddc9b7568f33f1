"""Tags of word pieces, and links to the catalogue's values."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.language import MiniLm
from mercer.search.spelling import edits
from mercer.search.understanding.contract import Filters
from mercer.search.understanding.linking import nearest_spelling
from mercer.search.understanding.pairs import make_pairs
from mercer.search.understanding.tagger import joined
from mercer.search.understanding.tagging import IGNORED, TAGS, lesson, open_tokenizer, spans

from .shop import items, rules


@pytest.mark.encoder
def test_spans_are_those_of_the_marks() -> None:
    tokenizer = open_tokenizer(MiniLm().folder / "tokenizer.json")
    maker = rules()
    pairs = make_pairs(items(), maker.values, maker.facts, maker.lexicon, n=300, seed=1)
    same = 0
    for pair in pairs:
        tags = lesson(pair, tokenizer).tags
        logits = np.full((len(tags), len(TAGS)), -9.0, np.float32)
        logits[np.arange(len(tags)), np.where(tags == IGNORED, 0, tags)] = 9.0
        found = spans(logits, tokenizer.encode(pair.text))
        assert all(one.sure > 0.99 for one in found)
        marks = sorted((mark.start, mark.end, mark.kind) for mark in pair.marks)
        same += [(one.start, one.end, one.kind) for one in found] == marks
    # A mark within a word ("8yo") is read as the whole word.
    assert same >= 0.95 * len(pairs)


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [("mug", "mug", 0), ("mgu", "mug", 1), ("mg", "mug", 1), ("bowls", "mug", 3)],
)
def test_edits(one: str, other: str, n: int) -> None:
    assert edits(one, other, 2) == n


def test_a_spelling_between_two_is_neither() -> None:
    known = dict.fromkeys(("silver", "sliver", "copper"))
    assert nearest_spelling("coper", known) == "copper"
    assert nearest_spelling("silver", known) == "silver"
    assert nearest_spelling("svlver", dict.fromkeys(("silver", "solver"))) is None
    assert nearest_spelling("ab1", known) is None


def test_what_was_read_first_is_kept() -> None:
    kept, added = (
        Filters(brand="Acme", price_max=10),
        Filters(brand="Volt", category="Home", price_min=5, age=8),
    )
    assert joined(kept, added) == Filters(brand="Acme", category="Home", price_max=10, age=8)
