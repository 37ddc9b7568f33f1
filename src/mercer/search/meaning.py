"""The half of a search that follows meaning: the catalogue's vectors and the encoder that made them."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.contracts import Options as BaseOptions
from mercer.errors import DamagedError, MercerError
from mercer.language import EmbeddingCache, MiniLm
from mercer.search.dense import DenseIndex
from mercer.search.documents import passages

ENCODER = "encoder"
_TEXTS_PER_SECOND = 90.0

log = logging.getLogger(__name__)


class MeaningOptions(BaseOptions):
    """How the encoder is kept."""

    bundle_encoder: bool = Field(
        True, description="save the encoder (90 MB) with the index, so a release needs nothing else"
    )


class Meaning:
    """Vectors of title and description of every item, and the encoder for queries."""

    def __init__(self, dense: DenseIndex, encoder: MiniLm) -> None:
        self.dense = dense
        self._encoder = encoder

    @classmethod
    def build(cls, train: Dataset, seconds: float, runtime: Runtime) -> Self:
        """Encode the catalogue of `train`; texts encoded before come from the cache.

        A build that would pass its `seconds` stops encoding, and a warning says how many texts have no vector.
        Raises MissingExtraError naming `make setup` when the encoder is not exported.
        """
        encoder = MiniLm()
        texts = passages(train.items)
        unique = list(dict.fromkeys(texts))
        cache = EmbeddingCache(encoder, runtime.cache_folder)
        vectors, filled = cache.encode(unique, progress=runtime.progress, seconds=seconds)
        numbers = np.where(filled, np.cumsum(filled) - 1, -1)
        row_of_text = dict(zip(unique, numbers.tolist(), strict=True))
        row_of = np.array([row_of_text[text] for text in texts], np.int32)
        if not filled.all():
            log.warning("%d of %d texts were not encoded in time.", (~filled).sum(), len(filled))
        return cls(DenseIndex(vectors[filled], row_of, encoder.fingerprint), encoder)

    @classmethod
    def open(cls, folder: Path, options: MeaningOptions) -> Self:
        """Read what `save` wrote.

        Raises DamagedError when something is not whole, or the encoder is not the one that made the vectors.
        """
        dense = DenseIndex.open(folder)
        encoder = MiniLm(folder / ENCODER if options.bundle_encoder else None)
        if encoder.fingerprint != dense.fingerprint:
            raise DamagedError(
                "The text encoder is not the one that made the vectors of this index.",
                remedy="Fit again, or install the encoder that was used.",
            )
        return cls(dense, encoder)

    def save(self, folder: Path, options: MeaningOptions) -> None:
        """Write the vectors and, unless switched off, the encoder."""
        self.dense.save(folder)
        target = folder / ENCODER
        if options.bundle_encoder and target.resolve() != self._encoder.folder.resolve():
            shutil.copytree(self._encoder.folder, target, dirs_exist_ok=True)

    @property
    def words(self) -> frozenset[str]:
        """Words of the language that the encoder knows whole."""
        return self._encoder.words

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.dense.row_of)

    def similarities(self, query: str) -> Floats32:
        """Cosine of the query with every item, shape (I,); -inf for an item without a vector."""
        return self.dense.similarities(self._encoder.encode([query], "query")[0])

    @staticmethod
    def parameters() -> list[tuple[str, str]]:
        """What decides the order by meaning, in plain words."""
        return [
            (
                "meaning of the query",
                "products whose title and description mean nearly the same to a language model come higher",
            )
        ]


def estimate_meaning(train: Dataset) -> Estimate:
    """What encoding takes of the texts that the cache lacks."""
    texts = set(passages(train.items))
    try:
        missing = EmbeddingCache(MiniLm()).missing(list(texts))
    except MercerError:
        missing = len(texts)
    return Estimate(seconds=missing / _TEXTS_PER_SECOND, peak_mib=250 + 3 * len(texts) * 384 * 4 / 2**20)
