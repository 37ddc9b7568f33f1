"""Ranker `search-ltr`: the best of the fusion, put in a new order by trees that learned from judged pairs.

The trees see judged pairs alone: what nobody judged is unknown, not wrong. So they know little of items that no
judge was ever shown, and what they say is added to the place in the fusion instead of replacing it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import Budget, Dataset, Estimate, Floats32, Holdout, Runtime, searched
from mercer.errors import DamagedError
from mercer.search.features import FEATURES, Describer, Found
from mercer.search.fusion import FusionOptions, fuse, most
from mercer.search.matching import FieldOptions, Matching, estimate_lexical, has_words
from mercer.search.meaning import Meaning, estimate_meaning
from mercer.search.ranking import SearchRanker, best
from mercer.search.trees import FEWEST_QUERIES, TreeOptions, Trees

Floats = npt.NDArray[np.float64]

LEARNED = "learned.json"
CANDIDATE, EXACT, FURTHEST = 16.0, 64.0, 8.0
"""Added to a candidate, and where the article number was asked for; the trees add no more than FURTHEST."""


class SearchLtr(SearchRanker):
    """LambdaMART over features of words and meaning, on the first candidates of `fields-minilm`.

    A candidate's score is its share of the best possible fusion, plus `trees_weight` times what the trees say in
    standard deviations. Items behind the candidates keep the order of the fusion. With too few judged queries
    there are no trees, the order is the fusion's, and `notes` says so. Stability: caller stable.
    """

    name: ClassVar[str] = "search-ltr"
    stochastic: ClassVar[bool] = True
    from_catalogue: ClassVar[bool] = False
    composition: ClassVar[str] = "rerank"
    parts: ClassVar[tuple[str, ...]] = ("bm25-fields", "minilm")

    class Options(FieldOptions, FusionOptions, TreeOptions):
        """Options of `search-ltr`: those of `fields-minilm` and of the trees, and how both are joined."""

        rank_constant: float = searched(
            20.0, low=5.0, high=200.0, log=True, ge=1, le=1000,
            description="reciprocal: k in 1 / (k + rank): the larger, the less the first places count",
        )  # fmt: skip
        meaning_share: float = searched(
            0.4, low=0.2, high=0.8, ge=0, le=1, description="share of the half by meaning in the fusion"
        )
        candidates: int = Field(
            100, ge=1, le=1000, description="first items of the fusion that are re-ranked"
        )
        trees_weight: float = searched(
            0.2, low=0.02, high=2.0, log=True, ge=0, le=100,
            description="how much a standard deviation of the trees counts beside the best place (1)",
        )  # fmt: skip

    options: Options
    notes: tuple[str, ...] = ()
    _trees: Trees | None = None

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Index and encode the catalogue, then learn from the judgments of `train`. Returns self."""
        super().fit(train, validation=validation, budget=budget, seed=seed, runtime=runtime)
        self._trees = self._learn(train, seed)
        few = f"Fewer than {FEWEST_QUERIES} queries have judged items of different grades: no trees."
        self.notes = () if self._trees else (few,)
        return self

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """Index and encode the catalogue; texts encoded before come from the cache.

        Raises MissingExtraError naming `make setup` when the encoder is not exported.
        """
        self._matching = Matching.build(train, self.options)
        self._meaning = Meaning.build(train, seconds, runtime)
        self._matching.leave_alone(self._meaning.words)
        self._describer = Describer.build(train, self._matching)

    def score_query(self, query: str) -> Floats32:
        """The fusion's score from 0 to 1, plus 16 and what the trees say for a candidate, plus 64 for a number."""
        if not has_words(query):
            return np.full(self._meaning.n_items, -np.inf, np.float32)
        found = self._find(query)
        scores = np.where(found.joined > 0, found.joined, -np.inf)
        scores[found.exact] = np.maximum(scores[found.exact], 0.0)
        if self._trees is not None:
            first = best(scores, self.options.candidates)
            chosen = np.union1d(first[scores[first] > -np.inf], found.exact)
            said = self._trees.standard(self._describe(found, chosen))
            scores[chosen] += CANDIDATE + np.clip(self.options.trees_weight * said, -FURTHEST, FURTHEST)
        scores[found.exact] += EXACT
        return scores.astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write the index, the vectors, the encoder unless switched off, the facts and the trees."""
        self._matching.save(folder)
        self._meaning.save(folder, self.options)
        self._describer.save(folder)
        learned = {
            "features": [feature.name for feature in FEATURES],
            "trees": None if self._trees is None else self._trees.save(folder),
            "notes": list(self.notes),
        }
        (folder / LEARNED).write_text(json.dumps(learned, sort_keys=True) + "\n", "utf-8")

    def read(self, folder: Path) -> None:
        """Read what `write` wrote. Raises DamagedError when something is not whole or of other features."""
        try:
            learned = json.loads((folder / LEARNED).read_text("utf-8"))
            names, trees, self.notes = learned["features"], learned["trees"], tuple(learned["notes"])
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise DamagedError(f"{LEARNED} is damaged or missing.", remedy="Fit the ranker again.") from fault
        if names != [feature.name for feature in FEATURES]:
            raise DamagedError(
                "The ranker was fitted with other features than this mercer computes.",
                remedy="Fit it again, or serve it with the mercer that fitted it.",
            )
        self._matching = Matching.open(folder, self.options)
        self._meaning = Meaning.open(folder, self.options)
        self._matching.leave_alone(self._meaning.words)
        self._describer = Describer.open(folder)
        self._trees = None if trees is None else Trees.load(folder, trees)

    def estimate(self, train: Dataset) -> Estimate:
        """A pass over the texts, what encoding takes of those that the cache lacks, and 20 ms a judged query."""
        lexical, meaning = estimate_lexical(train), estimate_meaning(train)
        queries = 0 if train.judgments is None else train.judgments["query"].nunique()
        return Estimate(
            2 * lexical.seconds + meaning.seconds + 0.5 + 0.02 * queries,
            lexical.peak_mib + meaning.peak_mib + 50,
        )

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        named = [*self._matching.parameters()[:1]]
        if self._trees is not None:
            meanings = {feature.name: feature.meaning for feature in FEATURES}
            weighed = [name for name, share in self._trees.importances()[:3] if share > 0]
            learned = "; ".join(meanings[name] for name in weighed)
            named.append(("learned from judged results", f"first of all: {learned}"))
        return [
            *named,
            *self._matching.parameters()[1:2],
            *Meaning.parameters(),
            *self._matching.parameters()[2:],
        ]

    def _find(self, query: str) -> Found:
        spelt = self._matching.corrected(query)
        words, meaning = self._matching.scores(spelt), self._meaning.similarities(spelt)
        joined = fuse(words, meaning, self.options) / most(self.options)
        return Found(spelt, self._matching.exact(query), words, meaning, joined)

    def _describe(self, found: Found, codes: npt.NDArray[np.int64]) -> Floats:
        return self._describer.rows(found, codes, self._matching, self._meaning)

    def _learn(self, train: Dataset, seed: int) -> Trees | None:
        """Trees from the judged pairs of `train`, queries in the order of their text."""
        rows: list[Floats] = []
        grades: list[Floats] = []
        if train.judgments is None:
            return None
        for query, judged in train.judgments.groupby("query", sort=True):
            codes, told = judged["item"].to_numpy(np.int64), judged["grade"].to_numpy(np.float64)
            known = codes >= 0
            if has_words(str(query)) and known.any():
                rows.append(self._describe(self._find(str(query)), codes[known]))
                grades.append(told[known])
        return Trees.grow(rows, grades, self.options, seed=seed)
