"""Events laid into rows: a start token, whole events, and what is known of the next; without a Python loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts.ragged import Ragged, ranges

Ints = npt.NDArray[np.int64]
Tokens = npt.NDArray[np.int32]


def laid(start: int, events: Tokens, first: Ints, length: Ints, tail: Tokens) -> Ragged:
    """Rows of a start token, the events first[i] to first[i] + length[i] - 1, and tail[i].

    events: int32, shape (N, E). first, length: int64, shape (n,). tail: int32, shape (n, k).
    """
    n_event = events.shape[1]
    indptr = np.zeros(len(length) + 1, np.int64)
    np.cumsum(1 + length * n_event + tail.shape[1], out=indptr[1:])
    out = np.empty(indptr[-1], np.int32)
    out[indptr[:-1]] = start
    out[ranges(indptr[:-1] + 1, length * n_event)] = events[ranges(first, length)].ravel()
    out[indptr[1:, None] - tail.shape[1] + np.arange(tail.shape[1])] = tail
    return Ragged(indptr, out)
