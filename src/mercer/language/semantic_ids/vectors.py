"""What an item is, as one vector: what its text says, and what its buyers buy near it, as far as both are known.

Text: the encoder's vectors about their mean, in their principal directions, of unit length. Collaborative part: from
the training log alone. What a text foretells of it (a ridge regression on the items that have events) stands in where
an item has few events or none, so a new item has both parts. `VectorSpace` is what was learned: it makes vectors of
new items from their texts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Budget, Encoder, Floats32, Interactions, Runtime
from mercer.errors import DataError, SpentError
from mercer.language.decoders.plain import clean
from mercer.language.semantic_ids.codebook import Arrays, hash_of
from mercer.language.semantic_ids.cooccurrence import directions, near
from mercer.language.semantic_ids.options import FIELDS, VectorOptions
from mercer.language.vectors import EmbeddingCache

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class VectorSpace:
    """How texts become a vector. F fields; D: the encoder's width, t: `text_width`, c: `collaborative_width` or 0.

    mean: float32, shape (F, D). turn: float32, shape (F * D, t). foretell: float32, shape (t + 1, c), its last row is
    for every item. weights: float32, shape (2,): of the two parts; their squares sum to 1. encoder: its fingerprint.
    """

    mean: Floats32
    turn: Floats32
    foretell: Floats32
    weights: Floats32
    encoder: str

    @property
    def width(self) -> int:
        """Numbers of a vector, t + c."""
        return int(self.turn.shape[1] + self.foretell.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides vectors."""
        return hash_of(self.encoder, self.arrays())

    def text(self, encoded: Floats32) -> Floats32:
        """The text part, float32, shape (n, t), rows of unit length, of `encode_items`, shape (n, F, D); zeros where an
        item has no text."""
        return _unit(_centred(encoded, self.mean) @ self.turn)

    def foretold(self, text: Floats32) -> Floats32:
        """The collaborative part that a text part foretells, float32, shape (n, c), rows of unit length."""
        return _unit(text @ self.foretell[:-1] + self.foretell[-1])

    def joined(self, text: Floats32, collaborative: Floats32) -> Floats32:
        """Both parts side by side, weighed, float32, shape (n, t + c)."""
        return np.concatenate([self.weights[0] * text, self.weights[1] * collaborative], axis=1)

    def of_new(self, encoded: Floats32) -> Floats32:
        """Vectors, float32, shape (n, t + c), of items without events, from `encode_items`, shape (n, F, D)."""
        text = self.text(encoded)
        return self.joined(text, self.foretold(text))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that was learned."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "encoder"}

    @classmethod
    def of(cls, arrays: Arrays, encoder: str) -> Self:
        """The space that `arrays` were taken from."""
        return cls(**arrays, encoder=encoder)


@dataclass(frozen=True, kw_only=True)
class ItemVectors:
    """I items.

    text: float32, shape (I, t). collaborative: float32, shape (I, c). joined: float32, shape (I, t + c), what a
    codebook reads. events: int64, shape (I,), that an item had in training.
    """

    text: Floats32
    collaborative: Floats32
    joined: Floats32
    events: npt.NDArray[np.int64]
    space: VectorSpace

    @classmethod
    def build(
        cls,
        items: pd.DataFrame,
        log: Interactions | None,
        encoder: Encoder,
        options: VectorOptions | None = None,
        *,
        seed: int = 1,
        runtime: Runtime | None = None,
        budget: Budget | None = None,
    ) -> Self:
        """Read a frame of ITEM_COLUMNS and the events of training that count as interest, None for text alone.

        Texts are encoded as far as the cache lacks them; it costs seconds a hundred. Raises DataError where a text
        vector is no number, SpentError where the budget ended before all texts were encoded (the next call goes on).
        """
        o = options or VectorOptions()
        encoded = encode_items(items, encoder, o, runtime=runtime, budget=budget)
        return cls.of_encoded(encoded, log, o, encoder=encoder.fingerprint, seed=seed)

    @classmethod
    def of_encoded(
        cls,
        encoded: Floats32,
        log: Interactions | None,
        options: VectorOptions,
        *,
        encoder: str,
        seed: int = 1,
    ) -> Self:
        """As `build`, from what `encode_items` gave, float32, shape (I, F, D)."""
        mean, turn = _principal(encoded, options.text_width)
        heard = log is not None and log.n_events > 0 and options.collaborative > 0
        c = options.collaborative if heard else 0.0
        space = VectorSpace(
            mean=mean,
            turn=turn,
            foretell=np.zeros((turn.shape[1] + 1, 0), np.float32),
            weights=np.sqrt(np.array([1 - c, c], np.float32)),
            encoder=encoder,
        )
        text = space.text(encoded)
        events = np.zeros(len(encoded), np.int64)
        collaborative = np.zeros((len(encoded), 0), np.float32)
        if heard and log is not None:
            events = np.bincount(log.item, minlength=len(encoded)).astype(np.int64)
            own = directions(near(log, options), options.collaborative_width, seed=seed)
            known = (own != 0).any(axis=1)
            foretell = _ridge(text[known], own[known], options.ridge)
            space = replace(space, foretell=foretell)
            share = (events / np.maximum(events + options.shrinkage, 1))[:, None] * known[:, None]
            collaborative = _unit(share * own + (1 - share) * space.foretold(text))
        return cls(
            text=text,
            collaborative=collaborative,
            joined=space.joined(text, collaborative),
            events=events,
            space=space,
        )


