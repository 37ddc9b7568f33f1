"""What turns vectors into codes and back. A codebook is fitted once and then lives with its catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Budget, Codes, Floats32, Runtime
from mercer.errors import DataError
from mercer.language.semantic_ids.options import CodebookOptions

Arrays = Mapping[str, npt.NDArray[Any]]


class Codebook(Protocol):
    """Vectors to paths of codes. L levels of codes."""

    @property
    def kind(self) -> str:
        """Its name in files and options."""
        ...

    @property
    def options(self) -> CodebookOptions:
        """Its resolved options."""
        ...

    @property
    def sizes(self) -> tuple[int, ...]:
        """Codes of each level."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides codes; a fitted codebook never changes it."""
        ...

    def fit(
        self, vectors: Floats32, *, seed: int, runtime: Runtime | None = None, budget: Budget | None = None
    ) -> Self:
        """Learn from vectors, shape (n, d). Raises DataError without rows, or where a number is not finite."""
        ...

    def encode(self, vectors: Floats32) -> Codes:
        """Codes, int32, shape (n, L), of vectors, shape (n, d)."""
        ...

    def decode(self, codes: Codes) -> Floats32:
        """The vectors that codes, shape (n, L), stand for: float32, shape (n, d)."""
        ...

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that was learned."""
        ...

    @classmethod
    def of(cls, arrays: Arrays, options: CodebookOptions) -> Self:
        """The codebook that `arrays` were taken from."""
        ...


def checked(vectors: Floats32) -> Floats32:
    """Vectors that a codebook can learn from. Raises DataError without rows, or naming a row that holds no number."""
    if vectors.ndim != 2 or not len(vectors):
        raise DataError(
            f"Semantic IDs need vectors of shape (items, width); these have shape {vectors.shape}.",
            remedy="Give a catalogue of one item or more.",
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise DataError(
            f"The vector of item {bad[0]} holds NaN or infinity ({len(bad)} of {len(vectors)} items do).",
            remedy="Export the encoder again (make setup), or mend the vectors.",
        )
    return vectors.astype(np.float32, copy=False)


def hash_of(kind: str, arrays: Arrays) -> str:
    """SHA-256 over the kind and every array, with names, types and shapes."""
    digest = hashlib.sha256(kind.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
