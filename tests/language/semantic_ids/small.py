"""What the tests of semantic IDs share: a small encoder, a small catalogue in groups, a log that stays within them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mercer.contracts import Floats32, Interactions, Vocabulary
from mercer.language.minilm import Role
from mercer.language.semantic_ids import IdOptions, VectorOptions
from mercer.testing.handmade import log

KINDS = ("blue mug", "warm scarf", "desk lamp", "red boots")
FORMS = ("small", "large", "old", "new", "plain", "fine")
SMALL = {
    "residual-kmeans": {"levels": 2, "codes": 4},
    "rqvae": {
        "levels": 2, "codes": 4, "hidden": [16], "latent": 8, "epochs": 8, "batch_tokens": 12, "evaluate_every": 4
    },
    "random": {"levels": 2, "codes": 4},
}  # fmt: skip
"""Options of each codebook."""


class Words:
    """An encoder of its own: a sum of drawn directions, one a word, of unit length."""

    dimension = 16

    def __init__(self, fingerprint: str = "words") -> None:
        self.fingerprint = fingerprint

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        rows = np.stack(
            [np.sum([_direction(word) for word in text.split() or [""]], axis=0) for text in texts]
        )
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _direction(word: str) -> np.ndarray:
    seed = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(np.frombuffer(seed, np.uint32)).standard_normal(Words.dimension)


def titles() -> list[str]:
    """24 of them: each kind in six forms, kinds in turn."""
    return [f"{form} {kind}" for form in FORMS for kind in KINDS]


def catalogue(names: Sequence[str] | None = None) -> tuple[pd.DataFrame, Vocabulary]:
    """A frame of items with titles, and their vocabulary."""
    names = titles() if names is None else names
    ids = [f"i{number}" for number in range(len(names))]
    # Object columns: others hold no invalid Unicode.
    return pd.DataFrame({"item": ids, "title": pd.Series(list(names), dtype=object)}), Vocabulary(ids)


def events(n_items: int = 24, *, n_users: int = 12) -> Interactions:
    """Each person buys five items of one kind."""
    chance = np.random.default_rng(0)
    histories = [
        [(int(item), day) for day, item in enumerate(chance.permutation(np.arange(user % 4, n_items, 4))[:5])]
        for user in range(n_users)
    ]
    return log(*histories, n_items=n_items)


def options(kind: str = "residual-kmeans", **changes: object) -> IdOptions:
    """Small ones."""
    vectors = VectorOptions(text_width=8, collaborative_width=4)
    return IdOptions(kind=kind, vectors=vectors, codebook={**SMALL[kind], **changes})  # type: ignore[arg-type]


def vectors(n: int = 40, width: int = 6, *, seed: int = 0) -> Floats32:
    """Rows about four centres."""
    chance = np.random.default_rng(seed)
    centres = 6 * chance.standard_normal((4, width))
    return (centres[np.arange(n) % 4] + chance.standard_normal((n, width))).astype(np.float32)
