"""`sasrec` and `ligr`: a network reads a person's events in their order and says what comes next.

Both share everything but the encoder. PyTorch trains; NumPy serves (`forward.py`), from item vectors that are put
together once, at the end of the training.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from mercer import training
from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Requests,
    Runtime,
)
from mercer.contracts import Options as BaseOptions
from mercer.recommend.neighbours import unpacked
from mercer.recommend.neural import NeuralRanker
from mercer.recommend.popular import DAY_US
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.sequence.content import Content, encoding_seconds
from mercer.recommend.sequence.events import Events, Spans
from mercer.recommend.sequence.forward import Forward
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.sequence.memory import needed_mib, refuse_without_room
from mercer.recommend.sequence.neighbourhood import Neighbourhood, counted, term
from mercer.recommend.sequence.options import SequenceOptions
from mercer.recommend.sequence.weighing import FACTORS, Parts, best, by_factor
from mercer.recommend.signals import log_of, signals
from mercer.recommend.tail import popularity
from mercer.training.place import needs_torch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from mercer.recommend.sequence.trainee import SequenceTrainee

Weights = npt.NDArray[np.float64]

_ENCODING_SHARE = 0.5
"""Share of the budget that encoding titles may take."""


class SequenceRanker(NeuralRanker):
    """score(j) = product of the state after the history with the vector of item j; popularity without a history.

    A vector is a learned ID, the title's meaning through a learned projection, and an embedding of brand and
    category, so that an item nobody had yet has a place by its content. Nothing is kept of any person.
    """

    encoder: ClassVar[str]

    class Options(SequenceOptions):
        """Options of the sequence rankers; see SequenceOptions."""

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self._forward: Forward | None = None
        self._near: csr_array | None = None

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Learn from `train`; `validation` stops the training and chooses among its states, nothing else.

        A fit that would pass its budget encodes fewer titles and trains for less, and says so.
        Raises MissingExtraError where PyTorch or the text encoder is not installed, DataError for content that is no
        number, TooLargeError naming the option to change where memory is short.
        """
        runtime = runtime or Runtime()
        deadline = time.perf_counter() + (budget or Budget()).seconds
        self.notes, self.training, self._catalogue = (), None, train.vocabulary.fingerprint
        heard, weights = signals(log_of(train), self.options)
        self.state = self._counts(train, heard, weights)
        lessons = self._lessons(train, heard, weights)
        if len(lessons):
            seconds = _ENCODING_SHARE * (deadline - time.perf_counter())
            refuse_without_room(len(train.vocabulary), heard.n_events, self.options)
            content = Content.read(train.items, self.options, seconds, runtime)
            trainee = self._trainee(heard, weights, lessons, content, seed)
            trainee.watch(self._validation(trainee, validation, seed))
            self.training = training.train(
                trainee, self.options, seed=seed, runtime=runtime, facts=self._facts(train, heard, content),
                budget=Budget(max(0.0, deadline - time.perf_counter())),
            )  # fmt: skip
            self.state = {**self.state, **trainee.arrays()}
            self.state["factor"] = np.array([self._factor(validation, seed)], np.float32)
            self.notes = (*self.notes, *self.training.notes)
        else:
            self._note("No history holds anything to foretell: answers follow popularity.")
        self.restored()
        return self

    def _counts(self, train: Dataset, heard: Interactions, weights: Weights) -> Arrays:
        """What is counted and not learned: popularity, and what others bought next."""
        share = {"share": popularity(heard, weights)}
        return {**share, **counted(train, heard, self.options)} if self.options.neighbours else share

    def _lessons(self, train: Dataset, heard: Interactions, weights: Weights) -> Lessons:
        o = self.options
        if o.half_life_days is not None and heard.has_clock and heard.n_events:
            # Tastes drift and goods come and go: what was asked lately says more of what is asked next.
            weights = weights * 0.5 ** ((heard.time.max() - heard.time) / (o.half_life_days * DAY_US))
        return Lessons.of(
            heard, weights, window=o.window, asked=o.asked, answers=o.answers, repeats=train.repeats
        )

    def _trainee(
        self, heard: Interactions, weights: Weights, lessons: Lessons, content: Content, seed: int
    ) -> SequenceTrainee:
        needs_torch()
        from mercer.recommend.sequence.trainee import SequenceTrainee, network

        o, near = self.options, None
        if o.neighbours:
            near = Neighbourhood.of(self.state, heard, weights, o, o.neighbours)
        module = network(heard, content, o, encoder=self.encoder, seed=seed)
        return SequenceTrainee(module, Events.of(heard, o.kinds), lessons, o, near)

    def _validation(self, trainee: SequenceTrainee, validation: Holdout | None, seed: int) -> Any:
        """A function that ranks a sample of the held-out requests as they are served, and measures it."""
        if validation is None or not len(validation):
            return None
        held = self._held(validation, seed)
        judged = type(self)(self.options)
        judged._catalogue, counts = self._catalogue, self.state

        def measured() -> float:
            judged.state = {**counts, **trainee.arrays()}
            judged.restored()
            return max(by_factor(held, judged._pieces, self._weights()).values())

        return measured

    def _factor(self, validation: Holdout | None, seed: int) -> float:
        """What the counted term's weight is multiplied with in answers."""
        if self.options.factor is not None:
            return self.options.factor
        if validation is None or not len(validation):
            return FACTORS[0]
        self.restored()
        return best(by_factor(self._held(validation, seed), self._pieces, self._weights()))

    def _weights(self) -> dict[float, float]:
        """Weights that the counted term may have in answers, by factor."""
        o = self.options
        if o.factor is not None:
            return {o.factor: o.factor * o.neighbours}
        return {factor: factor * o.neighbours for factor in (FACTORS if o.neighbours else FACTORS[:1])}

    def _facts(self, train: Dataset, heard: Interactions, content: Content) -> dict[str, str]:
        """Hashes of all that a training started from: a checkpoint of other data or options is not gone on with."""
        return {
            **self._own_facts(),
            "log": _digest(heard.indptr, heard.item, heard.kind, heard.time, heard.basket),
            "content": _digest(content.text, content.codes),
            "repeats": str(train.repeats),
        }

    def restored(self) -> None:
        """Put the network together; without one, every answer follows popularity."""
        self._forward = self._near = None
        if "vectors" in self.state:
            self._forward = Forward(self.state, self.options.heads, self.options.blocks)
        if "indptr" in self.state:
            self._near = unpacked(self.state)

    def score_rows(self, requests: Requests) -> Floats32:
        """The network's scores; popularity for requests without a history."""
        if self._forward is None:
            return np.tile(self.state["share"], (len(requests), 1))
        return self._parts(requests).joined(self.options.neighbours * float(self.state["factor"][0]))

    def _pieces(self, requests: Requests) -> list[Parts]:
        return [self._parts(block) for block in self._blocks(requests)]

    def _parts(self, requests: Requests) -> Parts:
        assert self._forward is not None
        heard, _ = signals(requests.history, self.options)
        heard = heard.where((heard.item >= 0) & (heard.item < len(self.state["share"])))
        spans = Spans.ends(heard, self.options.window)
        states = self._forward.states(Events.of(heard, self.options.kinds), spans)
        near = None
        if self._near is not None:
            # The whole history is counted, not the window alone: counting is cheap.
            near = term(replace(requests, history=heard), self._near, self.options)
        return Parts(states @ self.state["vectors"].T, near, spans.length == 0, self.state["share"])

    def measure(self, train: Dataset, *, validation: Holdout | None, seed: int, runtime: Runtime) -> Estimate:
        """What `fit` is expected to take: titles that the cache lacks, and a training priced by a few of its steps."""
        heard, weights = signals(log_of(train), self.options)
        lessons = self._lessons(train, heard, weights)
        if not len(lessons):
            return ScoringRanker.estimate(self, train)
        content = Content.read(train.items, self.options, 0.0, runtime, encode=False)
        judged = type(self)(self.options)
        judged._catalogue = train.vocabulary.fingerprint
        judged.state = judged._counts(train, heard, weights)
        trainee = judged._trainee(heard, weights, lessons, content, seed)
        trainee.watch(judged._validation(trainee, validation, seed))
        found = training.estimate(trainee, self.options, runtime=runtime, seed=seed)
        titles = encoding_seconds(train.items, self.options)
        return replace(
            found,
            seconds=found.seconds + titles,
            start=found.start + titles,
            peak_mib=max(found.peak_mib, needed_mib(len(train.vocabulary), heard.n_events, self.options)),
        )

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            ("The order of what you bought", "Items that tend to come next after yours come first."),
            ("How lately you bought an item", "Your latest purchases say most of what you want now."),
            (
                "Likeness to what you bought",
                "Items of like titles, brands and categories come near each other, new ones too.",
            ),
            (
                "How often customers bought it",
                "It orders the items where nothing is known of you, or you asked not to be profiled.",
            ),
        ]


class Sasrec(SequenceRanker):
    """A causal transformer with the norm before each part, over the items in their order."""

    name = "sasrec"
    encoder = "sasrec"


class Ligr(SequenceRanker):
    """A transformer of gated blocks that also reads the time between events and their kinds, where a log has them."""

    name = "ligr"
    encoder = "ligr"


def _digest(*arrays: Any) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(str(array.shape).encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
