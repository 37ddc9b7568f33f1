"""The histories of requests as a sparse matrix: what counts, weighed by kind and faded by age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.contracts import Requests
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.steps import ages

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_FAINTEST = 1e-6
"""Weight below which an old event of the history is not read."""


def faded(requests: Requests, options: SignalOptions, *, decay: float) -> csr_array:
    """Row i: the items of request i, each weight * decay ** age in steps; float32 CSR, shape (n, I).

    An item met several times has several entries, which sums and products add up.
    """
    from scipy.sparse import csr_array

    log, weights = signals(requests.history, options)
    weighed = weights * decay ** ages(log)
    loud = weighed > _FAINTEST
    log, weighed = log.where(loud), weighed[loud].astype(np.float32)
    return csr_array((weighed, log.item, log.indptr), shape=(len(requests), len(requests.items)))
