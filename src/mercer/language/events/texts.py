"""Lines with texts in them: an item from its title and back, an item from a query, alone or after a history.

text to item            <start> <text> title <item> path
item to text            <start> <item> path <text> title <end>
query to item           <start> <query> text <item> path
history, query to item  <start> event ... event <query> text <item> path
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions, Ragged
from mercer.errors import UnsupportedError
from mercer.language.events.lines import NOT_FORETOLD, Lines
from mercer.language.events.text import TextTokens
from mercer.language.events.tokenizer import EventTokenizer

Ints = npt.NDArray[np.integer]
Opening = Literal["text", "query"]


def text_to_item(
    tokenizer: EventTokenizer,
    texts: Sequence[str],
    items: Ints,
    *,
    opening: Opening = "text",
    history: Interactions | None = None,
    weight: float = 1.0,
) -> Lines:
    """Each text, and the item that is meant by it. A text of nothing but spaces is left out.

    items: codes, shape (n,). opening: "text" for a title, "query" for a query. history: a row for each text, whose
    newest events are read before it. Raises UnsupportedError where the tokenizer has no texts.
    """
    prompts = asked(tokenizer, texts, opening=opening, history=history)
    levels = range(tokenizer.n_before, tokenizer.n_before + tokenizer.n_levels)
    rows = [
        (prompts[row].tolist(), tokenizer.paths[item].tolist(), levels)
        for row, (text, item) in enumerate(zip(texts, items, strict=True))
        if text.strip()
    ]
    return _lines(rows, weight)


def item_to_text(
    tokenizer: EventTokenizer, texts: Sequence[str], items: Ints, *, weight: float = 1.0
) -> Lines:
    """Each item, and its text to the end. A text of nothing but spaces is left out; see `text_to_item`."""
    spoken, first = _text(tokenizer)
    start, item_mark, text_mark = (tokenizer.special(name) for name in ("start", "item", "text"))
    rows = []
    for text, item in zip(texts, items, strict=True):
        if text.strip():
            numbers = [*spoken.encode(text, tokenizer.options.longest_text), spoken.end]
            prompt = [start, item_mark, *tokenizer.paths[item].tolist(), text_mark]
            rows.append((prompt, [first + n for n in numbers], [len(tokenizer.event_slots)] * len(numbers)))
    return _lines(rows, weight)


def asked(
    tokenizer: EventTokenizer,
    texts: Sequence[str],
    *,
    opening: Opening = "query",
    history: Interactions | None = None,
) -> Ragged:
    """What the decoder reads before it foretells the item that a text means; see `text_to_item`."""
    spoken, first = _text(tokenizer)
    begun = None if history is None else tokenizer.rows(history)
    mark, item_mark, start = (tokenizer.special(name) for name in (opening, "item", "start"))
    rows = []
    for row, text in enumerate(texts):
        numbers = spoken.encode(text, tokenizer.options.longest_text)
        before = [start] if begun is None else begun[row].tolist()
        rows.append([*before, mark, *(first + n for n in numbers), item_mark])
    return Ragged.from_rows(rows)


def _text(tokenizer: EventTokenizer) -> tuple[TextTokens, int]:
    """How texts become tokens, and the first row of them."""
    if tokenizer.text is None:
        raise UnsupportedError(
            "The tokenizer has no tokens for texts.",
            remedy="Set `text_tokens` of the events to 1000 or more, or start from a pretrained model.",
        )
    return tokenizer.text, tokenizer.ranges["text"][0]


def _lines(rows: Sequence[tuple[list[int], list[int], Sequence[int]]], weight: float) -> Lines:
    """Rows of a prompt, what is foretold after it, and the slots of that."""
    parts = [
        Lines(
            indptr=np.array([0, len(prompt) + len(answer)], np.int64),
            token=np.array([*prompt, *answer], np.int32),
            slot=np.array([*[NOT_FORETOLD] * len(prompt), *slots], np.int16),
            weight=np.array([*[0.0] * len(prompt), *[weight] * len(answer)], np.float32),
        )
        for prompt, answer, slots in rows
    ]
    return Lines.joined(parts)
