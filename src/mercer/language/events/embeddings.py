"""Histories as vectors: the states of an event decoder as of any cut-off, as a table of features.

A vector reads what was known at its cut-off, and how long ago that was; changing what came later changes no number of
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from mercer.contracts import Interactions, Times

if TYPE_CHECKING:
    import pandas as pd

    from mercer.language.events.decoder import EventDecoder

Pooling = Literal["last", "mean", "both"]


def event_embeddings(
    decoder: EventDecoder,
    log: Interactions,
    as_of: int | Times,
    *,
    pooling: Pooling = "both",
    kind: str = "purchase",
    batch_tokens: int = 8192,
) -> pd.DataFrame:
    """A row for each user of a log: user, as_of (int64 microseconds), then the vector, float32.

    as_of: one cut-off for all, or one a user, shape (U,); events that were known by then are read (known_at <= as_of),
    the newest of them as far as the window reaches, and then what a next event at the cut-off would begin with: its
    kind, `kind`, the time since the last one, the month and the weekday, as far as the decoder has these fields. So the
    vector of a person who stays away goes on changing. pooling: last, the state after the last token, e0 ...; mean, the
    mean of the states after all tokens, e0 ...; both, last_e0 ... and mean_e0 .... A user without an event has what
    the decoder makes of a history's start.
    """
    import pandas as pd

    cut = np.broadcast_to(np.asarray(as_of, np.int64), (log.n_users,))
    rows = decoder.tokenizer.asked(log.as_of(as_of), cut, kind=kind)
    last, mean = decoder.pooled(rows, batch_tokens=batch_tokens)
    chosen = {"last": {"e": last}, "mean": {"e": mean}, "both": {"last_e": last, "mean_e": mean}}[pooling]
    columns = {f"{name}{n}": vector[:, n] for name, vector in chosen.items() for n in range(vector.shape[1])}
    return pd.DataFrame({"user": list(log.users.ids), "as_of": cut, **columns})
