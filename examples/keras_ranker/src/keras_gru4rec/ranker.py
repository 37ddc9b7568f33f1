"""A Keras model of your own as a ranker: GRU4Rec (Hidasi et al., ICLR 2016) with titles, in thirty lines.

Register it as pyproject.toml does, and briefs may name it: docs/how-to/bring-a-keras-model.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mercer.contracts import Floats32
from mercer.recommend.with_keras import KerasRanker
from pydantic import Field


class Gru4Rec(KerasRanker):
    """The state of a GRU after the history, times a learned vector of each item."""

    name = "gru4rec"

    class Options(KerasRanker.Options):
        """Options of the network, besides those of the training."""

        width: int = Field(64, ge=1, le=1024, description="numbers of an item and of a state")
        dropout: float = Field(0.3, ge=0, lt=1, description="share dropped of what enters the GRU")

    options: Options

    def network(self, keras: Any, n_items: int, text: Floats32) -> Any:
        o, layers = self.options, keras.layers
        history = keras.Input((o.window,), dtype="int32")  # item code + 1; 0 is padding, on the left
        read = layers.Embedding(n_items + 1, o.width)(history)
        if text.shape[1]:  # what titles mean, frozen, projected and added; padding reads a row of zeros
            frozen = keras.initializers.Constant(np.pad(text, ((1, 0), (0, 0))))
            titles = layers.Embedding(len(text) + 1, text.shape[1], frozen, trainable=False)(history)
            read = read + layers.Dense(o.width, use_bias=False)(titles)
        state = layers.GRU(o.width)(layers.Dropout(o.dropout)(read), mask=history > 0)
        return keras.Model(history, layers.Dense(n_items)(state))
