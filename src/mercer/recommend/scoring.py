"""What every ranker shares that can score the whole catalogue for a block of requests.

A subclass writes `learn` (arrays from the training log), `score_rows` (scores from those arrays) and
`parameters`. It gets ranking with rules and masks, bounded memory, answers without profiling, saving and
loading.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Rankings,
    Requests,
    Runtime,
    Vocabulary,
)
from mercer.contracts import Options as BaseOptions
from mercer.errors import DataError, UnsupportedError, UsageError
from mercer.recommend.signals import log_of
from mercer.recommend.weights_file import read_weights, write_weights

Arrays = Mapping[str, npt.NDArray[Any]]

_BLOCK_CELLS = 1_000_000
"""Scores held at once: 4 MB of float32, and about five times that with masks and copies."""

_LEAST_ROWS = 8
"""Requests scored together however large the catalogue is: one alone would cost as much reading of its vectors."""


class ScoringRanker(ABC):
    """A ranker that scores densely, `_BLOCK_CELLS` scores or `_LEAST_ROWS` requests at a time.

    Stability: callers and implementers stable.
    """

    name: ClassVar[str]
    task: ClassVar[Literal["recommend", "search"]] = "recommend"
    stochastic: ClassVar[bool] = False
    holds_users: ClassVar[bool] = False
    has_scores: ClassVar[bool] = True

    class Options(BaseOptions):
        """No options; a subclass declares its own."""

    options: BaseOptions

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        self.options = options if options is not None else type(self).Options()
        self.state: Arrays = {}
        self._catalogue = ""

    @abstractmethod
    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:
        """Arrays that hold everything learned; `log` is the training log, never None."""

    @abstractmethod
    def score_rows(self, requests: Requests) -> Floats32:
        """Scores of the whole catalogue, float32, shape (n, I), higher is better; read from `self.state`.

        `requests` hold only what may be used: histories and user ids are blank where not profiled.
        No rule need be applied, and no row may depend on another.
        """

    @abstractmethod
    def parameters(self) -> list[tuple[str, str]]:
        """What mainly decides the ranking, most significant first: (name, why it matters), in plain words."""

    def restored(self) -> None:  # noqa: B027 - most rankers derive nothing
        """Called when `state` is complete, after fit and after load; for what is derived from it."""

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,  # noqa: ARG002
        budget: Budget | None = None,  # noqa: ARG002
        seed: int = 0,
        runtime: Runtime | None = None,  # noqa: ARG002
    ) -> Self:
        """Learn from `train` alone; counting takes seconds, so no budget is watched. Returns self."""
        self.state = dict(self.learn(train, log_of(train), seed))
        self._catalogue = train.vocabulary.fingerprint
        self.restored()
        return self

    def rank(self, requests: Requests, k: int) -> Rankings:
        """The k best eligible items of each request, rules and masking applied.

        Raises UsageError for k < 1, UnsupportedError before fit, DataError for another catalogue.
        """
        if k < 1:
            raise UsageError(f"k is {k}.", remedy="Ask for at least one item.")
        parts = [
            Rankings.top_k(self.score_rows(block), k, eligible=block.eligible(), pin=block.pin)
            for block in self._blocks(requests)
        ]
        if not parts:
            return Rankings(np.zeros((0, k), np.int32), np.zeros((0, k), np.float32))
        return Rankings.concatenate(parts)

    def score(self, requests: Requests, items: npt.NDArray[np.int32]) -> Floats32:
        """Scores of `items` (codes, shape (m,)) for each request, shape (n, m), no rule applied.

        Raises UnsupportedError before fit, DataError for another catalogue.
        """
        columns = np.asarray(items, np.int64)
        n_items = len(requests.items)
        whole = len(columns) == n_items and np.array_equal(columns, np.arange(n_items))
        picked: slice | npt.NDArray[np.int64] = slice(None) if whole else columns
        blocks = self._blocks(requests)
        if whole and len(blocks) == 1:
            return self.score_rows(blocks[0])
        out = np.empty((len(requests), len(columns)), np.float32)
        at = 0
        for block in blocks:
            out[at : at + len(block)] = self.score_rows(block)[:, picked]
            at += len(block)
        return out

    def save(self, folder: Path) -> None:
        """Write `options.yaml` and `weights.safetensors` into an existing folder."""
        self._need_fit()
        write_weights(folder, self.name, self.options, self.state, catalogue=self._catalogue)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when a file is missing, damaged or another ranker's."""
        stored = read_weights(folder, cls.name, cls.Options)
        ranker = cls(stored.options)
        ranker.state, ranker._catalogue = stored.arrays, stored.catalogue
        ranker.restored()
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` on `train` is expected to take: a pass over the log."""
        n_events = 0 if train.interactions is None else train.interactions.n_events
        return Estimate(seconds=0.01 + 1e-7 * n_events, peak_mib=1 + 60 * n_events / 2**20)

    def _blocks(self, requests: Requests) -> list[Requests]:
        """What may be used of the requests, in pieces of bounded memory."""
        self._need_fit()
        self._need_catalogue(
            requests.items,
            "the requests",
            remedy="Fit again, or encode the requests with the vocabulary saved beside the ranker.",
        )
        size = max(_LEAST_ROWS, _BLOCK_CELLS // max(1, len(requests.items)))
        blocks = [requests] if 0 < len(requests) <= size else requests.blocks(size)
        return [_visible(block) for block in blocks]

    def _need_catalogue(self, items: Vocabulary, of: str, *, remedy: str) -> None:
        """Raises DataError where these items are not those of the fit. of: what they are of, for the message."""
        if items.fingerprint != self._catalogue:
            raise DataError(f"{self.name} was fitted on another catalogue than that of {of}.", remedy=remedy)

    def _need_fit(self) -> None:
        if not self._catalogue:
            raise UnsupportedError(f"{self.name} is not fitted.", remedy="Call fit, or load a saved one.")


def _visible(requests: Requests) -> Requests:
    """The requests without what an answer without profiling must not depend on."""
    hidden = requests.context.unprofiled
    if not hidden.any():
        return requests
    users = tuple(None if gone else user for user, gone in zip(requests.users, hidden, strict=True))
    return replace(requests, history=requests.visible_history, users=users)
