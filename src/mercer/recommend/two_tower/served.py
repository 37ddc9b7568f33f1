"""The towers in NumPy: what serves, and what validation asks while they are trained. TensorFlow is not imported."""

from __future__ import annotations

import numpy as np

from mercer.contracts import Floats32
from mercer.recommend.scoring import Arrays
from mercer.recommend.with_keras import PADDING, Windows

_LEAST = np.float32(1e-9)
_CELLS = 4_000_000
"""Numbers of histories held at once: 16 MB."""


class ServedTowers:
    """The arrays of `Towers.arrays`, ready to answer."""

    def __init__(self, arrays: Arrays) -> None:
        """Normalise the item vectors once."""
        self._w = arrays
        self._read = arrays["vectors"]
        self._answers = np.ascontiguousarray((_unit(self._read) * np.exp(arrays["warmth"])).T)

    def scores(self, windows: Windows) -> Floats32:
        """Scores of the whole catalogue after each history, float32, shape (n, I); of an empty one they say nothing."""
        size = max(1, _CELLS // (windows.item.shape[1] * self._read.shape[1]))
        starts = range(0, len(windows), size)
        states = [self._states(windows, slice(at, at + size)) for at in starts]
        joined = np.concatenate(states) if states else np.zeros((0, self._read.shape[1]), np.float32)
        return np.asarray(_unit(joined) @ self._answers, np.float32)

    def _states(self, windows: Windows, rows: slice) -> Floats32:
        """float32, shape (n, d)."""
        w, item, n = self._w, windows.item[rows], len(windows.item[rows])
        loud = windows.weight[rows, :, None] * np.exp(-np.abs(windows.age[rows, :, None] * w["rates.kernel"]))
        loud /= np.maximum(loud.sum(axis=1, keepdims=True), _LEAST)
        means = loud.transpose(0, 2, 1) @ np.where(
            (item == PADDING)[:, :, None], np.float32(0), self._read[item]
        )
        inner = means.reshape(n, -1) @ w["hidden.kernel"] + w["hidden.bias"]
        inner = inner / (1 + np.exp(-inner))
        past = (means.transpose(0, 2, 1) @ w["past.kernel"])[:, :, 0] / loud.shape[2]
        return np.asarray(past + inner @ w["out.kernel"] + w["out.bias"], np.float32)


def _unit(vectors: Floats32) -> Floats32:
    """Rows of unit length; zeros stay."""
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, _LEAST), np.float32)
