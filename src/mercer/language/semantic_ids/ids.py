"""A path of its own for every item: L codes of a codebook, and one token that tells apart items of equal codes.

The last token is always there, 0 where the codes are an item's own, so all paths are of one length T = L + 1. It has
room for twice the largest group, so new items find a place; a path once given never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Codes, Floats32
from mercer.errors import DamagedError, DataError, TooLargeError
from mercer.language.semantic_ids.codebook import Codebook
from mercer.language.semantic_ids.files import read_part, refuse_other, write_part

PART = "ids"
LEAST_ROOM = 8
"""Tokens of the last level, at least."""


@dataclass(frozen=True, kw_only=True)
class SemanticIds:
    """Paths of I items.

    codes: int32, shape (I, T), row i is item code i's path; no two rows are equal. sizes: T sizes, codes of a level
    are 0 to size - 1. codebook, catalogue: fingerprints of what they were made by and for (`Vocabulary.fingerprint`).
    n_base: items that were there when the sizes were fixed; those after them came later.
    Raises DataError where the codes are not of that form.
    """

    codes: Codes
    sizes: tuple[int, ...]
    codebook: str
    catalogue: str
    n_base: int

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.sizes) or not len(self.codes):
            raise DataError(
                f"Semantic IDs of shape {self.codes.shape} do not go with {len(self.sizes)} sizes.",
                remedy="Give one row an item and one column a size.",
            )
        outside = (self.codes < 0) | (self.codes >= np.asarray(self.sizes))
        if outside.any():
            item, level = np.argwhere(outside)[0]
            raise DataError(
                f"Item {item} has the code {self.codes[item, level]} at level {level + 1}, which has "
                f"{self.sizes[level]} codes.",
                remedy="Codes go from 0 to the size - 1.",
            )
        if len(np.unique(self.codes, axis=0)) != len(self.codes):
            raise DataError("Two items have the same path.", remedy="Use SemanticIds.assign.")

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def depth(self) -> int:
        """Tokens of a path, T."""
        return len(self.sizes)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all paths, sizes, codebook and catalogue."""
        return self._hash(self.codes, self.catalogue)

    @cached_property
    def base(self) -> str:
        """SHA-256 of what a model that learned these IDs knows of them; the same after items were added."""
        return self._hash(self.codes[: self.n_base], "")

    def _hash(self, codes: Codes, catalogue: str) -> str:
        digest = hashlib.sha256(f"{self.sizes}\0{self.codebook}\0{catalogue}\0{codes.shape}\0".encode())
        digest.update(np.ascontiguousarray(codes, np.int32).tobytes())
        return digest.hexdigest()

    @classmethod
    def assign(
        cls,
        codes: Codes,
        sizes: Sequence[int],
        *,
        codebook: str,
        catalogue: str,
        first: npt.NDArray[np.number] | None = None,
    ) -> Self:
        """Give codes, shape (I, L), with L sizes, their last token.

        first: of each item, shape (I,): among items of equal codes the one with more gets the lower token; without it,
        the lower item code does.
        """
        order = np.arange(len(codes)) if first is None else np.argsort(-np.asarray(first), kind="stable")
        last = np.empty(len(codes), np.int32)
        last[order] = _places(codes[order])
        room = max(LEAST_ROOM, 2 * int(last.max(initial=0)) + 2)
        return cls(
            codes=np.column_stack([codes, last]).astype(np.int32),
            sizes=(*map(int, sizes), 1 << (room - 1).bit_length()),
            codebook=codebook,
            catalogue=catalogue,
            n_base=len(codes),
        )

    def extended(self, vectors: Floats32, codebook: Codebook, *, catalogue: str) -> Self:
        """Paths for new items, appended; every old path stays.

        vectors: float32, shape (n, d), of the new items. catalogue: fingerprint of the vocabulary of all items, old
        ones first. An item whose codes are all taken gets the nearest last code that is not.
        Raises ConflictError for another codebook, TooLargeError where no path with an item's first codes is left.
        """
        refuse_other("codebook", self.codebook, codebook.fingerprint)
        if not len(vectors):
            return replace(self, catalogue=catalogue)
        room = self.sizes[-1]
        wanted = codebook.encode(vectors)
        held = _counts(self.codes[:, :-1])
        new = np.empty((len(vectors), self.depth), np.int32)
        for row, path in enumerate(wanted):
            key = tuple(path.tolist())
            if held.get(key, 0) >= room:
                key = _nearest_free(vectors[row], path, codebook, held, room)
            new[row] = (*key, held.get(key, 0))
            held[key] = held.get(key, 0) + 1
        return replace(self, codes=np.concatenate([self.codes, new]), catalogue=catalogue)

    def save(self, folder: Path) -> None:
        """Write ids.safetensors and ids.json."""
        facts = {
            "sizes": list(self.sizes),
            "codebook": self.codebook,
            "catalogue": self.catalogue,
            "n_base": self.n_base,
        }
        write_part(folder, PART, {"codes": self.codes}, facts)

    @classmethod
    def load(cls, folder: Path, *, codebook: str | None = None, catalogue: str | None = None) -> Self:
        """Read what `save` wrote.

        codebook, catalogue: fingerprints they must belong to; ConflictError otherwise. Raises DamagedError where the
        files differ from their hash or are no IDs.
        """
        part = read_part(folder, PART)
        try:
            facts = part.facts
            found = cls(
                codes=part.arrays["codes"],
                sizes=tuple(facts["sizes"]),
                codebook=facts["codebook"],
                catalogue=facts["catalogue"],
                n_base=facts["n_base"],
            )
        except (KeyError, TypeError, DataError) as fault:
            raise DamagedError(
                f"{folder.name} holds no semantic IDs ({fault}).", remedy="Make them again."
            ) from fault
        refuse_other("codebook", found.codebook, codebook)
        refuse_other("catalogue", found.catalogue, catalogue)
        return found


