"""From a dataset to semantic IDs, within a limit of time: texts that are not encoded by then count as empty."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mercer.contracts import Budget, Encoder, Floats32, Interactions, Runtime, Vocabulary, plugins
from mercer.language.semantic_ids import ItemVectors, SemanticCatalogue, report
from mercer.language.semantic_ids.vectors import encode_items, texts_of
from mercer.language.vectors import EmbeddingCache
from mercer.recommend.generative.options import NO_ENCODER, GenerativeOptions
from mercer.recommend.members import within

SECONDS_A_TEXT = 0.011
"""What the usual encoder takes for a title on one core."""


class NoText:
    """The encoder of a catalogue whose texts are not read: nothing is known of any of them."""

    fingerprint = NO_ENCODER
    dimension = 1

    def encode(self, texts: Sequence[str], role: str = "passage") -> Floats32:  # noqa: ARG002
        """Zeros, float32, shape (n, 1): no text."""
        return np.zeros((len(texts), 1), np.float32)


def encoder_of(options: GenerativeOptions) -> Encoder:
    """The encoder that the options name. Raises MissingExtraError where it is not installed or not exported."""
    if options.encoder == NO_ENCODER:
        return NoText()
    made: Encoder = plugins.load(plugins.ENCODERS, options.encoder)()
    return made


def named(
    items: pd.DataFrame,
    vocabulary: Vocabulary,
    heard: Interactions,
    options: GenerativeOptions,
    *,
    seed: int,
    runtime: Runtime,
    seconds: float,
) -> tuple[SemanticCatalogue, tuple[str, ...]]:
    """IDs of a catalogue, and sentences on how good they are. heard: events of training that count.

    Raises what `encoder_of` and the codebook raise.
    """
    encoded, notes = encoded_in_time(items, options, runtime, seconds)
    vectors = ItemVectors.of_encoded(
        encoded, heard, options.ids.vectors, encoder=encoder_of(options).fingerprint, seed=seed
    )
    made = SemanticCatalogue.of_vectors(
        vectors,
        vocabulary,
        options.ids,
        seed=seed,
        runtime=within(runtime, "ids"),
        budget=Budget(max(1.0, seconds)),
    )
    return made, (*notes, f"IDs of {report(made.codebook, vectors.joined).said()}.")


def drawn(
    n_items: int, vocabulary: Vocabulary, options: GenerativeOptions, *, seed: int
) -> SemanticCatalogue:
    """Paths without meaning, as long and as many as those of a codebook of these options: what prices a training."""
    ids = options.ids
    shape = (n_items, 1, ids.vectors.text_width)
    encoded = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    sizes = {name: ids.codebook[name] for name in ("levels", "codes") if name in ids.codebook}
    chance = ids.model_copy(update={"kind": "random", "codebook": sizes})
    vectors = ItemVectors.of_encoded(encoded, None, ids.vectors, encoder="drawn", seed=seed)
    return SemanticCatalogue.of_vectors(vectors, vocabulary, chance, seed=seed)


def encoded_in_time(
    items: pd.DataFrame, options: GenerativeOptions, runtime: Runtime, seconds: float
) -> tuple[Floats32, tuple[str, ...]]:
    """The encoder's vectors of the items' texts, as `encode_items` gives them, and what was left out."""
    encoder, late = encoder_of(options), 0
    end = time.monotonic() + seconds
    for name in options.ids.vectors.fields:
        texts = texts_of(items, name)
        different = [text for text in dict.fromkeys(texts) if text and options.encoder != NO_ENCODER]
        known: set[str] = set()
        if different:
            _, filled = EmbeddingCache(encoder, runtime.cache_folder).encode(
                different, progress=runtime.progress, seconds=max(0.0, end - time.monotonic())
            )
            known = {text for text, there in zip(different, filled, strict=True) if there}
            late += len(different) - len(known)
        items = items.assign(**{name: [text if text in known else "" for text in texts]})
    encoded = encode_items(items, encoder, options.ids.vectors, runtime=runtime)
    return encoded, (f"{late:,} texts were not encoded in time.",) if late else ()


def encoding_seconds(items: pd.DataFrame, options: GenerativeOptions, runtime: Runtime) -> float:
    """What encoding the texts takes that the cache lacks."""
    if options.encoder == NO_ENCODER:
        return 0.0
    every = [text for name in options.ids.vectors.fields for text in texts_of(items, name) if text]
    return SECONDS_A_TEXT * EmbeddingCache(encoder_of(options), runtime.cache_folder).missing(every)
