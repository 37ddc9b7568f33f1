"""Which words of a query say what: tags of word pieces, from the marks of training pairs, and back to spans.

A tag is O, or B or I of a kind: the first piece of what says it, and the pieces that follow (Ramshaw and Marcus, 1995).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.search.understanding.contract import INTENTS
from mercer.search.understanding.pairs import KINDS, Kind, Pair

TAGS: tuple[str, ...] = ("O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))
MAX_PIECES = 64
"""Word pieces of a query that are read; more are cut off."""
_REST = "##"
"""How the tokenizer marks a piece that goes on with a word."""
IGNORED = -100
"""The tag of pieces that are no words of the query."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Characters `start` to `end` of a query, read as a kind, and how sure of it: the least probability of a piece."""

    start: int
    end: int
    kind: Kind
    sure: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """A pair as numbers. pieces and tags: equal length; tags: positions in TAGS, or IGNORED. intent: in INTENTS."""

    pieces: Ints
    tags: Ints
    intent: int


def open_tokenizer(path: Path) -> Any:
    """The encoder's tokenizer, cutting at MAX_PIECES."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_PIECES)
    tokenizer.no_padding()
    return tokenizer


def lesson(pair: Pair, tokenizer: Any) -> Lesson:
    """The pieces of a pair's query and the tag of each."""
    encoded = tokenizer.encode(pair.text)
    tags = np.full(len(encoded.ids), IGNORED, np.int64)
    for place, (start, end) in enumerate(encoded.offsets):
        if start == end:
            continue
        mark = next((one for one in pair.marks if one.start < end and start < one.end), None)
        if mark is None:
            tags[place] = 0
        else:
            before = encoded.offsets[place - 1] if place else (0, 0)
            begins = not (mark.start < before[1] and before[0] < mark.end and before[0] < before[1])
            tags[place] = TAGS.index(f"{'B' if begins else 'I'}-{mark.kind}")
    return Lesson(np.array(encoded.ids, np.int64), tags, INTENTS.index(pair.understood.intent))


def spans(logits: npt.NDArray[np.float32], encoded: Any) -> list[Tagged]:
    """Spans of a query from the logits of its pieces, shape (t, tags), and the encoding that the tokenizer gave.

    A word is one whole: its first piece says what it is.
    """
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    chances = shifted / shifted.sum(1, keepdims=True)
    found: list[Tagged] = []
    inside = False
    for place, ((start, end), piece) in enumerate(zip(encoded.offsets, encoded.tokens, strict=True)):
        if start == end:
            continue
        if piece.startswith(_REST):
            if inside:
                found[-1] = replace(found[-1], end=end)
            continue
        best = int(chances[place].argmax())
        inside = best != 0
        if not inside:
            continue
        first, _, kind = TAGS[best].partition("-")
        sure = float(chances[place][best])
        if first == "I" and found and found[-1].kind == kind and not _apart(found[-1].end, start):
            found[-1] = replace(found[-1], end=end, sure=min(found[-1].sure, sure))
        else:
            found.append(Tagged(start, end, next(one for one in KINDS if one == kind), sure))
    return found


def _apart(end: int, start: int) -> bool:
    """Whether more than a space or a sign lies between two spans."""
    return start - end > 3
