"""What search rankers share: rules, pins, blocks, the check of the catalogue, options at rest.

A subclass answers `score_query`: the score of every item for one query, -inf for an item that is no answer.
Queries are scored one by one, so an answer does not depend on the batch it came in.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import ValidationError

from mercer.contracts import Budget, Dataset, Estimate, Floats32, Holdout, Rankings, Requests, Runtime
from mercer.contracts import Options as BaseOptions
from mercer.errors import DamagedError, DataError, UnsupportedError, UsageError

OPTIONS = "options.yaml"
INDEX = "index.json"
FORMAT = 2
_BLOCK_CELLS = 4_000_000
"""Scores held at once: 16 MB of float32, and a few times that with masks and copies."""


class SearchRanker(ABC):
    """A ranker of task search that scores the whole catalogue for one query at a time.

    Stability: callers and implementers stable.
    """

    name: ClassVar[str]
    task: ClassVar[Literal["recommend", "search"]] = "search"
    stochastic: ClassVar[bool] = False
    holds_users: ClassVar[bool] = False
    has_scores: ClassVar[bool] = True
    from_catalogue: ClassVar[bool] = True
    """Whether fit reads the catalogue alone: no judgments, no events, no validation."""

    class Options(BaseOptions):
        """No options; a subclass declares its own."""

    options: BaseOptions

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        self.options = options if options is not None else type(self).Options()
        self._catalogue = ""

    @abstractmethod
    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """Index `train.items` within `seconds`."""

    @abstractmethod
    def score_query(self, query: str) -> Floats32:
        """The score of every item, shape (I,), higher is better; -inf for an item that is no answer."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write the index into an existing folder."""

    @abstractmethod
    def read(self, folder: Path) -> None:
        """Read what `write` wrote."""

    @abstractmethod
    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` on `train` is expected to take."""

    @abstractmethod
    def parameters(self) -> list[tuple[str, str]]:
        """What mainly decides the ranking, most significant first: (name, why it matters), in plain words."""

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,  # noqa: ARG002
        budget: Budget | None = None,
        seed: int = 0,  # noqa: ARG002
        runtime: Runtime | None = None,
    ) -> Self:
        """Index the catalogue of `train`; nothing is learned from people. Returns self."""
        self.build(train, (budget or Budget()).seconds, runtime or Runtime())
        self._catalogue = train.vocabulary.fingerprint
        return self

    def rank(self, requests: Requests, k: int) -> Rankings:
        """The k best eligible items of each query; a list is shorter where fewer items are an answer.

        A pinned item that is no answer has score 0.
        Raises UsageError for k < 1, UnsupportedError before fit or without queries, DataError for another
        catalogue.
        """
        queries = self._queries(requests)
        return self._ranked(requests, k, lambda row: self.score_query(queries[row]))

    def _ranked(self, requests: Requests, k: int, scores_of: Callable[[int], Floats32]) -> Rankings:
        """The k best eligible items of each request. scores_of: the score of every item, shape (I,), for a row."""
        if k < 1:
            raise UsageError(f"k is {k}.", remedy="Ask for at least one item.")
        parts = [Rankings(np.zeros((0, k), np.int32), np.zeros((0, k), np.float32))]
        at = 0
        for block in requests.blocks(max(1, _BLOCK_CELLS // max(1, len(requests.items)))):
            scores = np.stack([scores_of(row) for row in range(at, at + len(block))])
            eligible = block.eligible()
            answers = eligible & (scores > -np.inf)
            if block.pin is not None:
                pinned = np.zeros_like(eligible)
                pinned[block.pin.row_of, block.pin.values] = True
                pinned &= eligible
                scores[pinned & ~answers] = 0.0
                answers |= pinned
            parts.append(Rankings.top_k(scores, k, eligible=answers, pin=block.pin))
            at += len(block)
        return Rankings.concatenate(parts)

    def score(self, requests: Requests, items: npt.NDArray[np.int32]) -> Floats32:
        """Scores of `items` (codes, shape (m,)) for each query, shape (n, m), no rule applied.

        -inf for an item that is no answer. Raises UnsupportedError before fit or without queries, DataError
        for another catalogue.
        """
        columns = np.asarray(items, np.int64)
        out = np.empty((len(requests), len(columns)), np.float32)
        for row, query in enumerate(self._queries(requests)):
            out[row] = self.score_query(query)[columns]
        return out

    def save(self, folder: Path) -> None:
        """Write options, a small header and the index into an existing folder."""
        self._need_fit()
        header = {"ranker": self.name, "format": FORMAT, "catalogue": self._catalogue}
        (folder / INDEX).write_text(json.dumps(header, sort_keys=True) + "\n", "utf-8")
        (folder / OPTIONS).write_text(
            yaml.safe_dump(self.options.model_dump(mode="json"), sort_keys=False), "utf-8"
        )
        self.write(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; nothing in the folder is changed, so it may be read-only and shared.

        Raises DamagedError when a file is missing, damaged or another ranker's.
        """
        header, options = _read_header(folder, cls.name, cls.Options)
        ranker = cls(options)
        ranker.read(folder)
        ranker._catalogue = str(header["catalogue"])
        return ranker

    def _queries(self, requests: Requests) -> tuple[str, ...]:
        self._need_fit()
        if requests.query is None:
            raise UnsupportedError(f"{self.name} needs queries.", remedy="Set `query` in the requests.")
        if requests.items.fingerprint != self._catalogue:
            raise DataError(
                f"{self.name} was fitted on another catalogue than that of the requests.",
                remedy="Fit again, or encode the requests with the vocabulary saved beside the ranker.",
            )
        return requests.query

    def _need_fit(self) -> None:
        if not self._catalogue:
            raise UnsupportedError(f"{self.name} is not fitted.", remedy="Call fit, or load a saved one.")


def best(values: npt.NDArray[np.floating[Any]], k: int) -> npt.NDArray[np.int64]:
    """Positions of the k greatest values, greatest first, equal ones in their order; without sorting the rest."""
    if 0 < k < len(values):
        least = np.partition(values, len(values) - k)[len(values) - k]
        chosen = np.flatnonzero(values >= least)
    else:
        chosen = np.arange(len(values))
    return chosen[np.argsort(-values[chosen], kind="stable")][:k].astype(np.int64)


def _read_header(folder: Path, name: str, options: type[BaseOptions]) -> tuple[dict[str, Any], BaseOptions]:
    try:
        header = json.loads((folder / INDEX).read_text("utf-8"))
        found = (header["ranker"], header["format"], header["catalogue"])
        chosen = options.model_validate(yaml.safe_load((folder / OPTIONS).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError, ValidationError) as fault:
        raise DamagedError(
            f"{folder.name} does not hold a whole {name} ranker.", remedy="Run mercer again to fit it."
        ) from fault
    if found[:2] != (name, FORMAT):
        raise DamagedError(
            f"{folder.name} holds {found[0]} in format {found[1]}, not {name} in {FORMAT}.",
            remedy="Name the ranker that wrote it, or fit again.",
        )
    return header, chosen
