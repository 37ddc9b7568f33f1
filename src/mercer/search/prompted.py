"""Ranker `prompted-search`: the first items of another ranker, put in a new order by what a language model says.

The model is asked for each item on its own, so no text of one item can move two others against each other. A query
that names an article number is answered by the base alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field

from mercer.contracts import (
    Budget,
    Context,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Ragged,
    Requests,
    Runtime,
    Vocabulary,
    plugins,
    searched,
)
from mercer.contracts import Options as BaseOptions
from mercer.language.prompts.base import one_ranker
from mercer.language.prompts.joining import Asked, first
from mercer.language.prompts.options import PromptOptions
from mercer.language.prompts.reordering import Reordering, estimated, fitted_base, spread, titles_of
from mercer.search.matching import has_words
from mercer.search.ranking import SearchRanker
from mercer.training.inner import Named


def _base(given: Any) -> Named:
    named = one_ranker(given, "search")
    [name] = named
    by_query = issubclass(plugins.load(plugins.RANKERS, name), SearchRanker)
    if not by_query:
        raise ValueError(
            f"{name!r} can't be the base: it is no SearchRanker, which scores one query at a time"
        )
    return named


class PromptedSearch(SearchRanker):
    """score = place in the base, plus `weight` spreads of the prompt's score, for the base's first `candidates` items.

    The others follow in the base's order. notes: on model, prompt, weight and cost. Stability: experimental.
    """

    name: ClassVar[str] = "prompted-search"
    stochastic: ClassVar[bool] = True
    composition: ClassVar[str] = "rerank"
    parts: tuple[str, ...] = ("fields-minilm",)
    from_catalogue: ClassVar[bool] = False

    class Options(PromptOptions):
        """Options of `prompted-search`."""

        base: Annotated[Named, BeforeValidator(_base)] = Field(
            {"fields-minilm": {}},
            validate_default=True,
            description="the ranker whose first items are asked about",
        )
        prompt: str = searched(
            "search-likelihood",
            choices=("search-likelihood", "search-title"),
            description="a prompt of mercer by name, or a file that ends in .yaml",
        )

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.parts = tuple(self.options.base)
        self.stochastic = self.options.moves_with_the_seed(self.options.base)  # type: ignore[misc]
        self.notes: tuple[str, ...] = ()

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Fit the base, measure the prompt's scale, and choose its weight where the options name none.

        The weight is chosen on `validation`, and without it on the judged queries of `train`: the prompt learns from
        neither. Raises what the base raises, NotFoundError where the model is not in the store, UnsupportedError for
        a prompt of another task.
        """
        told, started = runtime or Runtime(), time.monotonic()
        deadline = started + (budget or Budget()).seconds
        prompt = self.options.the_prompt(self.task)
        base = fitted_base(
            self.options.base,
            train,
            validation=validation,
            seconds=deadline - started,
            seed=seed,
            runtime=told,
        )
        self._whole = Reordering.build(
            base, train, prompt, self.options, examples(train), told=1, seed=seed, runtime=told
        )
        self._catalogue = train.vocabulary.fingerprint
        held = judged(train) if validation is None else validation
        queries = () if held is None else held.requests.query or ()
        self._whole.settle(
            self._calibration(train), held, lambda row: self._ask(queries[row]), deadline=deadline
        )
        self.notes = self._whole.said(told.price_per_hour)
        return self

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """What `fit` does without validation, with seed 0."""
        self.fit(train, budget=Budget(seconds), runtime=runtime)

    def score_query(self, query: str) -> Floats32:
        """The base's order with its first items in the joined one; -inf where the base has no answer."""
        return self._whole.join(self._ask(query))

    def _ask(self, query: str) -> Asked:
        ranker = self._whole.base
        assert isinstance(ranker, SearchRanker)
        base = ranker.score_query(query)
        codes = first(base, self.options.candidates)
        asks = has_words(query) and not self._names_an_item(query)
        return self._whole.ask(base, codes, {"query": query} if asks else None, query)

    def _names_an_item(self, query: str) -> bool:
        matching = getattr(self._whole.base, "_matching", None)
        return matching is not None and len(matching.exact(query)) > 0

    def _calibration(self, train: Dataset) -> Iterator[Asked]:
        """Judged queries of the training data, evenly spread in the order of their text."""
        if train.judgments is None:
            return
        queries = sorted(set(train.judgments["query"].astype(str)))
        for at in spread(len(queries), self.options.calibration_rows) if queries else ():
            yield self._ask(queries[at])

    def write(self, folder: Path) -> None:
        """Write the base, the prompt and its state."""
        self._whole.save(folder)

    def read(self, folder: Path) -> None:
        """Read what `write` wrote, and find the language model of that hash in the store.

        Raises DamagedError when something is not whole, NotFoundError where the store lacks the model.
        """
        self._whole = Reordering.load(folder, self.options.base, self.options)
        self.notes = self._whole.notes

    def estimate(self, train: Dataset) -> Estimate:
        """What the base takes, and the prompts of the fit."""
        return estimated(self.options.base, train, self.options)

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        said = (
            "what a language model says",
            "of the first products, those whose title goes with the query in the eyes of a language model come higher",
        )
        base = self._whole.base.parameters()
        return [*base[:1], said, *base[1:]]


def examples(train: Dataset) -> list[tuple[str, Mapping[str, Any]]]:
    """Judged queries of the training data, each with the title of its best item, in the order of their text."""
    if train.judgments is None:
        return []
    titles = titles_of(train)
    good = train.judgments.loc[(train.judgments["grade"] > 0) & (train.judgments["item"] >= 0)]
    best = (
        good.sort_values(["query", "grade", "item"], ascending=[True, False, True]).groupby("query").head(1)
    )
    pairs = zip(best["query"].astype(str), best["item"].tolist(), strict=True)
    return [(query, {"query": query, "title": titles[item]}) for query, item in pairs if has_words(query)]


def judged(train: Dataset) -> Holdout | None:
    """The judged queries of the training data as held-out rows; None where there are none."""
    if train.judgments is None or train.judgments.empty:
        return None
    known: pd.DataFrame = train.judgments.loc[train.judgments["item"] >= 0]
    rows = [(str(query), part) for query, part in known.groupby("query", sort=True)]
    if not rows:
        return None
    queries, n = tuple(query for query, _ in rows), len(rows)
    requests = Requests(
        users=(None,) * n,
        history=Interactions.empty(Vocabulary([str(number) for number in range(n)]), train.vocabulary),
        time=np.full(n, train.as_of, np.int64),
        context=Context.unknown(n),
        query=queries,
    )
    return Holdout(
        requests=requests,
        relevant=Ragged.from_rows([part["item"].to_numpy(np.int32) for _, part in rows]),
        grades=np.concatenate([part["grade"].to_numpy(np.float64) for _, part in rows]),
        units=queries,
        clusters=queries,
    )
