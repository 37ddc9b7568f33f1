"""KerasRanker: any Keras model that scores items after a padded history, as a ranker.

    class Gru4Rec(KerasRanker):
        name = "gru4rec"

        def network(self, keras, n_items, text): ...

What is kept of a fit are the network's weights, as arrays in safetensors. A load calls `network` again and puts them
in, so no file holds code, and none that Keras would have to trust is ever opened.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.errors import DamagedError, UsageError
from mercer.recommend.scoring import Arrays
from mercer.recommend.sequence.content import Content
from mercer.recommend.with_keras.backend import KerasBackend
from mercer.recommend.with_keras.course import Course, Lesson, Measured
from mercer.recommend.with_keras.questions import Questions
from mercer.recommend.with_keras.trained import TrainedOptions, TrainedRanker
from mercer.recommend.with_keras.windows import Windows

_ENCODING_SHARE = 0.5
"""Share of the budget that encoding titles may take."""
_WEIGHT = "weight."
_TEXT = "text"


@dataclass(frozen=True, slots=True)
class _Titles:
    """Reads titles alone, or nothing at width 0."""

    text_width: int

    @property
    def content(self) -> tuple[str, ...]:
        return ("title",) if self.text_width else ()


@dataclass(frozen=True, slots=True)
class _Serving:
    """A network, and the same as a graph that is traced once, whatever the size of a batch."""

    network: Any
    answer: Any

    @classmethod
    def of(cls, backend: KerasBackend, network: Any, window: int) -> Self:
        form = backend.tf.TensorSpec((None, window), backend.tf.int32)
        return cls(network, backend.tf.function(partial(network, training=False), input_signature=[form]))


class KerasRanker(TrainedRanker):
    """A subclass writes `name`, `network` and, where softmax over the catalogue does not suit it, `compiled`.

    Item codes are given to the network as code + 1, and 0 is padding, on the left. Training asks for every event after
    a person's first step. Answers need TensorFlow, too.
    Stability: experimental.
    """

    class Options(TrainedOptions):
        """A network's own options are added by a nested class that inherits from this one."""

        batch: int = Field(256, ge=1, le=1_000_000, description="questions of a step")
        text_width: int = Field(
            0,
            ge=0,
            le=4_096,
            description="principal directions kept of title vectors; 0: titles are not read",
        )

    options: Options
    _serving: _Serving | None = None

    @abstractmethod
    def network(self, keras: Any, n_items: int, text: Floats32) -> Any:
        """A new keras.Model: int32 (n, window) -> float32 (n, n_items), scores of all items; higher is better.

        keras: the module. text: float32, shape (n_items, text_width): what titles mean, zeros where unknown.
        It must be a function of its arguments and of the options alone: a load calls it again. Random layers and
        initialisers that are given no seed draw from Keras' own, which is set before each fit.
        """

    def compiled(self, keras: Any, network: Any) -> None:
        """Choose loss and optimiser: left alone, softmax over all items and AdamW. The rate is set at every step."""
        network.compile(
            optimizer=keras.optimizers.AdamW(
                self.options.learning_rate, weight_decay=self.options.weight_decay
            ),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )

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
        """The network's weights after a training, and the text vectors that it was built with.

        Raises MissingExtraError where titles are to be read without the text encoder.
        """
        o, keras = self.options, backend.keras
        self._serving = None
        text = Content.read(train.items, _Titles(o.text_width), _ENCODING_SHARE * seconds, runtime).text
        keras.utils.set_random_seed(seed)
        network = self._built(backend, text)
        self.compiled(keras, network)

        def deal(rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
            order = rng.permutation(len(questions))
            yield from (order[at : at + o.batch] for at in range(0, len(order), o.batch))

        def learn(rows: npt.NDArray[np.int64], learning_rate: float) -> tuple[float, int]:
            network.optimizer.learning_rate = learning_rate
            network.reset_metrics()  # else the loss is a mean over all batches before
            history = questions.windows(questions.at[rows]).item + 1
            loss = network.train_on_batch(history, questions.answer[rows], questions.weight[rows])
            return float(loss) * len(rows), len(rows)

        def arrays() -> Arrays:
            weights = {f"{_WEIGHT}{number:04}": v.numpy() for number, v in enumerate(network.weights)}
            return {_TEXT: text, **weights}

        lesson = Lesson(deal=deal, steps=-(-len(questions) // o.batch), learn=learn, arrays=arrays)
        return course.run(lesson, measured)

    def restored(self) -> None:
        """Build the network, once, and put the weights in.

        Raises MissingExtraError without TensorFlow, DamagedError when `network` builds another than was saved.
        """
        if not self.is_trained:
            return
        if self._serving is None:
            backend = KerasBackend.ready()
            network = self._built(backend, self.state[_TEXT])
            self._serving = _Serving.of(backend, network, self.options.window)
        held = [self.state[name] for name in sorted(self.state) if name.startswith(_WEIGHT)]
        if [tuple(v.shape) for v in self._serving.network.weights] != [array.shape for array in held]:
            raise DamagedError(
                f"{self.name} was saved with other weights than its network has now.",
                remedy="Load it with the code that fitted it, or fit again.",
            )
        self._serving.network.set_weights(held)

    def score_windows(self, windows: Windows) -> Floats32:
        """The network's answers."""
        assert self._serving is not None
        return np.array(self._serving.answer(windows.item + 1), np.float32)

    def _built(self, backend: KerasBackend, text: Floats32) -> Any:
        n_items = len(text)
        network = self.network(backend.keras, n_items, text)
        form = tuple(network.compute_output_shape((2, self.options.window)))
        if form != (2, n_items):
            raise UsageError(
                f"{self.name}: for 2 histories the network answers shape {form}, not (2, {n_items}).",
                remedy="Let it answer one score for every item of the catalogue.",
            )
        return network

    def estimate(self, train: Dataset) -> Estimate:
        """A guess, for what `network` builds is not known before it is built: full scores of every question."""
        n_items, o = len(train.vocabulary), self.options
        n_events = 0 if train.interactions is None else train.interactions.n_events
        seconds = 10 + o.epochs * n_events * (1e-8 * n_items + 5e-6 * o.window)
        return Estimate(seconds=seconds, peak_mib=600 + 16 * o.batch * n_items / 2**20)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words; a subclass says more where it can."""
        return [
            ("The order of what you bought", "Items that tend to come next after yours come first."),
            ("How often customers bought it", "It orders the items where nothing is known of you."),
        ]
