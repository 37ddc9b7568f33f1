"""What the catalogue says of items, as a network reads it: a vector of the title, brand, category path and price.

It is what gives an item without any history a place. Text vectors are MiniLM's, frozen: the mean is taken off, since
all titles of a shop share most of it, and the principal directions of the rest are kept, of unit length.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Floats32, Runtime
from mercer.errors import DataError, MercerError
from mercer.language import EmbeddingCache, MiniLm
from mercer.recommend.two_stage.catalogue import Catalogue, texts

Codes = npt.NDArray[np.int64]

PRICE_LEVELS = 16
UNKNOWN = 0
"""Code of what is not known; it has an embedding of its own, since what is missing says something, too."""

_SECONDS_A_TEXT = 0.011

log = logging.getLogger(__name__)


class ContentOptions(Protocol):
    """What is read of items: kinds of `options.KINDS`, and principal directions kept of title vectors."""

    @property
    def content(self) -> tuple[str, ...]:
        """Kinds of content."""
        ...

    @property
    def text_width(self) -> int:
        """Principal directions."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """I items.

    text: float32, shape (I, t), zeros for an item without a title; t is 0 where titles are not read.
    codes: int64, shape (I, c), a column for the brand, for each level of the category path and for the price, as far
    as they are read and tell items apart; UNKNOWN where nothing is known.
    sizes: of each column, its greatest code + 1. names: of each column.
    """

    text: Floats32
    codes: Codes
    names: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each column."""
        return tuple(int(column.max(initial=0)) + 1 for column in self.codes.T)

    @classmethod
    def read(
        cls,
        items: pd.DataFrame,
        options: ContentOptions,
        seconds: float,
        runtime: Runtime,
        *,
        encode: bool = True,
    ) -> Self:
        """Read a frame of ITEM_COLUMNS; titles are encoded for at most `seconds`, as far as the cache lacks them.

        encode: False writes zeros for text vectors, for who needs their shape alone.
        Raises DataError naming column and row when a number is not finite, MissingExtraError naming `make setup` when
        titles are to be read and the encoder is not exported.
        """
        kinds = options.content
        if "price" in kinds:
            refuse_what_is_no_number(items)
        text = np.zeros((len(items), options.text_width if "title" in kinds else 0), np.float32)
        if "title" in kinds and encode:
            text = principal(_title_vectors(texts(items, "title"), seconds, runtime), options.text_width)
        catalogue = Catalogue.of(items)
        columns: dict[str, npt.NDArray[np.integer]] = {}
        if "brand" in kinds:
            columns["brand"] = catalogue.brand + 1
        if "category" in kinds:
            columns |= {f"category {level + 1}": nodes + 1 for level, nodes in enumerate(catalogue.nodes.T)}
        if "price" in kinds:
            columns["price"] = _levels(catalogue.price)
        telling = {name: codes for name, codes in columns.items() if len(np.unique(codes)) > 1}
        codes = np.stack(list(telling.values()), 1) if telling else np.zeros((len(items), 0))
        return cls(text=text, codes=codes.astype(np.int64), names=tuple(telling))


def refuse_what_is_no_number(items: pd.DataFrame) -> None:
    """Raises DataError naming column and row for a price that is not finite: unknown prices are -1, and say so."""
    if "price_minor" not in items.columns:
        return
    price = pd.to_numeric(items["price_minor"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(price))
    if len(bad):
        raise DataError(
            f"items: column price_minor is no finite number in row {bad[0]} ({len(bad)} of {len(price)} rows).",
            remedy="Write -1 where a price is unknown, or leave 'price' out of the option `content`.",
        )


def principal(vectors: Floats32, width: int) -> Floats32:
    """Vectors, shape (I, D), zeros where there is none, about their mean in at most `width` principal directions.

    Rows are of unit length, or 0 where there was no vector or nothing is left of it.
    Raises DataError naming the row when a number is not finite.
    """
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise DataError(
            f"items: the title of row {row} was encoded to a vector that holds NaN or infinity.",
            remedy="Export the encoder again (make setup), or leave 'title' out of the option `content`.",
        )
    there = np.flatnonzero(np.abs(vectors).sum(axis=1) > 0)
    width = min(width, vectors.shape[1])
    out = np.zeros((len(vectors), width), np.float32)
    if len(there):
        held = vectors[there].astype(np.float64)
        held -= held.mean(axis=0)
        _, directions = np.linalg.eigh(held.T @ held)
        turned = held @ directions[:, ::-1][:, :width]
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        out[there] = np.divide(turned, length, out=np.zeros_like(turned), where=length > 1e-6)
    return out


def _title_vectors(titles: list[str], seconds: float, runtime: Runtime) -> Floats32:
    unique = [title for title in dict.fromkeys(titles) if title]
    if not unique:
        return np.zeros((len(titles), 0), np.float32)
    cache = EmbeddingCache(MiniLm(), runtime.cache_folder)
    encoded, filled = cache.encode(unique, progress=runtime.progress, seconds=seconds)
    if not filled.all():
        log.warning("%d of %d titles were not encoded in time.", (~filled).sum(), len(filled))
    row_of = {title: row for row, title in enumerate(unique)}
    rows = np.array([row_of.get(title, -1) for title in titles])
    return np.where((rows >= 0)[:, None], encoded[rows], np.float32(0))


def _levels(price: Floats32) -> Codes:
    """PRICE_LEVELS levels with about equal numbers of items; UNKNOWN where the price is NaN."""
    known = ~np.isnan(price)
    if not known.any():
        return np.full(len(price), UNKNOWN)
    edges = np.unique(np.quantile(price[known], np.linspace(0, 1, PRICE_LEVELS + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, np.nan_to_num(price), side="right") + 1, UNKNOWN)


def encoding_seconds(items: pd.DataFrame, options: ContentOptions) -> float:
    """What encoding the titles takes that the cache lacks."""
    if "title" not in options.content:
        return 0.0
    titles = list(dict.fromkeys(title for title in texts(items, "title") if title))
    try:
        return _SECONDS_A_TEXT * EmbeddingCache(MiniLm()).missing(titles)
    except MercerError:
        return _SECONDS_A_TEXT * len(titles)
