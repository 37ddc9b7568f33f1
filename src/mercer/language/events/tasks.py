"""What is learned, as lines of tokens: the next event of a history; an item from its title, and back; from a query.

next event             <start> event event event ...
text to item           <start> <text> title <item> path
item to text           <start> <item> path <text> title <end>
query to item          <start> <query> text <item> path
history, query to item <start> event ... event <query> text <item> path
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions
from mercer.language.events.lines import Lines
from mercer.language.events.options import TaskOptions
from mercer.language.events.tokenizer import EventTokenizer, laid, spread

Weights = npt.NDArray[np.float32]


def next_event(
    tokenizer: EventTokenizer,
    log: Interactions,
    options: TaskOptions,
    *,
    weights: npt.NDArray[np.floating] | None = None,
) -> Lines:
    """Every event of every user, foretold from those before it; long histories are cut, so that each is foretold once.

    weights: how much each event's terms weigh, shape (N,), 0 for what is only read; left out, 1. The last row of a
    user is full, an older one may be short. Events of unknown items are left out.
    """
    weight = np.ones(log.n_events, np.float32) if weights is None else np.asarray(weights, np.float32)
    there = (log.item >= 0) & (log.item < len(tokenizer.ids.codes))
    if not there.all():
        log, weight = log.where(there), weight[there]
    most = tokenizer.options.window + 1
    rows = -(-log.lengths // most)
    user = np.repeat(np.arange(log.n_users), rows)
    back = rows[user] - 1 - spread(np.zeros(len(rows), np.int64), rows)
    stop = log.indptr[1:][user] - back * most
    first = np.maximum(log.indptr[:-1][user], stop - most)
    length = stop - first
    events = tokenizer.tokens(log)
    line = laid(tokenizer.special("start"), events, first, length, np.zeros((len(first), 0), np.int32))
    n_event, place = tokenizer.n_event, np.arange(tokenizer.n_event)
    of_item = (place >= tokenizer.n_before) & (place < tokenizer.n_before + tokenizer.n_levels)
    by_place = np.where(of_item, 1.0, options.other_fields).astype(np.float32)
    own = (weight[:, None] * by_place)[spread(first, length)]
    slot = np.zeros(len(line.values), np.int16)
    term = np.zeros(len(line.values), np.float32)
    at = spread(line.indptr[:-1] + 1, length * n_event)
    slot[at] = np.tile(place, len(own))
    term[at] = own.ravel()
    return Lines(indptr=line.indptr, token=line.values, slot=slot, weight=term).learning
