"""IDs, tokenizer and decoder as one: made together, saved and loaded whole, refused where they do not go together.

FOLDER/ids/      vectors, codebook and paths of the catalogue (SemanticCatalogue)
FOLDER/decoder/  weights, configuration and tokenizer (EventDecoder)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Dataset, Encoder, Runtime, Vocabulary
from mercer.errors import DamagedError
from mercer.language.events import EventTokenizer, Lines
from mercer.language.events.decoder import EventDecoder
from mercer.language.semantic_ids import SemanticCatalogue
from mercer.recommend.generative.counted import Counted
from mercer.recommend.generative.options import GenerativeOptions
from mercer.recommend.generative.search import Search
from mercer.training import files

if TYPE_CHECKING:
    from mercer.language.events.trainee import EventTrainee

Digest = npt.NDArray[np.uint8]

IDS, DECODER = "ids", "decoder"


@dataclass(frozen=True)
class Parts:
    """All that answers, beside the options."""

    catalogue: SemanticCatalogue
    decoder: EventDecoder
    options: GenerativeOptions

    @classmethod
    def new(
        cls, catalogue: SemanticCatalogue, train: Dataset, options: GenerativeOptions, *, seed: int
    ) -> Self:
        """A decoder at its start over the catalogue's IDs; train: its log holds the events that count.

        Raises NotFoundError where the store lacks the model to start from.
        """
        decoder = EventDecoder.build(
            train, catalogue.ids, options.events, options.shape, seed=seed, vectors=catalogue.vectors
        )
        return cls(catalogue, decoder, options)

    @property
    def tokenizer(self) -> EventTokenizer:
        """Events as tokens."""
        return self.decoder.tokenizer

    @cached_property
    def search(self) -> Search:
        """What answers."""
        return Search(self.decoder, self.tokenizer, self.options)

    def trainee(self, lines: Lines, options: GenerativeOptions, known: Counted | None = None) -> EventTrainee:
        """What the training loop is given. known: what was counted, inside every step of a path."""
        from mercer.language.events.trainee import EventTrainee

        return EventTrainee(
            self.decoder,
            lines,
            label_smoothing=options.tasks.label_smoothing,
            among_children=options.tasks.normalised == "children",
            batch_tokens=options.batch_tokens,
            known=known,
        )

    def said(self) -> tuple[str, ...]:
        """Sentences on tokens and weights."""
        return (*self.tokenizer.said(), f"The decoder has {self.decoder.n_weights:,} weights.")

    def grown(
        self,
        items: pd.DataFrame,
        vocabulary: Vocabulary,
        encoder: Encoder,
        *,
        n_old: int,
        runtime: Runtime | None,
    ) -> Self:
        """The same decoder over a larger catalogue, whose first `n_old` items are those that are known."""
        catalogue = self.catalogue.extended(items.iloc[n_old:], vocabulary, encoder, runtime=runtime)
        tokenizer = self.tokenizer.with_ids(catalogue.ids, items)
        return replace(self, catalogue=catalogue, decoder=self.decoder.over(tokenizer, catalogue.vectors))

    def save(self, folder: Path) -> Digest:
        """Write both parts into a folder; returns the hash of all that was written, uint8, shape (32,)."""
        (folder / IDS).mkdir(exist_ok=True)
        self.catalogue.save(folder / IDS)
        self.decoder.save(folder / DECODER)
        return _digest(folder)

    @classmethod
    def load(cls, folder: Path, options: GenerativeOptions, *, catalogue: str, digest: Digest) -> Self:
        """Read what `save` wrote. catalogue: fingerprint of the vocabulary; digest: what `save` returned.

        Raises DamagedError for files of another fit, and what the parts raise.
        """
        if not np.array_equal(_digest(folder), digest):
            raise DamagedError(
                f"{folder.name} does not hold the IDs and the decoder that belong to this fit.",
                remedy="Fit the ranker again.",
            )
        made = SemanticCatalogue.load(folder / IDS, catalogue=catalogue)
        return cls(made, EventDecoder.load(folder / DECODER, made.ids, vectors=made.vectors), options)


def _digest(folder: Path) -> Digest:
    """Of all files of both parts."""
    places = [path for part in (IDS, DECODER) for path in sorted((folder / part).rglob("*"))]
    return np.frombuffer(files.digest(folder, places), np.uint8)
