"""The two towers as Keras models, and one step of their training. TensorFlow is imported when they are built.

    item tower   ID, text, groups of an item -> ID + text projected + brand, category levels ..., float32 (n, d)
    user tower   vectors, ages and weights of a history -> means of the vectors, faded at several learned rates,
                 through one hidden layer and past it, float32 (n, d)
    score        cosine of the two / temperature
`served.py` says the same in NumPy; a test holds both together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32
from mercer.recommend.scoring import Arrays
from mercer.recommend.sequence.content import Content
from mercer.recommend.two_tower.batches import Batch
from mercer.recommend.two_tower.options import TwoTowerOptions
from mercer.recommend.with_keras import PADDING, KerasBackend, Windows

Bools = npt.NDArray[np.bool_]

NO_ID = 0
"""ID of an item that is known by its content alone; the others have their item code + 1."""

_START = 0.05
"""Standard deviation of an embedding at the start."""
_PIECE = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Towers:
    """item, user: keras.Model. warmth: log of 1 / temperature. own: int32, shape (I,): each item's ID."""

    backend: KerasBackend
    item: Any
    user: Any
    warmth: Any
    content: Content
    own: npt.NDArray[np.int32]

    @classmethod
    def built(
        cls, content: Content, bought: Bools, options: TwoTowerOptions, *, backend: KerasBackend, seed: int
    ) -> Self:
        """Towers at their start, which is a function of the seed.

        bought: shape (I,): which items have an event in training. The others learn no ID, so they have none, if the
        catalogue says anything by which to know them.
        """
        seeds = iter(np.random.default_rng([seed, 1]).integers(0, 2**31 - 1, 100).tolist())
        known = bool(content.text.any() or content.codes.any())
        own = np.where(bought | (not known), np.arange(1, len(bought) + 1), NO_ID)
        keras = backend.keras
        return cls(
            backend=backend,
            item=_item_tower(keras, content, options, seeds),
            user=_user_tower(keras, options, seeds),
            warmth=keras.Variable(np.float32(-math.log(options.temperature)), name="warmth"),
            content=content,
            own=own.astype(np.int32),
        )

    @property
    def variables(self) -> list[Any]:
        """What is learned, as TensorFlow's variables in Keras'."""
        return [*self.item.trainable_variables, *self.user.trainable_variables, self.warmth]

    def features(self, items: npt.NDArray[Any], hidden: Bools | None = None) -> list[npt.NDArray[Any]]:
        """What the item tower reads of item codes, shape (n,). hidden: shape (n,): whose ID it may not see."""
        own = self.own[items]
        if hidden is not None:
            own = np.where(hidden, np.int32(NO_ID), own)
        return [own, self.content.text[items], self.content.codes[items].astype(np.int32)]

    def item_vectors(self) -> Floats32:
        """float32, shape (I, d)."""
        n_items = len(self.own)
        pieces = [np.arange(at, min(at + _PIECE, n_items)) for at in range(0, n_items, _PIECE)]
        return np.concatenate([self.item(self.features(piece), training=False).numpy() for piece in pieces])

    def arrays(self) -> Arrays:
        """What serving needs: item vectors, and the user tower's weights by the names of its layers."""
        inside = {f"{v.path.split('/')[-2]}.{v.name}": v.numpy() for v in self.user.trainable_variables}
        return {"vectors": self.item_vectors(), "warmth": self.warmth.numpy().reshape(1), **inside}

    def scores(self, windows: Windows) -> Floats32:
        """Scores of the whole catalogue after each history, float32, shape (n, I), by Keras itself."""
        vectors = self.item_vectors()
        read = np.where((windows.item == PADDING)[:, :, None], np.float32(0), vectors[windows.item])
        states = self.user([read, windows.age, windows.weight], training=False)
        return np.asarray(_cosines(self.backend.keras.ops, states, vectors, self.warmth))

    def learner(self, weight_decay: float) -> Callable[[Batch, Bools, float], float]:
        """A function that learns from a batch, with `features`' hidden and the learning rate, and returns its loss."""
        tf, ops = self.backend.tf, self.backend.keras.ops
        variables = self.variables
        optimizer = self.backend.keras.optimizers.AdamW(0.0, weight_decay=weight_decay)
        optimizer.build(variables)

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def step(features: Any, history: Any, candidate: Any, asked: Any) -> Any:
            place, age, loud = history
            state, answer, weight, log_chance = asked
            with tf.GradientTape() as tape:
                vectors = self.item(features, training=True)
                # A row of zeros before the first item is what padding (-1) reads.
                read = tf.gather(tf.pad(vectors, ((1, 0), (0, 0))), place + 1)
                states = tf.gather(self.user([read, age, loud], training=True), state)
                scores = _cosines(ops, states, tf.gather(vectors, candidate), self.warmth)
                right = tf.one_hot(answer, tf.shape(candidate)[0])
                terms = scores - log_chance * (1 - right)
                each = tf.reduce_logsumexp(terms, axis=1) - tf.reduce_sum(scores * right, axis=1)
                loss = tf.reduce_sum(weight * each) / tf.reduce_sum(weight)
            optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
            return loss

        def learn(batch: Batch, hidden: Bools, learning_rate: float) -> float:
            optimizer.learning_rate = learning_rate
            w = batch.window
            parts = (
                self.features(batch.item, hidden),
                (w.item, w.age, w.weight),
                batch.candidate,
                (batch.state, batch.answer, batch.weight, batch.log_chance),
            )
            return float(step(*tf.nest.map_structure(tf.constant, parts)))

        return learn


