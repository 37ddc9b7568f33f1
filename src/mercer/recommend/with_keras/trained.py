"""What rankers share that Keras trains: their options, the frame of `fit`, and answers where nothing is known."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from typing import Self

import numpy as np
from pydantic import Field

from mercer.contracts import (
    Budget,
    Dataset,
    Floats32,
    Holdout,
    Interactions,
    Requests,
    Runtime,
    searched,
)
from mercer.contracts import Options as BaseOptions
from mercer.evaluation import score_ranking, value
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, log_of, signals
from mercer.recommend.tail import popularity
from mercer.recommend.with_keras.backend import KerasBackend
from mercer.recommend.with_keras.course import Course, Epoch, Measured
from mercer.recommend.with_keras.questions import Questions
from mercer.recommend.with_keras.windows import Windows

METRIC = "ndcg@10"
"""What validation measures."""

log = logging.getLogger(__name__)


class TrainedOptions(SignalOptions):
    """How a history is read, and how a network is trained."""

    window: int = Field(50, ge=1, le=2_000, description="events of a history that are read, the last ones")
    epochs: int = Field(20, ge=1, le=10_000, description="passes over the questions, at most")
    batch: int = Field(1024, ge=1, le=1_000_000, description="questions of a step")
    learning_rate: float = searched(
        1e-3, low=3e-4, high=5e-3, log=True, gt=0, le=1, description="of AdamW, at its highest"
    )
    weight_decay: float = searched(0.01, low=1e-4, high=0.3, log=True, ge=0, le=10, description="of AdamW")
    patience: int = Field(4, ge=1, description="epochs without a better held-out ndcg@10 before stopping")
    validation_rows: int = Field(3_000, ge=1, description="held-out requests that stop the training, at most")


class TrainedRanker(ScoringRanker):
    """A ranker whose arrays come from a training by epochs, and that reads a history as a window.

    Who has no history gets what is popular; so does everybody where the log asks nothing. Nothing is kept of any
    person. epochs: of the last fit. notes: what a reader of its results should know.
    """

    stochastic = True

    class Options(TrainedOptions):
        """See TrainedOptions."""

    options: TrainedOptions

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.notes: tuple[str, ...] = ()
        self.epochs: tuple[Epoch, ...] = ()

    @abstractmethod
    def trained(
        self,
        train: Dataset,
        questions: Questions,
        course: Course,
        measured: Measured | None,
        *,
        backend: KerasBackend,
        seed: int,
        runtime: Runtime,
        seconds: float,
    ) -> Arrays:
        """What the questions teach. seconds: what is left of the budget; `course` keeps to it by itself."""

    @abstractmethod
    def score_windows(self, windows: Windows) -> Floats32:
        """Scores of the whole catalogue, float32, shape (n, I); of empty windows they need say nothing."""

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

        A fit that would pass its budget trains for less, and says so in `notes`.
        Raises MissingExtraError without TensorFlow.
        """
        runtime = runtime or Runtime()
        deadline = time.perf_counter() + (budget or Budget()).seconds
        self.notes, self.epochs, self._catalogue = (), (), train.vocabulary.fingerprint
        heard, weights = signals(log_of(train), self.options)
        self.state = {"share": popularity(heard, weights)}
        o = self.options
        questions = Questions.of(heard, weights, width=o.window, repeats=train.repeats)
        if len(questions):
            course = Course(
                epochs=o.epochs, patience=o.patience, highest=o.learning_rate, seed=seed, deadline=deadline,
                progress=runtime.progress,
            )  # fmt: skip
            arrays = self.trained(
                train, questions, course, self._measured(validation, seed),
                backend=KerasBackend.ready(runtime.threads), seed=seed, runtime=runtime,
                seconds=deadline - time.perf_counter(),
            )  # fmt: skip
            self.state = {**self.state, **arrays}
            self.epochs, self.notes = tuple(course.epochs), (*self.notes, *course.notes)
        else:
            self.notes = ("No history holds anything to foretell: answers follow popularity.",)
        for note in self.notes:
            log.warning("%s: %s", self.name, note)
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
        judged, share = type(self)(self.options), self.state["share"]
        judged._catalogue = self._catalogue

        def measured(arrays: Arrays) -> float:
            judged.state = {"share": share, **arrays}
            judged.restored()
            return value(score_ranking(held, score=lambda block: judged.score(block, codes)), METRIC)

        return measured

    @property
    def is_trained(self) -> bool:
        """Whether there was anything to learn."""
        return len(self.state) > 1

    def windows(self, requests: Requests) -> Windows:
        """What is read of the requests."""
        return Windows.of_rows(*signals(requests.visible_history, self.options), self.options.window)

    def score_rows(self, requests: Requests) -> Floats32:
        """The network's scores; popularity for requests without a history."""
        share: Floats32 = self.state["share"]
        if not self.is_trained:
            return np.tile(share, (len(requests), 1))
        windows = self.windows(requests)
        scores = self.score_windows(windows)
        scores[windows.empty] = share
        return scores
