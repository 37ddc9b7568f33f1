"""What a dataset teaches: lines of tokens for every task that has a weight, and how much each event weighs in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Interactions
from mercer.language.events import EventTokenizer, Lines, tasks
from mercer.recommend.generative.options import GenerativeOptions
from mercer.recommend.popular import DAY_US
from mercer.recommend.sequence.lessons import first_times


def lines_of(
    tokenizer: EventTokenizer,
    train: Dataset,
    heard: Interactions,
    weights: npt.NDArray[np.float64],
    options: GenerativeOptions,
) -> Lines:
    """All that the decoder learns from.

    heard: the events that count; weights: of each, shape (N,). Where the data's target has no repeats, an item that the
    person had before is read and never foretold. Raises UnsupportedError for a task with a weight that needs texts
    where the events have none.
    """
    o, weighed = options.tasks, asked(heard, weights, options, repeats=train.repeats)
    in_words = (o.text_to_item, o.item_to_text, o.query_to_item, o.history_query_to_item)
    return tasks.mixed(tokenizer, heard, o, dataset=train if any(in_words) else None, weights=weighed)


def asked(
    heard: Interactions,
    weights: npt.NDArray[np.float64],
    options: GenerativeOptions,
    *,
    repeats: bool,
) -> npt.NDArray[np.float64]:
    """How much each event weighs as an answer, shape (N,); 0 for what is only read."""
    right = np.isin(heard.kind, heard.kind_codes(options.answers))
    if not repeats:
        right &= first_times(heard, right)
    weights = weights * right
    if options.half_life_days is not None and heard.has_clock and heard.n_events:
        weights = weights * 0.5 ** ((heard.time.max() - heard.time) / (options.half_life_days * DAY_US))
    return weights
