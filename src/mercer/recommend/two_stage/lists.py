"""Lists to learn from: the candidates of each request as rows of a matrix, and which of them were bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """features: blocks of float32, each of shape (m, F). bought: bool, shape (sum of m,). sizes: rows of each list."""

    features: list[Floats32]
    bought: Bools
    sizes: Ints

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    def join(cls, parts: list[Lists]) -> Lists:
        """All lists of the parts, in order."""
        return cls(
            features=[block for part in parts for block in part.features],
            bought=np.concatenate([part.bought for part in parts]) if parts else np.zeros(0, bool),
            sizes=np.concatenate([part.sizes for part in parts]) if parts else np.zeros(0, np.int64),
        )

    def divided(self, share: float, rng: np.random.Generator) -> tuple[Lists, Lists]:
        """Two parts by chance, the second with about `share` of the lists; each has a list at least."""
        second = rng.random(len(self)) < share
        if len(self) > 1:
            second[0], second[1] = False, True
        whole = np.concatenate(self.features)
        rows = np.repeat(second, self.sizes)
        parts = [
            Lists(features=[whole[inside]], bought=self.bought[inside], sizes=self.sizes[lists])
            for inside, lists in ((~rows, ~second), (rows, second))
        ]
        return (self, self) if len(self) == 1 else (parts[0], parts[1])


def kept(row: Ints, bought: Bools, n: int, negatives: int | None, rng: np.random.Generator) -> Bools:
    """Which candidates are learned from: lists that hold a purchase, of them all purchases and some of the rest.

    negatives: how many of the rest of each list, on average; None: all.
    """
    hit = np.zeros(n, bool)
    hit[row[bought]] = True
    keep = hit[row]
    if negatives is not None:
        rest = np.bincount(row[~bought], minlength=n)
        keep &= bought | (rng.random(len(row)) * np.maximum(rest, 1)[row] < negatives)
    return keep
