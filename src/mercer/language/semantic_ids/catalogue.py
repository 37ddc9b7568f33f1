"""A catalogue's semantic IDs with all that made them: vectors, codebook and paths, built at once, stored as one folder.

    FOLDER/vectors.safetensors, vectors.json      how a text becomes a vector (VectorSpace)
    FOLDER/codebook.safetensors, codebook.json    how a vector becomes codes
    FOLDER/ids.safetensors, ids.json              the paths
    FOLDER/items.safetensors, items.json          the vectors of the items

Each part names the fingerprint of the part it was made by, and a folder whose parts do not go together is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Budget, Encoder, Floats32, Interactions, Runtime, Vocabulary
from mercer.errors import DamagedError, DataError
from mercer.language.semantic_ids.codebook import Codebook
from mercer.language.semantic_ids.files import read_part, refuse_other, write_part
from mercer.language.semantic_ids.ids import SemanticIds
from mercer.language.semantic_ids.kinds import load_codebook, make_codebook, save_codebook
from mercer.language.semantic_ids.options import IdOptions
from mercer.language.semantic_ids.vectors import ItemVectors, VectorSpace, encode_items

PART, ITEMS = "vectors", "items"

Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, kw_only=True)
class SemanticCatalogue:
    """What gives items their IDs, and those that were given. vectors: float16, shape (I, t + c), of the items."""

    options: IdOptions
    space: VectorSpace
    codebook: Codebook
    ids: SemanticIds
    vectors: Halves

    @classmethod
    def build(
        cls,
        items: pd.DataFrame,
        vocabulary: Vocabulary,
        log: Interactions | None,
        encoder: Encoder,
        options: IdOptions | None = None,
        *,
        seed: int = 1,
        runtime: Runtime | None = None,
        budget: Budget | None = None,
    ) -> Self:
        """IDs of a catalogue.

        items: a frame of ITEM_COLUMNS whose row i is item code i of `vocabulary`. log: events of training that count as
        interest, or None. Raises what `ItemVectors.build` and `Codebook.fit` raise, DataError for no items.
        """
        if not len(items) or len(items) != len(vocabulary):
            raise DataError(
                f"The catalogue's frame has {len(items)} rows, its vocabulary {len(vocabulary)} ids.",
                remedy="Give a row for each item, and one item or more.",
            )
        o = options or IdOptions()
        vectors = ItemVectors.build(items, log, encoder, o.vectors, seed=seed, runtime=runtime, budget=budget)
        return cls.of_vectors(vectors, vocabulary, o, seed=seed, runtime=runtime, budget=budget)

    @classmethod
    def of_vectors(
        cls,
        vectors: ItemVectors,
        vocabulary: Vocabulary,
        options: IdOptions,
        *,
        seed: int = 1,
        runtime: Runtime | None = None,
        budget: Budget | None = None,
    ) -> Self:
        """As `build`, from vectors. Among items of equal codes, the one with more events gets the lower last token."""
        fitted = make_codebook(options).fit(vectors.joined, seed=seed, runtime=runtime, budget=budget)
        ids = SemanticIds.assign(
            fitted.encode(vectors.joined),
            fitted.sizes,
            codebook=fitted.fingerprint,
            catalogue=vocabulary.fingerprint,
            first=vectors.events,
        )
        kept = vectors.joined.astype(np.float16)
        return cls(options=options, space=vectors.space, codebook=fitted, ids=ids, vectors=kept)

    def extended(
        self,
        new: pd.DataFrame,
        vocabulary: Vocabulary,
        encoder: Encoder,
        *,
        runtime: Runtime | None = None,
        budget: Budget | None = None,
    ) -> Self:
        """The same with new items appended; no old path changes, nothing is fitted.

        new: a frame of ITEM_COLUMNS of the new items alone. vocabulary: of all items, the old ones first.
        Raises ConflictError for another encoder, DataError where the counts do not go together.
        """
        refuse_other("encoder", self.space.encoder, encoder.fingerprint)
        if len(vocabulary) != len(self.ids) + len(new):
            raise DataError(
                f"{len(self.ids)} old and {len(new)} new items do not make a vocabulary of {len(vocabulary)}.",
                remedy="Put the new items after the old ones, and give the frame of the new ones alone.",
            )
        encoded = encode_items(new, encoder, self.options.vectors, runtime=runtime, budget=budget)
        return self.extended_by(self.space.of_new(encoded), vocabulary)

    def extended_by(self, vectors: Floats32, vocabulary: Vocabulary) -> Self:
        """As `extended`, from vectors of the new items, `VectorSpace.of_new`."""
        ids = self.ids.extended(vectors, self.codebook, catalogue=vocabulary.fingerprint)
        return replace(self, ids=ids, vectors=np.concatenate([self.vectors, vectors.astype(np.float16)]))

    def save(self, folder: Path) -> None:
        """Write all parts. Raises OutputError where they can't be written."""
        facts = {"encoder": self.space.encoder, "options": self.options.model_dump(mode="json")}
        write_part(folder, PART, self.space.arrays(), facts)
        save_codebook(folder, self.codebook, space=self.space.fingerprint)
        self.ids.save(folder)
        write_part(folder, ITEMS, {"vectors": self.vectors}, {"ids": self.ids.fingerprint})

    @classmethod
    def load(cls, folder: Path, *, catalogue: str | None = None) -> Self:
        """Read what `save` wrote. catalogue: the vocabulary's fingerprint that the IDs must be for.

        Raises DamagedError for files unlike their hashes, ConflictError where parts or catalogue do not go together.
        """
        part = read_part(folder, PART)
        try:
            space = VectorSpace.of(part.arrays, part.facts["encoder"])
            options = IdOptions(**part.facts["options"])
        except (KeyError, TypeError, ValueError) as fault:
            raise DamagedError(
                f"{folder.name} holds no vectors of semantic IDs ({fault}).", remedy="Make them again."
            ) from fault
        codebook = load_codebook(folder, space=space.fingerprint)
        ids = SemanticIds.load(folder, codebook=codebook.fingerprint, catalogue=catalogue)
        items = read_part(folder, ITEMS)
        refuse_other("IDs", str(items.facts.get("ids")), ids.fingerprint)
        return cls(options=options, space=space, codebook=codebook, ids=ids, vectors=items.arrays["vectors"])
