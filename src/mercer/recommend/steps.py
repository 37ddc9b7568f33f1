"""The order of a history. What was bought at once has no order, so a basket or an instant is one step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions


def steps(log: Interactions) -> npt.NDArray[np.int64]:
    """Step number of each event within its user, from 0, shape (N,).

    An event shares the step of the one before it when both are of one basket or, in a log with a clock, of
    one instant. Without a clock the positions themselves are the steps.
    """
    n = log.n_events
    if n == 0:
        return np.zeros(0, np.int64)
    new = np.ones(n, bool)
    together = (log.basket[1:] == log.basket[:-1]) & (log.basket[1:] >= 0)
    if log.has_clock:
        together |= log.time[1:] == log.time[:-1]
    new[1:] = ~together
    first = log.indptr[:-1][log.lengths > 0]
    new[first] = True
    running = np.cumsum(new)
    return np.asarray(running - np.repeat(running[first], log.lengths[log.lengths > 0]), np.int64)


def ages(log: Interactions) -> npt.NDArray[np.int64]:
    """How many steps each event lies before its user's last one, shape (N,); 0 for the last step."""
    numbers = steps(log)
    held = log.lengths > 0
    last = numbers[log.indptr[1:][held] - 1]
    return np.asarray(np.repeat(last, log.lengths[held]) - numbers, np.int64)
