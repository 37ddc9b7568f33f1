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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """n rows; row i holds the tokens from indptr[i] to indptr[i + 1] - 1.

    token: int32, shape (N,). slot: int16, shape (N,): the number of the token's field among `EventTokenizer.slots`,
    over whose rows it is normalised, NOT_FORETOLD for one that is only read. weight: float32, shape (N,): of the
    token's term in the loss, 0 for what is only read; the first token of a row is never foretold.
    """

    indptr: Ints
    token: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int16]
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> Ints:
        """Tokens of each row."""
        return np.diff(self.indptr)

    def take(self, rows: Ints) -> Lines:
        """The rows named, in that order."""
        indptr, index = gather(self.indptr, rows)
        return Lines(indptr=indptr, token=self.token[index], slot=self.slot[index], weight=self.weight[index])

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
        return cls(
            indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            token=np.concatenate([part.token for part in parts] or [np.zeros(0)]).astype(np.int32),
            slot=np.concatenate([part.slot for part in parts] or [np.zeros(0)]).astype(np.int16),
            weight=np.concatenate([part.weight for part in parts] or [np.zeros(0)]).astype(np.float32),
        )

    @property
    def hash(self) -> str:
        """SHA-256 of all that is learned from."""
        digest = hashlib.sha256()
        for part in (self.indptr, self.token, self.slot, self.weight):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()