def _item_tower(keras: Any, content: Content, o: TwoTowerOptions, seeds: Iterator[int]) -> Any:
    """keras.Model: ID int32 (n,), text float32 (n, t), groups int32 (n, c) -> float32 (n, d)."""
    layers, ops = keras.layers, keras.ops
    own = keras.Input((), dtype="int32", name="own")
    text = keras.Input((content.text.shape[1],), name="text")
    groups = keras.Input((content.codes.shape[1],), dtype="int32", name="groups")

    def start(size: float) -> Any:
        return keras.initializers.RandomNormal(0.0, size, seed=next(seeds))

    def embedded(codes: Any, size: int, name: str) -> Any:
        """Zeros for code 0."""
        vectors = layers.Embedding(size, o.width, embeddings_initializer=start(_START), name=name)(codes)
        return vectors * ops.cast(codes > 0, "float32")[:, None]

    total = embedded(own, len(content.text) + 1, "id")
    for column, (name, size) in enumerate(zip(content.names, content.sizes, strict=True)):
        total = total + embedded(groups[:, column], size, name.replace(" ", "-"))
    if content.text.shape[1]:
        # A text is of unit length: so its share of the sum starts as large as an ID.
        project = layers.Dense(o.width, use_bias=False, kernel_initializer=start(_START), name="project")
        total = total + project(text)
    return keras.Model([own, text, groups], total, name="item")


def _user_tower(keras: Any, o: TwoTowerOptions, seeds: Iterator[int]) -> Any:
    """keras.Model: vectors (n, w, d), ages (n, w), weights (n, w) -> float32 (n, d)."""
    layers, ops = keras.layers, keras.ops
    vectors = keras.Input((None, o.width), name="vectors")
    age = keras.Input((None,), name="age")
    weight = keras.Input((None,), name="weight")
    start = keras.initializers.Constant([[math.log(rate) for rate in o.rates]])
    rates = layers.Dense(len(o.rates), use_bias=False, kernel_initializer=start, name="rates")
    loud = weight[:, :, None] * ops.exp(-ops.abs(rates(age[:, :, None])))
    loud = loud / ops.maximum(ops.sum(loud, axis=1, keepdims=True), 1e-9)
    read = layers.Dropout(o.dropout, seed=next(seeds))(vectors)
    means = ops.einsum("nwr,nwd->nrd", loud, read)

    def dense(size: int, name: str, activation: str | None = None) -> Any:
        kernel = keras.initializers.GlorotUniform(seed=next(seeds))
        return layers.Dense(size, activation=activation, kernel_initializer=kernel, name=name)

    flat = layers.Reshape((len(o.rates) * o.width,))(means)
    inner = layers.Dropout(o.dropout, seed=next(seeds))(dense(o.hidden, "hidden", "silu")(flat))
    mixed = layers.Dense(1, use_bias=False, kernel_initializer="ones", name="past")
    past = layers.Flatten()(mixed(ops.transpose(means, (0, 2, 1)))) / len(o.rates)
    return keras.Model([vectors, age, weight], past + dense(o.width, "out")(inner), name="user")


def _cosines(ops: Any, states: Any, vectors: Any, warmth: Any) -> Any:
    """float32, shape (n, m): cosine of each of n states with each of m vectors, / temperature."""
    return ops.exp(warmth) * ops.matmul(ops.normalize(states), ops.transpose(ops.normalize(vectors)))
