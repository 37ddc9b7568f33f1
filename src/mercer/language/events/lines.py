"""Lines: rows of tokens, and what is foretold at each place. Every task becomes lines; the trainee reads only these."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import gather

Ints = npt.NDArray[np.int64]

NOT_FORETOLD = -1
"""Slot of a token that is only read."""

NO_EVENT = -1
"""Event of a token that is of none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """n rows; row i holds the tokens from indptr[i] to indptr[i + 1] - 1.

    token: int32, shape (N,). slot: int16, shape (N,): the number of the token's field among `EventTokenizer.slots`,
    over whose rows it is normalised, NOT_FORETOLD for one that is only read. weight: float32, shape (N,): of the
    token's term in the loss, 0 for what is only read; the first token of a row is never foretold. event: int64, shape
    (N,): which event of the log a token is of, NO_EVENT for what is of none; None where no token is of one.
    """

    indptr: Ints
    token: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int16]
    weight: npt.NDArray[np.float32]
    event: Ints | None = None

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> Ints:
        """Tokens of each row."""
        return np.diff(self.indptr)

    def take(self, rows: Ints) -> Lines:
        """The rows named, in that order."""
        indptr, index = gather(self.indptr, rows)
        event = None if self.event is None else self.event[index]
        return Lines(
            indptr=indptr,
            token=self.token[index],
            slot=self.slot[index],
            weight=self.weight[index],
            event=event,
        )

    @property
    def learning(self) -> Lines:
        """Those rows in which something is foretold."""
        total = np.zeros(len(self.weight) + 1)
        np.cumsum(self.weight, out=total[1:])
        asked = np.flatnonzero(np.diff(total[self.indptr]) > 0)
        return self if len(asked) == len(self) else self.take(asked)

    @classmethod
    def joined(cls, parts: Sequence[Lines]) -> Self:
        """All rows of several, in their order."""
        lengths = np.concatenate([part.lengths for part in parts] or [np.zeros(0, np.int64)])
        event = None
        if any(part.event is not None for part in parts):
            none = [np.full(len(part.token), NO_EVENT) for part in parts]
            known = [one if part.event is None else part.event for part, one in zip(parts, none, strict=True)]
            event = np.concatenate(known)
        return cls(
            indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            token=np.concatenate([part.token for part in parts] or [np.zeros(0, np.int32)]),
            slot=np.concatenate([part.slot for part in parts] or [np.zeros(0, np.int16)]),
            weight=np.concatenate([part.weight for part in parts] or [np.zeros(0, np.float32)]),
            event=event,
        )

    @property
    def hash(self) -> str:
        """SHA-256 of all that is learned from."""
        digest = hashlib.sha256()
        for part in (self.indptr, self.token, self.slot, self.weight):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()
