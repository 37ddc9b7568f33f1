"""What is learned, as lines of tokens: the next event of a history, and, where there are texts, what `texts.py` makes.

next event  <start> event event event ...
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Interactions
from mercer.contracts.ragged import ranges
from mercer.language.events.laying import laid
from mercer.language.events.lines import NO_EVENT, NOT_FORETOLD, Lines
from mercer.language.events.options import TaskOptions
from mercer.language.events.queries import judged, searched
from mercer.language.events.texts import item_to_text, text_to_item
from mercer.language.events.tokenizer import EventTokenizer
from mercer.language.semantic_ids.vectors import texts_of

Bools = npt.NDArray[np.bool_]


def mixed(
    tokenizer: EventTokenizer,
    log: Interactions,
    options: TaskOptions,
    *,
    dataset: Dataset | None = None,
    weights: npt.NDArray[np.floating] | None = None,
) -> Lines:
    """The lines of all tasks whose weight is not 0; a task of weight w counts w times in the loss.

    log, weights: as of `next_event`. dataset: its catalogue gives the titles, its judgments and its requests with what
    was chosen give the queries; needed for every task but the first.
    Raises UnsupportedError where a task has texts and the tokenizer has none.
    """
    parts = []
    if options.next_event:
        made = next_event(tokenizer, log, options, weights=weights)
        parts.append(replace(made, weight=made.weight * np.float32(options.next_event)))
    if dataset is not None:
        titles = texts_of(dataset.items, "title")
        every = np.arange(len(titles))
        if options.text_to_item:
            parts.append(text_to_item(tokenizer, titles, every, weight=options.text_to_item))
        if options.item_to_text:
            parts.append(item_to_text(tokenizer, titles, every, weight=options.item_to_text))
        if options.query_to_item:
            asked = judged(dataset).and_also(searched(dataset))
            parts.append(
                text_to_item(
                    tokenizer, asked.texts, asked.items, opening="query", weight=options.query_to_item
                )
            )
        if options.history_query_to_item:
            asked = searched(dataset)
            parts.append(
                text_to_item(
                    tokenizer,
                    asked.texts,
                    asked.items,
                    opening="query",
                    history=asked.history(log),
                    weight=options.history_query_to_item,
                )
            )
    return Lines.joined(parts)


def next_event(
    tokenizer: EventTokenizer,
    log: Interactions,
    options: TaskOptions,
    *,
    weights: npt.NDArray[np.floating] | None = None,
) -> Lines:
    """Every event of every user, foretold from those before it; long histories are cut, so that each is foretold once.

    weights: how much each event's terms weigh, shape (N,), 0 for what is only read; left out, 1. The last row of a
    user is full, an older one may be short. Events of unknown items are left out; `Lines.event` numbers those of `log`.
    """
    weight = np.ones(log.n_events, np.float32) if weights is None else np.asarray(weights, np.float32)
    there = (log.item >= 0) & (log.item < len(tokenizer.ids.codes))
    number = np.flatnonzero(there)
    if not there.all():
        log, weight = log.where(there), weight[there]
    most = tokenizer.options.window + 1
    rows = -(-log.lengths // most)
    user = np.repeat(np.arange(log.n_users), rows)
    back = rows[user] - 1 - ranges(np.zeros(len(rows), np.int64), rows)
    stop = log.indptr[1:][user] - back * most
    first = np.maximum(log.indptr[:-1][user], stop - most)
    length = stop - first
    no_tail = np.zeros((len(first), 0), np.int32)
    line = laid(tokenizer.special("start"), tokenizer.tokens(log), first, length, no_tail)
    place = np.arange(tokenizer.n_event)
    of_item = (place >= tokenizer.n_before) & (place < tokenizer.n_before + tokenizer.n_levels)
    by_place = np.where(of_item, 1.0, options.other_fields).astype(np.float32)
    own = (weight[:, None] * by_place)[ranges(first, length)]
    slot = np.full(len(line.values), NOT_FORETOLD, np.int16)
    term = np.zeros(len(line.values), np.float32)
    at = ranges(line.indptr[:-1] + 1, length * tokenizer.n_event)
    slot[at] = np.tile(place, len(own))
    term[at] = own.ravel()
    event = np.full(len(line.values), NO_EVENT, np.int64)
    event[at] = np.repeat(number[ranges(first, length)], tokenizer.n_event)
    return Lines(indptr=line.indptr, token=line.values, slot=slot, weight=term, event=event).learning
