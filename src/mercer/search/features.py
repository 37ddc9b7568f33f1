"""What a learned order knows of a query and an item: one row of numbers for each pair.

Words tell how well the texts match, meaning how near they are, the title where the words stand; price and
popularity are of the item alone. Nothing is read of the person. A value that does not exist is NaN.

    titles.txt            a line each: the terms of the title, in order
    facts.safetensors     log_price, popularity: float32, shape (I,)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Floats32
from mercer.errors import DamagedError
from mercer.search.documents import FIELDS
from mercer.search.lexical import ALL
from mercer.search.matching import Matching
from mercer.search.meaning import Meaning
from mercer.search.ranking import best

Floats = npt.NDArray[np.float64]
Codes64 = npt.NDArray[np.int64]

TITLES = "titles.txt"
FACTS = "facts.safetensors"

FIRST = 10
"""The first items of a list that stand for what the query is about."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column. rises: an item may only gain by more of it, all else equal (a constraint on the trees)."""

    name: str
    meaning: str
    rises: bool = False


FEATURES = (
    Feature("words", "BM25 over all text, as a share of the query's best", rises=True),
    Feature("fields", "BM25 over weighted fields, as a share of the query's best", rises=True),
    *(Feature(f"words in {name}", f"BM25 over the field {name} alone", rises=True) for name in FIELDS),
    Feature("share in all text", "share of the query's terms that the texts hold", rises=True),
    Feature("share in title", "share of the query's terms that the title holds", rises=True),
    Feature("title begins", "whether the title begins with the query", rises=True),
    Feature("title holds", "whether the title holds the query as it stands", rises=True),
    Feature("first place", "place of the first term of the query in the title, 0 to 1"),
    Feature("last place", "place of the last term of the query in the title, 0 to 1"),
    Feature("meaning", "cosine of the query and of title and description", rises=True),
    Feature("meaning gap", "that cosine less the query's best", rises=True),
    Feature("company", "cosine with the middle of the ten items nearest by meaning", rises=True),
    Feature("article number", "whether the query names the item's number", rises=True),
    Feature("query terms", "number of terms in the query"),
    Feature("title terms", "number of terms in the title"),
    Feature("price", "logarithm of the price"),
    Feature("price in company", "that less the middle of the first ten items of the fusion"),
    Feature("popularity", "logarithm of one and the item's events in the log", rises=True),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What both halves say of every item for one query, shape (I,) each.

    query: as it is searched; exact: codes of the items whose number it names. fields: BM25 over weighted
    fields; meaning: cosine; -inf where there is none. joined: their fusion, 0 where neither answers.
    """

    query: str
    exact: Codes64
    fields: Floats32
    meaning: Floats32
    joined: Floats


class Describer:
    """Makes the rows of FEATURES from the halves of a search and a few facts of each item."""

    def __init__(self, titles: list[str], log_price: Floats32, popularity: Floats32) -> None:
        self._titles = titles
        self._log_price = log_price
        self._popularity = popularity

    @classmethod
    def build(cls, train: Dataset, matching: Matching) -> Self:
        """Read titles, prices and, where the data hold a log, the number of events of each item."""
        titles = [" ".join(matching.terms(title)) for title in train.items["title"].fillna("").astype(str)]
        price = train.items["price_minor"].fillna(-1).to_numpy(np.float64)
        log_price = np.where(price > 0, np.log(np.maximum(price, 1)), np.nan).astype(np.float32)
        counts = np.zeros(len(titles), np.int64)
        if train.interactions is not None:
            counts = np.bincount(train.interactions.item, minlength=len(titles))
        return cls(titles, log_price, np.log1p(counts).astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write titles.txt and facts.safetensors."""
        from safetensors.numpy import save_file

        (folder / TITLES).write_text("".join(f"{title}\n" for title in self._titles), "utf-8")
        save_file({"log_price": self._log_price, "popularity": self._popularity}, folder / FACTS)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is not whole."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            # Terms are letters and digits, so a line feed is the only end of a line there is.
            titles = (folder / TITLES).read_text("utf-8").split("\n")[:-1]
            facts = load_file(folder / FACTS)
            log_price, popularity = facts["log_price"], facts["popularity"]
        except (OSError, ValueError, KeyError, SafetensorError) as fault:
            raise DamagedError(
                f"{TITLES} or {FACTS} is damaged or missing.", remedy="Run mercer again to fit the ranker."
            ) from fault
        if not len(titles) == len(log_price) == len(popularity):
            raise DamagedError(
                f"{TITLES} and {FACTS} are of two catalogues.", remedy="Run mercer again to fit the ranker."
            )
        return cls(titles, log_price, popularity)

    def rows(self, found: Found, codes: Codes64, matching: Matching, meaning: Meaning) -> Floats:
        """The features of the items `codes`, shape (m, len(FEATURES)), each by the query alone."""
        terms = list(dict.fromkeys(matching.terms(found.query)))
        n_items = len(self._titles)

        def over(name: str) -> Floats:
            return _spread(*matching.index.matches(terms, {name: 1.0}), n_items)

        words = over(ALL)
        held = _spread(*matching.index.held(terms), n_items)
        exact = np.zeros(n_items)
        exact[found.exact] = 1.0
        fields = np.where(np.isfinite(found.fields), found.fields, 0.0)
        cosine = np.where(np.isfinite(found.meaning), found.meaning, np.nan)
        first = best(found.joined, FIRST)
        columns = [
            _share(words)[codes],
            _share(fields)[codes],
            *(over(name)[codes] for name in FIELDS),
            held[codes] / max(1, len(terms)),
            *_title_features([self._titles[code] for code in codes], terms),
            cosine[codes],
            cosine[codes] - _most(cosine),
            _company(found.meaning, codes, meaning),
            exact[codes],
            np.full(len(codes), float(len(terms))),
            np.array([self._titles[code].count(" ") + 1.0 for code in codes]),
            self._log_price[codes],
            self._log_price[codes] - _middle(self._log_price[first]),
            self._popularity[codes],
        ]
        return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def _title_features(titles: list[str], terms: list[str]) -> npt.NDArray[np.float64]:
    """share in title, title begins, title holds, first place, last place: shape (5, m)."""
    out = np.full((5, len(titles)), np.nan)
    wanted, phrase = set(terms), f" {' '.join(terms)} "
    for at, title in enumerate(titles):
        words, padded = title.split(), f" {title} "
        places = [place for place, word in enumerate(words) if word in wanted]
        out[0, at] = len(wanted.intersection(words)) / max(1, len(wanted))
        out[1, at] = padded.startswith(phrase)
        out[2, at] = phrase in padded
        if places:
            out[3, at] = places[0] / len(words)
            out[4, at] = (places[-1] + 1) / len(words)
    return out


def _company(cosines: Floats32, codes: Codes64, meaning: Meaning) -> Floats:
    """Cosine of items with the mean vector of the ten nearest; NaN without vectors."""
    dense = meaning.dense
    near = best(cosines, FIRST)
    near = near[dense.encoded[near]]
    if not len(near):
        return np.full(len(codes), np.nan)
    middle = dense.vectors[dense.row_of[near]].mean(axis=0)
    middle /= max(float(np.linalg.norm(middle)), 1e-9)
    # Row by row: a matrix product rounds an item otherwise in another place of the list.
    similar = np.einsum("ij,j->i", dense.vectors[dense.row_of[codes]], middle)
    return np.where(dense.encoded[codes], similar, np.nan)


def _spread(codes: Codes64, values: Floats32, n_items: int) -> Floats:
    out = np.zeros(n_items)
    out[codes] = values
    return out


def _share(values: Floats) -> Floats:
    most = float(values.max(initial=0.0))
    return values / most if most > 0 else values


def _most(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else float("nan")


def _middle(values: Floats32) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
