"""Histories as rows of equal width: what a network reads of a person, in training and in serving alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions
from mercer.recommend.steps import steps

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PADDING = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """n histories, each the last `width` events or fewer, the latest on the right; padding on the left.

    item: int32, shape (n, width): item codes, PADDING where there is none.
    age: float32, shape (n, width): steps before the last one of the history, 0 for the last step and for padding.
    weight: float32, shape (n, width): how loud the event is, 0 for padding.
    """

    item: npt.NDArray[np.int32]
    age: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.item)

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Which histories hold nothing, shape (n,)."""
        return np.asarray((self.item == PADDING).all(axis=1))

    @classmethod
    def ending(cls, log: Interactions, weights: Floats, step: Ints, at: Ints, width: int) -> Self:
        """The history of each event number of `at`, shape (n,), that event included; -1 is an empty history.

        weights, step: of the log's events, shape (N,), as `signals` and `steps` give them.
        """
        event = at[:, None] - np.arange(width - 1, -1, -1)
        if not log.n_events:
            event[:] = -1
            none = np.zeros(event.shape, np.float32)
            return cls(item=event.astype(np.int32), age=none, weight=none)
        first = np.where(at >= 0, log.indptr[np.searchsorted(log.indptr, at, side="right") - 1], 0)
        there = (event >= first[:, None]) & (at >= 0)[:, None]
        event = np.where(there, event, 0)
        return cls(
            item=np.where(there, log.item[event], PADDING).astype(np.int32),
            age=np.where(there, step[at][:, None] - step[event], 0).astype(np.float32),
            weight=np.where(there, weights[event], 0).astype(np.float32),
        )

    @classmethod
    def of_rows(cls, log: Interactions, weights: Floats, width: int) -> Self:
        """The history of each row (user, or request) of a log, as far as it goes."""
        last = np.where(log.lengths > 0, log.indptr[1:] - 1, -1)
        return cls.ending(log, weights, steps(log), last, width)

    def trimmed(self) -> Self:
        """Without the columns on the left that are padding in every row; one column stays."""
        held = np.flatnonzero((self.item != PADDING).any(axis=0))
        first = min(held[0] if len(held) else self.item.shape[1], self.item.shape[1] - 1)
        return type(self)(item=self.item[:, first:], age=self.age[:, first:], weight=self.weight[:, first:])
