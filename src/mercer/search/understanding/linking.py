"""From words that say something to the catalogue's own value: as spelt, at an edit or two, or by meaning.

By meaning: a span's MiniLM vector against those of names that titles give to things, of what things are for, and of
category names. The nearest vote for their categories; below a threshold there is no answer. The threshold is the one at
which names that are hidden one by one are placed best: a right category counts one, a wrong one takes one away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from mercer.contracts import Floats32
from mercer.errors import DamagedError
from mercer.language import MiniLm
from mercer.search.spelling import edits
from mercer.search.understanding.rules import RuleMaker
from mercer.search.understanding.titles import title_runs, uses
from mercer.search.understanding.tokens import phrase
from mercer.search.understanding.values import SEPARATOR, CatalogueValues, column

FILE = "links.safetensors"
VOTERS = 5
"""Nearest names that vote for a category."""
_STEPS = np.round(np.arange(0.3, 0.96, 0.02), 2)
_LEAST_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called. texts; category: position in `leaves` of each; vectors: unit, float32, (n, d).

    threshold: least mean similarity of the winning voters.
    """

    texts: tuple[str, ...]
    category: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    vectors: Floats32
    leaves: tuple[str, ...]
    threshold: float

    @classmethod
    def of(cls, items: pd.DataFrame, values: CatalogueValues, encoder: MiniLm) -> Self:
        """The names of a catalogue; none where it has no categories."""
        told: dict[str, set[str]] = defaultdict(set)
        for runs, path in zip(title_runs(items, values), column(items, "category"), strict=True):
            if runs and path:
                told[max(runs, key=len)].add(path)
        for words, path in uses(items).items():
            told[words].add(path)
        for path in values.leaves:
            told[path.rpartition(SEPARATOR)[2].lower()].add(path)
        leaves = values.categories
        texts = tuple(sorted(words for words, paths in told.items() if len(paths) == 1))
        category = np.array([leaves.index(next(iter(told[words]))) for words in texts], np.int64)
        vectors = encoder.encode(texts)
        return cls(texts, category, vectors, leaves, _threshold(texts, category, vectors))

    def nearest(self, vector: Floats32) -> str:
        """The category of the nearest names of a span; "" where none is near enough."""
        if not len(self.texts):
            return ""
        found, strength = _vote(self.vectors @ vector, self.category)
        return self.leaves[found] if strength >= self.threshold else ""

    def save(self, folder: Path, fingerprint: str) -> None:
        """Write `links.safetensors`. fingerprint: of the encoder."""
        from safetensors.numpy import save_file

        told = {"fingerprint": fingerprint, "threshold": repr(self.threshold)}
        names = np.frombuffer("\n".join(self.texts).encode(), np.uint8)
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "names": names,
            "category": self.category,
            "vectors": np.ascontiguousarray(self.vectors),
        }
        save_file(arrays, folder / FILE, metadata=told)

    @classmethod
    def load(cls, folder: Path, values: CatalogueValues, fingerprint: str) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is not whole, or of another encoder."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, "numpy") as held:
                told = held.metadata()
                names, category, vectors = (
                    held.get_tensor(name) for name in ("names", "category", "vectors")
                )
            texts = tuple(names.tobytes().decode().split("\n")) if len(names) else ()
            threshold = float(told["threshold"])
        except (OSError, SafetensorError, KeyError, ValueError) as fault:
            raise DamagedError(f"{FILE} is damaged or missing.", remedy="Fit the ranker again.") from fault
        if told["fingerprint"] != fingerprint:
            raise DamagedError(
                "The text encoder is not the one that made the vectors of the names.",
                remedy="Fit again, or install the encoder that was used.",
            )
        return cls(texts, category, vectors, values.categories, threshold)


