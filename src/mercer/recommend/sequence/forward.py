"""The network in NumPy: what serves, and what validation asks while it is trained. PyTorch is not imported.

`network.py` says the same in PyTorch; a test holds both together. Layers that look at one event at a time run on the
flat events of all rows, without padding; attention alone pads. Of the last block only the last event is asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32
from mercer.recommend.sequence.events import Events, Spans, sizes

Weights = Mapping[str, npt.NDArray[Any]]

_PIECE = 8_192
"""Events encoded at once."""

_EPSILON = np.float32(1e-5)
_NEVER = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class Forward:
    """weights: arrays named as in the network's state, and `vectors`, float32, shape (I, d), of all items."""

    weights: Weights
    heads: int
    blocks: int

    def states(self, events: Events, spans: Spans) -> Floats32:
        """State after each sequence, float32, shape (n, d); of an empty one it says nothing, and is 0."""
        out = np.zeros((len(spans), self.weights["vectors"].shape[1]), np.float32)
        held = np.flatnonzero(spans.length > 0)
        # Rows of like length go together: attention pads least then.
        held = held[np.argsort(spans.length[held], kind="stable")]
        at = 0
        while at < len(held):
            size = int(np.searchsorted(np.cumsum(spans.length[held[at : at + _PIECE]]), _PIECE)) + 1
            rows = held[at : at + size]
            out[rows] = self._piece(events, Spans(first=spans.first[rows], length=spans.length[rows]))
            at += size
        return out

    def _piece(self, events: Events, spans: Spans) -> Floats32:
        w, n, length = self.weights, len(spans), spans.length
        row = np.repeat(np.arange(n), length)
        stop = np.cumsum(length)
        place = np.arange(stop[-1]) - np.repeat(stop - length, length)
        event = np.repeat(spans.first, length) + place
        hidden = w["vectors"][events.item[event]] * np.float32(math.sqrt(w["vectors"].shape[1]))
        if "kind.weight" in w:
            hidden += w["kind.weight"][events.kind[event]]
        if "gap.weight" in w:
            hidden += w["gap.weight"][events.gap[event]]
        past = _Past(row, place, events.minute[event], n, int(length.max()))
        asked = np.arange(len(event))
        for number in range(self.blocks):
            if number == self.blocks - 1:
                asked = stop - 1
            hidden = self._block(f"blocks.{number}", hidden, asked, past)
        return self._norm("norm", hidden)

    def _block(self, name: str, hidden: Floats32, asked: npt.NDArray[np.int64], past: _Past) -> Floats32:
        """The block's output for the events asked, shape (m, d); `hidden` holds all events."""
        gated = f"{name}.attend_gate.weight" in self.weights
        answer = self._attended(name, hidden, asked, past)
        hidden = hidden[asked]
        if gated:
            answer *= _sigmoid(self._linear(f"{name}.attend_gate", hidden))
        hidden = hidden + answer
        wide = self._linear(f"{name}.widen", self._norm(f"{name}.think_norm", hidden))
        if gated:
            wide, gate = np.split(wide, 2, axis=1)
            wide = gate * _sigmoid(gate) * wide
        else:
            wide *= _sigmoid(wide)
        answer = self._linear(f"{name}.narrow", wide)
        if gated:
            answer *= _sigmoid(self._linear(f"{name}.think_gate", hidden))
        return hidden + answer

    def _attended(self, name: str, hidden: Floats32, asked: npt.NDArray[np.int64], past: _Past) -> Floats32:
        w, width = self.weights, hidden.shape[1]
        size = width // self.heads
        looks = self._linear(f"{name}.look", self._norm(f"{name}.attend_norm", hidden))
        shape = (past.n, past.length, self.heads, size)
        key, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        key[past.row, past.place] = looks[:, width : 2 * width].reshape(-1, self.heads, size)
        value[past.row, past.place] = looks[:, 2 * width :].reshape(-1, self.heads, size)
        last_only = len(asked) == past.n
        row = past.row[asked]
        column = np.zeros(past.n, np.int64) if last_only else past.place
        query = np.zeros((past.n, 1 if last_only else past.length, self.heads, size), np.float32)
        query[row, column] = looks[asked, :width].reshape(-1, self.heads, size)
        place = np.zeros(query.shape[:2], np.int64)
        place[row, column] = past.place[asked]
        logits = query.transpose(0, 2, 1, 3) @ key.transpose(0, 2, 3, 1)
        logits /= np.float32(math.sqrt(size))
        distance = place[:, :, None] - np.arange(past.length)
        logits += w[f"{name}.by_distance"][:, np.maximum(distance, 0)].transpose(1, 0, 2, 3)
        if f"{name}.by_time" in w:
            minute, then = np.zeros(query.shape[:2], np.int64), np.zeros(shape[:2], np.int64)
            minute[row, column], then[past.row, past.place] = past.minute[asked], past.minute
            apart = np.maximum(minute[:, :, None] - then[:, None], 0)
            logits += w[f"{name}.by_time"][:, sizes(apart)].transpose(1, 0, 2, 3)
        logits = np.where((distance < 0)[:, None], _NEVER, logits)
        logits -= logits.max(axis=-1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=-1, keepdims=True)
        seen = (logits @ value.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
        return self._linear(f"{name}.mix", seen[row, column].reshape(-1, width))

    def _linear(self, name: str, x: Floats32) -> Floats32:
        out: Floats32 = x @ self.weights[f"{name}.weight"].T
        out += self.weights[f"{name}.bias"]
        return out

    def _norm(self, name: str, x: Floats32) -> Floats32:
        x = x - x.mean(axis=1, keepdims=True)
        x /= np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / np.float32(x.shape[1]) + _EPSILON)
        return np.asarray(x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"], np.float32)


@dataclass(frozen=True, slots=True)
class _Past:
    """Where the flat events of n sequences lie: row, place in it, minute; length: of the longest."""

    row: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    minute: npt.NDArray[np.int64]
    n: int
    length: int


def _sigmoid(x: Floats32) -> Floats32:
    # By the hyperbolic tangent: the exponential of a large number would overflow.
    out: Floats32 = np.tanh(x * np.float32(0.5))
    out *= np.float32(0.5)
    out += np.float32(0.5)
    return out
