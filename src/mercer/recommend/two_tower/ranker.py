"""`two-tower`: a tower for the user, a tower for items, and the cosine of what they say; trained with Keras.

Covington, Adams and Sargin, "Deep Neural Networks for YouTube Recommendations", RecSys 2016, and Yi et al.,
"Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", RecSys 2019. TensorFlow trains
(`pip install 'mercer[tensorflow]'`); answers need NumPy alone.
"""

from __future__ import annotations

import numpy as np

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.recommend.scoring import Arrays
from mercer.recommend.sequence.content import Content
from mercer.recommend.two_tower.batches import Batch, Dealer
from mercer.recommend.two_tower.options import TwoTowerOptions
from mercer.recommend.two_tower.served import ServedTowers
from mercer.recommend.two_tower.towers import Towers
from mercer.recommend.with_keras import (
    Course,
    KerasBackend,
    Lesson,
    Measured,
    Questions,
    TrainedRanker,
    Windows,
)

_ENCODING_SHARE = 0.5
"""Share of the budget that encoding titles may take."""


class TwoTower(TrainedRanker):
    """score(j) = cosine(user, item j) / temperature; popularity for who has no history.

    The user tower reads the history as means of item vectors, faded at several rates; the item tower adds a learned ID,
    the meaning of the title, brand and category, so that an item nobody had yet has a place by its content.
    """

    name = "two-tower"

    class Options(TwoTowerOptions):
        """Options of `two-tower`; see TwoTowerOptions."""

    options: Options
    _served: ServedTowers | None = None

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
        """The arrays of both towers. Raises MissingExtraError where titles are to be read without the text encoder."""
        o = self.options
        content = Content.read(train.items, o, _ENCODING_SHARE * seconds, runtime)
        bought = np.bincount(questions.log.item, minlength=questions.n_items) > 0
        towers = Towers.built(content, bought, o, backend=backend, seed=seed)
        learn, rng = towers.learner(o.weight_decay), np.random.default_rng([seed, 4])

        def learned(batch: Batch, learning_rate: float) -> tuple[float, int]:
            hidden = rng.random(len(batch.item)) < o.id_dropout
            return learn(batch, hidden, learning_rate) * len(batch.answer), len(batch.answer)

        dealer = Dealer(questions, size=o.batch, drawn=o.negatives)
        lesson = Lesson(deal=dealer.epoch, steps=len(dealer), learn=learned, arrays=towers.arrays)
        return course.run(lesson, measured)

    def restored(self) -> None:
        """Put the towers together."""
        self._served = ServedTowers(self.state) if self.is_trained else None

    def score_windows(self, windows: Windows) -> Floats32:
        """The towers in NumPy."""
        assert self._served is not None
        return self._served.scores(windows)

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