class Linker:
    """Finds the catalogue's value that a span means."""

    def __init__(self, rules: RuleMaker, names: Names, encoder: MiniLm) -> None:
        """rules: whose lexicon, spelling and choice among meanings are used."""
        values = rules.values
        self._rules = rules
        self._lexicon = rules.lexicon
        self._resolver = rules.resolver
        self._names = names
        self._encoder = encoder
        self._brands = {"".join(phrase(brand)): brand for brand in values.brands}
        self._held: Mapping[str, list[tuple[str, str]]] = _by_spelling(values)

    def category(self, text: str) -> str:
        """The category that a span names; "" where none is near."""
        words = self._rules.norms(text)
        named = [one.value for one in self._lexicon.entries.get(words, ()) if one.kind == "category"]
        if named:
            return named[0]
        return self._names.nearest(self._encoder.encode([text.lower()], "query")[0])

    def brand(self, text: str) -> str:
        """The brand that a span names, as spelt or nearly so; "" where none is."""
        typed = "".join(phrase(text))
        near = nearest_spelling(typed, self._brands)
        if near is not None:
            return self._brands[near]
        part = self._resolver.part(phrase(text)[0], "") if phrase(text) else None
        return part.value if part is not None and part.kind == "brand" else ""

    def value(self, text: str, category: str) -> tuple[str, str] | None:
        """The attribute and value that a span names in a category; None where it could be several."""
        words = self._rules.norms(text)
        found = self._resolver.value(words, category)
        if found is not None:
            return found
        near = nearest_spelling("".join(words), self._held)
        if near is not None:
            options = self._held[near]
            if near == "".join(words):
                return None
            return self._resolver.value(phrase(options[0][1]), category)
        part = self._resolver.part(words[-1], category) if words else None
        return (part.name, part.value) if part is not None and part.kind == "attribute" else None


def nearest_spelling(typed: str, known: Mapping[str, object]) -> str | None:
    """A spelling as typed, or the only one at one edit (two in longer words); None where there is none or several."""
    if typed in known:
        return typed
    if len(typed) < _LEAST_LETTERS or not any(map(str.isalpha, typed)) or any(map(str.isdigit, typed)):
        return None
    most = 1 if len(typed) < 8 else 2
    near = [
        (distance, one)
        for one in known
        if abs(len(one) - len(typed)) <= most and (distance := edits(typed, one, most)) <= most
    ]
    if not near:
        return None
    least = min(near)[0]
    best = [one for distance, one in near if distance == least]
    return best[0] if len(best) == 1 else None


def _by_spelling(values: CatalogueValues) -> Mapping[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, held in values.attributes.items():
        for value in held:
            found["".join(phrase(value))].append((name, value))
    return found


def _vote(similar: Floats32, category: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[int, float]:
    """The category with the most similarity among the nearest, and the similarity of its nearest name."""
    nearest = np.argsort(-similar, kind="stable")[:VOTERS]
    votes: dict[int, float] = defaultdict(float)
    for place in nearest:
        # The cube lets one near name outweigh several far ones.
        votes[int(category[place])] += max(0.0, float(similar[place])) ** 3
    best = max(votes, key=lambda one: votes[one])
    return best, float(max(similar[place] for place in nearest if category[place] == best))


def _threshold(
    texts: Sequence[str], category: np.ndarray[tuple[int, ...], np.dtype[np.int64]], vectors: Floats32
) -> float:
    """The threshold that places hidden names best. A name is hidden with all that share one of its words."""
    if not len(texts):
        return 1.0
    words = [set(text.split()) for text in texts]
    similar = vectors @ vectors.T
    told: list[tuple[float, bool]] = []
    for row in range(len(texts)):
        hidden = np.array([bool(words[row] & other) for other in words])
        if hidden.all() or not (category[~hidden] == category[row]).any():
            continue
        found, strength = _vote(np.where(hidden, -1.0, similar[row]).astype(np.float32), category)
        told.append((strength, found == category[row]))
    gains = [sum((1 if right else -1) for strength, right in told if strength >= step) for step in _STEPS]
    return float(_STEPS[int(np.argmax(gains))]) if told else 1.0
