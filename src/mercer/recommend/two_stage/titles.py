"""What titles mean: MiniLM vectors made small and whole, and each item's nearest titles.

A vector is turned to its principal directions, cut to WIDTH of them and rounded to whole numbers. Products of
whole numbers add up in float32 without rounding, in any order, so a similarity is the same to the last bit
whatever else is in the batch; and a hundred thousand items take 13 MB.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Runtime
from mercer.language import EmbeddingCache, MiniLm

Codes = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]

WIDTH = 128
SCALE = 150.0
"""Greatest length of a stored vector: a dot product is at most SCALE ** 2, far below the 2 ** 24 of float32."""
NEAREST = 60
_BLOCK_CELLS = 4_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Titles:
    """I items. vectors: int8, shape (I, d), zeros for an item without one; d is 0 where titles are not read.

    near: int32, shape (I, m): items of the nearest titles, best first, -1 where there are fewer.
    near_cos: float32, shape (I, m): their cosines, 0 there.
    """

    vectors: npt.NDArray[np.int8]
    near: Codes
    near_cos: Floats32

    @classmethod
    def none(cls, n_items: int) -> Self:
        """Titles that are not read."""
        nothing = np.zeros((n_items, 0))
        return cls(
            vectors=nothing.astype(np.int8),
            near=nothing.astype(np.int32),
            near_cos=nothing.astype(np.float32),
        )

    @classmethod
    def read(cls, titles: Sequence[str], seconds: float, runtime: Runtime) -> Self:
        """Encode the titles; those encoded before come from the cache, and after `seconds` no more are encoded.

        Raises MissingExtraError naming `make setup` when the encoder is not exported.
        """
        unique = [title for title in dict.fromkeys(titles) if title]
        if not unique:
            return cls.none(len(titles))
        cache = EmbeddingCache(MiniLm(), runtime.cache_folder)
        encoded, filled = cache.encode(unique, progress=runtime.progress, seconds=seconds)
        if not filled.all():
            log.warning("%d of %d titles were not encoded in time.", (~filled).sum(), len(filled))
        place = {title: at for at, title in enumerate(unique)}
        vectors = np.zeros((len(titles), encoded.shape[1]), np.float32)
        for item, title in enumerate(titles):
            if title:
                vectors[item] = encoded[place[title]]
        whole = small(vectors)
        near, cosines = nearest(whole, NEAREST)
        return cls(vectors=whole, near=near, near_cos=cosines)


def small(vectors: Floats32) -> npt.NDArray[np.int8]:
    """Unit vectors, shape (I, D), in at most WIDTH principal directions, in whole numbers from -127 to 127."""
    there = np.flatnonzero(np.abs(vectors).sum(axis=1) > 0)
    if not len(there):
        return np.zeros((len(vectors), 0), np.int8)
    held = vectors[there].astype(np.float64)
    _, directions = np.linalg.eigh(held.T @ held)
    turned = held @ directions[:, ::-1][:, :WIDTH]
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    out = np.zeros((len(vectors), turned.shape[1]), np.int8)
    out[there] = np.clip(np.rint(turned * SCALE), -127, 127)
    return out


def nearest(vectors: npt.NDArray[np.int8], m: int) -> tuple[Codes, Floats32]:
    """The m items of greatest positive cosine with each item, itself left out, and the cosines; ties by code."""
    n = len(vectors)
    m = min(m, n - 1) if vectors.shape[1] else 0
    near, cosines = np.full((n, max(m, 0)), -1, np.int32), np.zeros((n, max(m, 0)), np.float32)
    if m < 1:
        return near, cosines
    whole = vectors.astype(np.float32)
    length = np.sqrt((whole**2).sum(axis=1))
    scaled = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
    size = max(1, _BLOCK_CELLS // n)
    for at in range(0, n, size):
        rows = np.arange(at, min(at + size, n))
        cosine = (whole[rows] @ whole.T) * scaled[rows, None] * scaled
        cosine[np.arange(len(rows)), rows] = -1
        best = np.argpartition(-cosine, m - 1, axis=1)[:, :m]
        values = np.take_along_axis(cosine, best, 1)
        order = np.lexsort((best, -values), axis=1)
        best, values = np.take_along_axis(best, order, 1), np.take_along_axis(values, order, 1)
        near[rows] = np.where(values > 0, best, -1)
        cosines[rows] = np.maximum(values, 0)
    return near, cosines
