"""Residual k-means: each level's codes are k-means of what the levels before left over.

Source: residual vector quantisation, Juang and Gray, ICASSP 1982; for item IDs, Deng et al., OneRec, 2025.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import Budget, Codes, Floats32, Runtime, searched
from mercer.errors import UsageError
from mercer.language.semantic_ids.codebook import Arrays, checked, hash_of
from mercer.language.semantic_ids.kmeans import Points, kmeans
from mercer.language.semantic_ids.options import CodebookOptions


class ResidualKmeans:
    """L levels of k-means. A catalogue with fewer items than codes gets as many codes as items."""

    kind = "residual-kmeans"

    class Options(CodebookOptions):
        """Options."""

        rounds: int = Field(30, ge=1, description="rounds of k-means a level, at most")
        balance: float = searched(
            0.0,
            low=0.0,
            high=1.0,
            ge=0,
            le=1,
            description="0: plain k-means; 1: codes of a level are used alike",
        )

    def __init__(self, options: CodebookOptions | None = None) -> None:
        self.options = options if isinstance(options, self.Options) else self.Options()
        self._levels: tuple[Points, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Codes of each level."""
        return tuple(len(level.at) for level in self._fitted)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the kind and the points."""
        return hash_of(self.kind, self.arrays())

    @property
    def _fitted(self) -> tuple[Points, ...]:
        if not self._levels:
            raise UsageError("This codebook was not fitted.", remedy="Call fit, or load one that was.")
        return self._levels

    def fit(
        self,
        vectors: Floats32,
        *,
        seed: int,
        runtime: Runtime | None = None,
        budget: Budget | None = None,  # noqa: ARG002 - seconds on any catalogue that fits into memory
    ) -> Self:
        """See `Codebook.fit`. Returns a new, fitted codebook."""
        o, told = self.options, (runtime or Runtime()).progress
        left = checked(vectors)
        levels = []
        for level in range(o.levels):
            chance = np.random.default_rng([seed, level])
            k = min(o.codes, len(left))
            points = kmeans(left, k, rounds=o.rounds, balance=o.balance, chance=chance)
            left = left - points.at[points.nearest(left)]
            levels.append(points)
            told.advance(level + 1, o.levels, "levels of codes")
        return self._of(levels, o)

    @classmethod
    def _of(cls, levels: list[Points], options: CodebookOptions) -> Self:
        made = cls(options)
        made._levels = tuple(levels)
        return made

    def encode(self, vectors: Floats32) -> Codes:
        """See `Codebook.encode`."""
        left = np.asarray(vectors, np.float32)
        codes = np.empty((len(left), len(self._fitted)), np.int32)
        for level, points in enumerate(self._fitted):
            codes[:, level] = points.nearest(left)
            left = left - points.at[codes[:, level]]
        return codes

    def decode(self, codes: Codes) -> Floats32:
        """See `Codebook.decode`."""
        parts = [points.at[codes[:, level]] for level, points in enumerate(self._fitted)]
        return np.asarray(np.sum(parts, axis=0), np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Points and prices by level."""
        named = enumerate(self._fitted)
        return {f"{part}.{at}": getattr(level, part) for at, level in named for part in ("at", "price")}

    @classmethod
    def of(cls, arrays: Arrays, options: CodebookOptions) -> Self:
        """See `Codebook.of`."""
        return cls._of(
            [Points(arrays[f"at.{n}"], arrays[f"price.{n}"]) for n in range(len(arrays) // 2)], options
        )
