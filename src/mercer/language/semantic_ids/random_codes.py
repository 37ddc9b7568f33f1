"""The control: codes drawn from a vector's bytes. Equal vectors get equal codes, near ones nothing in common."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Budget, Codes, Floats32, Runtime
from mercer.language.semantic_ids.codebook import Arrays, checked, hash_of
from mercer.language.semantic_ids.options import CodebookOptions


class RandomCodes:
    """L codes a vector, a function of (seed, vector) without meaning. What is decoded is the mean of all vectors."""

    kind = "random"
    Options = CodebookOptions

    def __init__(self, options: CodebookOptions | None = None) -> None:
        self.options = options or CodebookOptions()
        self._seed = 0
        self._mean: Floats32 = np.zeros(0, np.float32)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Codes of each level."""
        return (self.options.codes,) * self.options.levels

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the seed, sizes and mean."""
        return hash_of(f"{self.kind} {self.sizes}", self.arrays())

    def fit(
        self,
        vectors: Floats32,
        *,
        seed: int,
        runtime: Runtime | None = None,  # noqa: ARG002 - nothing is learned
        budget: Budget | None = None,  # noqa: ARG002
    ) -> Self:
        """See `Codebook.fit`."""
        made = type(self)(self.options)
        made._seed, made._mean = seed, checked(vectors).mean(axis=0)
        return made

    def encode(self, vectors: Floats32) -> Codes:
        """See `Codebook.encode`."""
        rows = np.ascontiguousarray(vectors, np.float32)
        codes = np.empty((len(rows), self.options.levels), np.int32)
        for number, row in enumerate(rows):
            digest = hashlib.sha256(self._seed.to_bytes(8, "little") + row.tobytes()).digest()
            drawn = np.random.default_rng(np.frombuffer(digest, np.uint32))
            codes[number] = drawn.integers(0, self.options.codes, self.options.levels)
        return codes

    def decode(self, codes: Codes) -> Floats32:
        """See `Codebook.decode`."""
        return np.repeat(self._mean[None], len(codes), axis=0)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Seed and mean."""
        return {"seed": np.array([self._seed], np.int64), "mean": self._mean}

    @classmethod
    def of(cls, arrays: Arrays, options: CodebookOptions) -> Self:
        """See `Codebook.of`."""
        made = cls(options)
        made._seed, made._mean = int(arrays["seed"][0]), arrays["mean"]
        return made