def random_ids(n_items: int, sizes: Sequence[int], *, seed: int, catalogue: str = "") -> SemanticIds:
    """A control: paths of L drawn codes without meaning, told apart in the same way."""
    chance = np.random.default_rng(seed)
    codes = np.stack([chance.integers(0, size, n_items, dtype=np.int32) for size in sizes], axis=1)
    return SemanticIds.assign(codes, sizes, codebook=f"random {seed}", catalogue=catalogue)


def _places(codes: Codes) -> npt.NDArray[np.int32]:
    """How many rows before each row are equal to it, int32, shape (n,)."""
    _, group = np.unique(codes, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    size = np.bincount(group)
    start = np.repeat(np.cumsum(size) - size, size)
    places = np.empty(len(codes), np.int32)
    places[order] = np.arange(len(codes)) - start
    return places


def _counts(codes: Codes) -> dict[tuple[int, ...], int]:
    """Items of every path of codes that is held."""
    paths, count = np.unique(codes, axis=0, return_counts=True)
    return {tuple(path): int(n) for path, n in zip(paths.tolist(), count, strict=True)}


def _nearest_free(
    vector: Floats32, path: Codes, codebook: Codebook, held: dict[tuple[int, ...], int], room: int
) -> tuple[int, ...]:
    """The path with the same first codes whose vector is nearest and which has a token left."""
    size = codebook.sizes[-1]
    beside = np.repeat(path[None], size, axis=0)
    beside[:, -1] = np.arange(size)
    apart = ((codebook.decode(beside) - vector) ** 2).sum(axis=1)
    for last in np.argsort(apart, kind="stable"):
        key = tuple(beside[last].tolist())
        if held.get(key, 0) < room:
            return key
    raise TooLargeError(
        f"No path is left for a new item: all {size} x {room} with the codes {path[:-1].tolist()} are taken.",
        remedy="Make the semantic IDs again with more codes or levels.",
    )
