"""`two-tower`: a tower for the user, a tower for items, and the cosine of what they say; trained with Keras.

Covington, Adams and Sargin, "Deep Neural Networks for YouTube Recommendations", RecSys 2016, and Yi et al.,
"Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", RecSys 2019. TensorFlow trains
(`pip install 'mercer[tensorflow]'`); answers need NumPy alone.
"""

from __future__ import annotations

import logging
import time
from typing import Self

import numpy as np

from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Requests,
    Runtime,
    Vocabulary,
)
from mercer.contracts import Options as BaseOptions
from mercer.evaluation import score_ranking, value
from mercer.recommend.keras_backend import KerasBackend
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.sequence.content import Content
from mercer.recommend.signals import signals
from mercer.recommend.tail import popularity
from mercer.recommend.two_tower.batches import Questions
from mercer.recommend.two_tower.options import TwoTowerOptions
from mercer.recommend.two_tower.served import ServedTowers
from mercer.recommend.two_tower.towers import Towers
from mercer.recommend.two_tower.training import Epoch, Measured, TowerTraining
from mercer.recommend.windows import Windows

METRIC = "ndcg@10"
"""What validation measures."""

_ENCODING_SHARE = 0.5
"""Share of the budget that encoding titles may take."""

log = logging.getLogger(__name__)


class TwoTower(ScoringRanker):
    """score(j) = cosine(user, item j) / temperature; popularity for who has no history.

    The user tower reads the history as means of item vectors, faded at several rates; the item tower adds a learned ID,
    the meaning of the title, brand and category, so that an item nobody had yet has a place by its content. Nothing is
    kept of any person.
    """

    name = "two-tower"
    stochastic = True

    class Options(TwoTowerOptions):
        """Options of `two-tower`; see TwoTowerOptions."""

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.notes: tuple[str, ...] = ()
        self.epochs: tuple[Epoch, ...] = ()
        self._served: ServedTowers | None = None

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Learn from `train`; `validation` stops the training and chooses the best epoch, nothing else.

        A fit that would pass its budget encodes fewer titles and trains for less, and says so in `notes`.
        Raises MissingExtraError without TensorFlow or without the text encoder, where titles are to be read.
        """
        runtime = runtime or Runtime()
        deadline = time.perf_counter() + (budget or Budget()).seconds
        self.notes, self.epochs, self._catalogue = (), (), train.vocabulary.fingerprint
        heard, weights = signals(_log(train), self.options)
        self.state = {"share": popularity(heard, weights)}
        o = self.options
        questions = Questions.of(
            heard, weights, repeats=train.repeats, width=o.window, size=o.batch, drawn=o.negatives
        )
        if len(questions):
            backend = KerasBackend.ready(runtime.threads)
            content = Content.read(
                train.items, o, _ENCODING_SHARE * (deadline - time.perf_counter()), runtime
            )
            bought = np.bincount(heard.item, minlength=len(train.vocabulary)) > 0
            towers = Towers.built(content, bought, o, backend=backend, seed=seed)
            course = TowerTraining(
                towers, questions, o, measured=self._measured(validation, seed), seed=seed, deadline=deadline,
                progress=runtime.progress,
            )  # fmt: skip
            self.state = {**self.state, **course.run()}
            self.epochs, self.notes = tuple(course.epochs), course.notes
        else:
            self.notes = ("No history holds anything to foretell: answers follow popularity.",)
        for note in self.notes:
            log.warning(note)
        self.restored()
        return self

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """What `fit` learns without validation, limits or a runtime of its own."""
        return type(self)(self.options).fit(train, seed=seed).state

    def _measured(self, validation: Holdout | None, seed: int) -> Measured | None:
        """Ranks a sample of the held-out requests as they are served."""
        if validation is None or not len(validation):
            return None
        rows = np.random.default_rng([seed, 3]).permutation(len(validation))[: self.options.validation_rows]
        held, codes = (
            validation.take(np.sort(rows)),
            np.arange(len(validation.requests.items), dtype=np.int32),
        )
        judged = type(self)(self.options)
        judged._catalogue, share = self._catalogue, self.state["share"]

        def measured(arrays: Arrays) -> float:
            judged.state = {"share": share, **arrays}
            judged.restored()
            return value(score_ranking(held, score=lambda block: judged.score(block, codes)), METRIC)

        return measured

    def restored(self) -> None:
        """Put the towers together; without them every answer follows popularity."""
        self._served = ServedTowers(self.state) if "vectors" in self.state else None

    def score_rows(self, requests: Requests) -> Floats32:
        """The towers' scores; popularity for requests without a history."""
        share: Floats32 = self.state["share"]
        if self._served is None:
            return np.tile(share, (len(requests), 1))
        windows = self.windows(requests)
        scores = self._served.scores(windows)
        scores[windows.empty] = share
        return scores

    def windows(self, requests: Requests) -> Windows:
        """What the user tower reads of the requests."""
        return Windows.of_rows(*signals(requests.visible_history, self.options), self.options.window)

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` is expected to take, from what epochs took where they were measured."""
        n_items, o = len(train.vocabulary), self.options
        n_events = 0 if train.interactions is None else train.interactions.n_events
        each = 1e-9 * (o.batch + o.negatives) * o.width * 4
        cells = (o.batch + o.negatives) * (o.batch + o.window * o.width) + 4 * n_items * (
            o.width + o.text_width
        )
        return Estimate(seconds=10 + o.epochs * n_events * each, peak_mib=600 + 8 * cells / 2**20)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "What you bought, the latest above all",
                "Items that others wanted after the like of it come first.",
            ),
            (
                "Likeness to what you bought",
                "Items of like titles, brands and categories come near each other, new ones too.",
            ),
            ("How often customers bought it", "It orders the items where nothing is known of you."),
        ]


def _log(train: Dataset) -> Interactions:
    if train.interactions is not None:
        return train.interactions
    return Interactions.empty(Vocabulary(()), train.vocabulary)