def encode_items(
    items: pd.DataFrame,
    encoder: Encoder,
    options: VectorOptions,
    *,
    runtime: Runtime | None = None,
    budget: Budget | None = None,
) -> Floats32:
    """The encoder's vectors of every field in the order of FIELDS, weighed, float32, shape (n, F, D); zeros without it.

    Raises SpentError where the budget ended before all texts were encoded: the next call goes on.
    """
    end = time.monotonic() + (budget or Budget()).seconds
    parts = []
    for name in (one for one in FIELDS if one in options.fields):
        left = Budget(end - time.monotonic())
        found = encode_texts(texts_of(items, name), encoder, runtime=runtime, budget=left)
        parts.append(np.float32(options.fields[name]) * found)
    return np.stack(parts, axis=1)


def texts_of(items: pd.DataFrame, column: str) -> list[str]:
    """A column of texts without spaces around them; "" where it is absent or unknown, "?" for what no UTF-8 holds."""
    if column not in items.columns:
        return [""] * len(items)
    return ["" if pd.isna(one) else clean(str(one)).strip() for one in items[column].tolist()]


def encode_texts(
    texts: Sequence[str], encoder: Encoder, *, runtime: Runtime | None = None, budget: Budget | None = None
) -> Floats32:
    """The encoder's vectors through the cache, float32, shape (n, D); zeros for an empty text."""
    runtime, budget = runtime or Runtime(), budget or Budget()
    different = [text for text in dict.fromkeys(texts) if text]
    out = np.zeros((len(texts), encoder.dimension), np.float32)
    if not different:
        return out
    cache = EmbeddingCache(encoder, runtime.cache_folder)
    encoded, filled = cache.encode(different, progress=runtime.progress, seconds=budget.seconds)
    if not filled.all():
        raise SpentError(
            f"{int((~filled).sum())} of {len(filled)} texts were not encoded within {budget.seconds:g} s.",
            remedy="Call again with more seconds: what was encoded is kept.",
        )
    row = {text: number for number, text in enumerate(different)}
    there = np.array([bool(text) for text in texts])
    out[there] = encoded[[row[text] for text in texts if text]]
    return out


def _centred(encoded: Floats32, mean: Floats32) -> Floats32:
    """Each field about its mean, zeros where it is not there, float32, shape (n, F * D)."""
    there = (encoded != 0).any(axis=2, keepdims=True)
    return np.where(there, encoded - mean, np.float32(0)).reshape(len(encoded), -1)


def _principal(encoded: Floats32, width: int) -> tuple[Floats32, Floats32]:
    """Means and principal directions. Raises DataError naming an item whose vector is no number."""
    bad = np.flatnonzero(~np.isfinite(encoded).all(axis=(1, 2)))
    if len(bad):
        raise DataError(
            f"A text of item {bad[0]} was encoded to a vector that holds NaN or infinity.",
            remedy="Export the encoder again (make setup).",
        )
    held = (encoded != 0).any(axis=2).sum(axis=0)
    mean = (encoded.sum(axis=0, dtype=np.float64) / np.maximum(held, 1)[:, None]).astype(np.float32)
    rows = _centred(encoded, mean).astype(np.float64)
    _, found = np.linalg.eigh(rows.T @ rows)
    return mean, np.ascontiguousarray(found[:, ::-1][:, :width], np.float32)


def _ridge(text: Floats32, wanted: Floats32, penalty: float) -> Floats32:
    """Coefficients, float32, shape (t + 1, c), the last row without penalty: the means are taken off first."""
    x, y = text.astype(np.float64), wanted.astype(np.float64)
    x_mean, y_mean = (one.mean(axis=0) if len(one) else np.zeros(one.shape[1]) for one in (x, y))
    x, y = x - x_mean, y - y_mean
    found = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    return np.concatenate([found, (y_mean - x_mean @ found)[None]]).astype(np.float32)


def _unit(rows: npt.NDArray[np.floating]) -> Floats32:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-6), np.float32)
