"""Few-shot examples: a pool made of training data alone, and which of it stand in a prompt.

By chance they are drawn once with the seed and are the same for every request, so that their part of the prompt is
computed once. By likeness they are those whose text is nearest to the request's in MiniLM vectors, nearest last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from mercer.contracts import Encoder, Floats32
from mercer.language.minilm import MiniLm

By = Literal["random", "nearest"]

MOST = 500
"""Examples that a pool keeps; a larger one is thinned by the seed."""


@dataclass(frozen=True)
class Examples:
    """A pool of examples. keys: what each is found by (a query, the last title of a history).

    values: of each example's variables. vectors: unit vectors of the keys, shape (n, d); d is 0 where they are drawn.
    """

    keys: tuple[str, ...] = ()
    values: tuple[Mapping[str, Any], ...] = ()
    n: int = 0
    by: By = "random"
    seed: int = 0
    vectors: Floats32 | None = None
    encoder: Encoder | None = None

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, Mapping[str, Any]]], *, n: int, by: By, seed: int) -> Self:
        """A pool of (key, values) pairs. n: examples in a prompt.

        Raises MissingExtraError naming `make setup` where they are chosen by likeness and the encoder is not exported.
        """
        if not n or not pairs:
            return cls()
        kept = np.random.default_rng([seed, 2]).permutation(len(pairs))[: MOST if by == "nearest" else 4 * n]
        chosen = [pairs[at] for at in kept]
        keys = tuple(key for key, _ in chosen)
        encoder = MiniLm() if by == "nearest" else None
        vectors = None if encoder is None else encoder.encode(keys, "query")
        return cls(keys, tuple(values for _, values in chosen), n, by, seed, vectors, encoder)

    def chosen(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """The examples for a request; never one with the request's own key, which would hold the answer."""
        others = [at for at, other in enumerate(self.keys) if other.casefold() != key.casefold()]
        if self.vectors is not None and self.encoder is not None:
            near = self.vectors @ self.encoder.encode([key], "query")[0]
            others = sorted(others, key=lambda at: -near[at])[: self.n][::-1]
        return tuple(self.values[at] for at in others[: self.n])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; vectors are made again from the keys."""
        return {
            "keys": list(self.keys), "values": [dict(one) for one in self.values],
            "n": self.n, "by": self.by, "seed": self.seed,
            "encoder": None if self.encoder is None else self.encoder.fingerprint,
        }  # fmt: skip

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Self:
        """What `to_json` wrote.

        Raises KeyError, TypeError or ValueError for what it did not write, and for vectors of another encoder.
        """
        encoder = MiniLm() if held["encoder"] is not None else None
        if encoder is not None and encoder.fingerprint != held["encoder"]:
            raise ValueError("another encoder")
        keys = tuple(str(key) for key in held["keys"])
        vectors = None if encoder is None else encoder.encode(keys, "query")
        values = tuple(dict(one) for one in held["values"])
        return cls(keys, values, int(held["n"]), held["by"], int(held["seed"]), vectors, encoder)
