"""Folds that keep all rows of an entity together and spread the rare outcome evenly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def entity_numbers(entities: Sequence[str]) -> Ints:
    """A number 0..m-1 for each row's entity, in the order of the sorted ids; shape (n,)."""
    number = {entity: at for at, entity in enumerate(sorted(set(entities)))}
    return np.fromiter((number[entity] for entity in entities), np.int64, len(entities))


def entity_folds(entities: Sequence[str], positive: npt.NDArray[np.bool_], folds: int, seed: int) -> Ints:
    """Fold 0..folds-1 of each row, shape (n,): the same for every row of an entity.

    positive, shape (n,): entities with a positive row and those without are dealt out apart, each in an
    order that a hash of id and seed gives, so neither the row order nor other entities' labels matter.
    """
    with_positive = {entity for entity, is_positive in zip(entities, positive, strict=True) if is_positive}
    fold: dict[str, int] = {}
    for group in (with_positive, set(entities) - with_positive):
        start = len(fold)
        for at, entity in enumerate(sorted(group, key=lambda e: _mixed(e, seed))):
            fold[entity] = (start + at) % folds
    return np.fromiter((fold[entity] for entity in entities), np.int64, len(entities))


def _mixed(entity: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{entity}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
