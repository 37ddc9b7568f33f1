"""Ranker `prompted-recommend`: the first items of another ranker, put in a new order by what a language model says.

The score is how much likelier a title becomes when the titles of the person's last items are known. Each candidate is
scored on its own. Without a history there is nothing to ask, and the order is the base's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import BeforeValidator, Field

from mercer.contracts import (
    Budget,
    Context,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Requests,
    Runtime,
    searched,
)
from mercer.contracts import Options as BaseOptions
from mercer.language.prompts.base import one_ranker
from mercer.language.prompts.joining import Asked, first
from mercer.language.prompts.options import PromptOptions
from mercer.language.prompts.reordering import Reordering, estimated, fitted_base, spread, titles_of
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.training.inner import Named


def _base(given: Any) -> Named:
    return one_ranker(given, "recommend")


class PromptedRecommend(ScoringRanker):
    """score = place in the base, plus `weight` spreads of the prompt's score, for the base's first `candidates` items.

    The others follow in the base's order. Items that the person has had are no candidates where repeats are not
    wanted. notes: on model, prompt, weight and cost. Stability: experimental.
    """

    name = "prompted-recommend"
    stochastic = True
    composition: ClassVar[str] = "rerank"
    parts: tuple[str, ...] = ("item-knn",)

    class Options(PromptOptions):
        """Options of `prompted-recommend`."""

        base: Annotated[Named, BeforeValidator(_base)] = Field(
            {"item-knn": {}},
            validate_default=True,
            description="the ranker whose first items are asked about",
        )
        prompt: str = Field(
            "recommend-title", description="a prompt of mercer by name, or a file that ends in .yaml"
        )
        kinds: tuple[str, ...] = Field(("purchase",), min_length=1, description="event kinds that are told")
        history: int = searched(
            5, low=1, high=20, log=True, ge=1, le=20, description="last items of the person that are told"
        )
        example_people: int = Field(
            3,
            ge=2,
            description="an example is a step that so many people made, so that none is of one person",
        )

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.parts = tuple(self.options.base)
        self.stochastic = self.options.moves_with_the_seed(self.options.base)  # type: ignore[misc]
        self.holds_users = self.options.holds_users(self.options.base)  # type: ignore[misc]
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
        """Fit the base, measure the prompt's scale, and choose its weight on `validation` where the options name none.

        Raises what the base raises, NotFoundError where the model is not in the store, UnsupportedError for a prompt
        of another task.
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
        pairs = steps(train, self.options.kinds, self.options.example_people)
        self._whole = Reordering.build(
            base, train, prompt, self.options, pairs, told=self.options.history, seed=seed, runtime=told
        )
        self._catalogue = train.vocabulary.fingerprint
        self.state = {}

        def ask(row: int) -> Asked:
            assert validation is not None
            [asked] = self._ask(validation.requests.take([row]))
            return asked

        self._whole.settle(self._calibration(train), validation, ask, deadline=deadline)
        self.notes = self._whole.said(told.price_per_hour)
        return self

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """What `fit` learns beside its base, without validation, limits or a runtime of its own."""
        return self.fit(train, seed=seed).state

    def score_rows(self, requests: Requests) -> Floats32:
        """The base's order with its first items in the joined one."""
        return np.stack([self._whole.join(asked) for asked in self._ask(requests)])

    def _ask(self, requests: Requests) -> Iterator[Asked]:
        """Each request put to base and prompt; what must not be used of a person is blank already or is made so."""
        scores = self._whole.base.score(requests, np.arange(len(requests.items), dtype=np.int32))
        told = requests.visible_history.only(self.options.kinds).item_rows
        had = None if requests.repeats else requests.masked_history.item_rows
        for row in range(len(requests)):
            barred = None if had is None else had[row].astype(np.int64)
            codes = first(scores[row], self.options.candidates, barred)
            titles = [self._whole.titles[item] for item in told[row][-self.options.history :].tolist()]
            asked: Mapping[str, Any] | None = {"history": titles} if titles else None
            yield self._whole.ask(scores[row], codes, asked, titles[-1] if titles else "")

    def _calibration(self, train: Dataset) -> Iterator[Asked]:
        """People of the training data, evenly spread, as strangers with their histories."""
        log = train.interactions
        if log is None:
            return
        rows = np.flatnonzero(log.only(self.options.kinds).lengths > 0)
        if not len(rows):
            return
        chosen = rows[spread(len(rows), self.options.calibration_rows)]
        n = len(chosen)
        requests = Requests(
            users=(None,) * n,
            history=log.take(chosen),
            time=np.full(n, train.as_of, np.int64),
            context=Context.unknown(n),
            repeats=train.repeats,
        )
        yield from self._ask(requests)

    def save(self, folder: Path) -> None:
        """Write options, the base, the prompt and its state into an existing folder."""
        super().save(folder)
        self._whole.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, and find the language model of that hash in the store.

        Raises DamagedError when something is not whole, NotFoundError where the store lacks the model.
        """
        ranker = super().load(folder)
        ranker._whole = Reordering.load(folder, ranker.options.base, ranker.options)
        ranker.notes = ranker._whole.notes
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """What the base takes, and the prompts of the fit."""
        return estimated(self.options.base, train, self.options)

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        said = (
            "What a language model says",
            "Of the first items, those whose title goes with the titles of your last items come higher.",
        )
        base = self._whole.base.parameters()
        return [*base[:1], said, *base[1:]]


def steps(train: Dataset, kinds: tuple[str, ...], least_people: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Examples: from one item to the next, as at least so many people of the training log went, commonest first.

    A step of fewer people would show what a single one bought.
    """
    if train.interactions is None:
        return []
    log, titles = train.interactions.only(kinds), titles_of(train)
    same = log.user_of[1:] == log.user_of[:-1]
    people = {
        (int(user), titles[before], titles[after])
        for user, before, after in zip(
            log.user_of[1:][same], log.item[:-1][same], log.item[1:][same], strict=True
        )
        if titles[before] and titles[after] and titles[before] != titles[after]
    }
    counts = Counter((before, after) for _, before, after in people)
    often = sorted(
        (pair for pair, n in counts.items() if n >= least_people), key=lambda pair: (-counts[pair], pair)
    )
    return [(before, {"history": [before], "title": after}) for before, after in often]
