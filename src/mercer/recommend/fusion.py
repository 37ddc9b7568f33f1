"""`fusion`: the lists of several rankers as one, by places or by scaled scores.

Every member ranks the whole catalogue and rules are applied to the fused order, so forbidding one item never changes
the order of the others.
Sources: Cormack, Clarke and Büttcher, SIGIR 2009 (reciprocal rank fusion); Bruch, Gai and Ingber, TOIS 2023 (convex
combination of scaled scores).
"""

from __future__ import annotations

import logging
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Ranker,
    Requests,
    Runtime,
    searched,
)
from mercer.contracts import Options as BaseOptions
from mercer.errors import nearest
from mercer.evaluation import score_ranking, unit_values
from mercer.recommend.members import Members, record_of, trains, within
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.training.inner import keep, new, read

if TYPE_CHECKING:
    from mercer.training import TrainingRecord

Floats = npt.NDArray[np.float64]

METRIC = "ndcg@10"
"""What validation rows are asked when they choose the shares."""
_BLOCK_CELLS = 1_000_000

log = logging.getLogger(__name__)


class FusionOptions(BaseOptions):
    """Which rankers are joined, and how."""

    members: Members = Field(
        {"item-knn": {}, "sasrec": {}},
        min_length=2,
        validate_default=True,
        description="rankers by name, each with its options",
    )
    join: Literal["reciprocal", "convex"] = searched(
        "reciprocal",
        choices=("reciprocal", "convex"),
        description="join the places in the members' lists (reciprocal) or their scaled scores (convex)",
    )
    rank_constant: float = searched(
        60.0,
        low=1.0,
        high=200.0,
        log=True,
        ge=0,
        le=1e6,
        description="reciprocal: k in 1 / (k + rank): the larger, the less the first places count",
    )
    shares: dict[str, float] = Field(
        {}, description="weight of each member; none named: chosen on validation rows, equal without them"
    )
    validation_rows: int = Field(3_000, ge=1, description="held-out requests that choose the shares, at most")

    @model_validator(mode="after")
    def _shares_are_of_the_members(self) -> FusionOptions:
        for name in self.shares:
            if name not in self.members:
                raise ValueError(f"shares names {name!r}, which is no member. {nearest(name, self.members)}")
        if self.shares:
            missing = [name for name in self.members if name not in self.shares]
            if missing:
                raise ValueError(f"shares does not name {missing[0]!r}: name every member or none")
            values = list(self.shares.values())
            if not (all(0 <= share < np.inf for share in values) and sum(values) > 0):
                raise ValueError("shares are numbers from 0, and not all of them 0")
        return self


class Fusion(ScoringRanker):
    """score(j) = sum over members of share * 1 / (k + place of j in the member's list), or of share * scaled score.

    Items that a member scores alike share the best of their places. Scaled: 0 for the member's least score of the
    request, 1 for its greatest. What it says of itself (`stochastic`, `holds_users`, `parts`, `trains`) follows its
    members.
    training: the record of the member that trained longest, None where none is a neural model. notes: the members'.
    """

    name = "fusion"
    stochastic = True
    composition: ClassVar[str] = "fusion"
    parts: tuple[str, ...] = ("item-knn", "sasrec")

    class Options(FusionOptions):
        """Options of `fusion`; see FusionOptions."""

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.members = {name: new(name, given) for name, given in self.options.members.items()}
        self.parts = tuple(self.members)
        self.stochastic = any(one.stochastic for one in self.members.values())  # type: ignore[misc]
        self.holds_users = any(one.holds_users for one in self.members.values())  # type: ignore[misc]
        self.trains = any(trains(one) for one in self.members.values())
        self.notes: tuple[str, ...] = ()

    @property
    def records(self) -> dict[str, TrainingRecord]:
        """What the training of each neural member was and took, by name."""
        found = {name: record_of(one) for name, one in self.members.items()}
        return {name: record for name, record in found.items() if record is not None}

    @property
    def training(self) -> TrainingRecord | None:
        """The record of the member that trained longest."""
        return max(self.records.values(), key=lambda record: record.seconds, default=None)

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Fit every member on `train`; `validation` stops and chooses inside them, and chooses their shares.

        What chance has no part in goes first, since it is quick; each then gets an equal part of the time that is left.
        """
        runtime = runtime or Runtime()
        deadline = time.perf_counter() + (budget or Budget()).seconds
        self.members = {name: new(name, given) for name, given in self.options.members.items()}
        turns = sorted(self.members, key=lambda name: self.members[name].stochastic)
        for turn, name in enumerate(turns):
            seconds = (deadline - time.perf_counter()) / (len(turns) - turn)
            self.members[name].fit(
                train, validation=validation, budget=Budget(max(0.0, seconds)), seed=seed,
                runtime=within(runtime, name),
            )  # fmt: skip
        self.notes = tuple(
            f"{name}: {note}" for name, one in self.members.items() for note in getattr(one, "notes", ())
        )
        self._catalogue = train.vocabulary.fingerprint
        self.state = {"shares": self._shares(validation, seed)}
        return self

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """What `fit` learns beside its members, without validation, limits or a runtime of its own."""
        return type(self)(self.options).fit(train, seed=seed).state

    def _shares(self, validation: Holdout | None, seed: int) -> Floats:
        """Shares of the members, in their order, summing to 1."""
        if self.options.shares:
            given = np.array([self.options.shares[name] for name in self.members])
            return np.asarray(given / given.sum(), np.float64)
        if validation is None or not len(validation):
            return np.full(len(self.members), 1 / len(self.members))
        rows = np.random.default_rng([seed, 1]).permutation(len(validation))[: self.options.validation_rows]
        return self._best_shares(validation.take(np.sort(rows)))

    def _best_shares(self, held: Holdout) -> Floats:
        """The shares of the grid that rank the held-out rows best, the most even of equals."""
        shares, n_items = grid(len(self.members)), len(held.requests.items)
        total = np.zeros(len(shares))
        size = max(1, _BLOCK_CELLS // max(1, n_items))
        for at in range(0, len(held), size):
            part = held.take(np.arange(at, min(at + size, len(held))))
            gains = [self._gains(one, part.requests) for one in self.members.values()]
            for number, weights in enumerate(shares):
                fused = _joined(gains, weights)
                scored = score_ranking(part, score=lambda _, fused=fused: fused)  # type: ignore[misc]
                total[number] += unit_values(scored, METRIC).sum()
        best = shares[int(np.argmax(total))]
        log.info("shares %s", dict(zip(self.members, best.round(3).tolist(), strict=True)))
        return best

    def score_rows(self, requests: Requests) -> Floats32:
        """The members' gains, each by its share."""
        return _joined([self._gains(one, requests) for one in self.members.values()], self.state["shares"])

    def _gains(self, member: Ranker, requests: Requests) -> Floats32:
        """What a member gives each item before shares, float32, shape (n, I), from 0."""
        scores = member.score(requests, np.arange(len(requests.items), dtype=np.int32))
        if self.options.join == "convex":
            return scaled(scores)
        return np.asarray(1 / (self.options.rank_constant + ranks(scores)), np.float32)

    def save(self, folder: Path) -> None:
        """Write options.yaml, weights.safetensors and a folder for each member, in `members`."""
        kept = {
            f"{_HASH}{name}": np.frombuffer(keep(one, folder / _FOLDER / name), np.uint8)
            for name, one in self.members.items()
        }
        self.state = {**self.state, **kept}
        super().save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when a file is missing, damaged or of another fit."""
        ranker = super().load(folder)
        ranker.members = {
            name: read(name, folder / _FOLDER / name, bytes(ranker.state.get(f"{_HASH}{name}", b"")))
            for name in ranker.members
        }
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """What the members take together, and choosing the shares."""
        found = [one.estimate(train) for one in self.members.values()]
        return Estimate(
            seconds=sum(one.seconds for one in found), peak_mib=sum(one.peak_mib for one in found)
        )

    def parameters(self) -> list[tuple[str, str]]:
        """Those of the members, the one with the greatest share first; what several name, once."""
        shares = self.state.get("shares", np.ones(len(self.members)))
        first: dict[str, str] = {}
        for _, one in sorted(zip(-shares, self.members.values(), strict=True), key=lambda pair: pair[0]):
            for name, reason in one.parameters():
                first.setdefault(name, reason)
        return list(first.items())


_FOLDER, _HASH = "members", "files of "


def grid(n: int) -> list[Floats]:
    """Shares of n members that are tried, the most even first: tenths for two, fifths for more; ends included."""
    steps = 10 if n == 2 else 5
    found = [np.array(one) / steps for one in product(range(steps + 1), repeat=n) if sum(one) == steps]
    return sorted(found, key=lambda shares: float((shares**2).sum()))


def _joined(gains: list[Floats32], shares: Floats) -> Floats32:
    total = np.zeros(gains[0].shape, np.float64)
    for gain, share in zip(gains, shares, strict=True):
        total += share * gain
    return total.astype(np.float32)


def ranks(scores: Floats32) -> Floats:
    """1 + the number of greater scores in the row, shape (n, I) as given: equal scores share the best place."""
    out = np.empty(scores.shape, np.float64)
    places = np.arange(1, scores.shape[1] + 1)
    for row, line in enumerate(scores):
        order = np.argsort(-line)
        falling = line[order]
        first = places.copy()
        first[1:][falling[1:] == falling[:-1]] = 0
        out[row, order] = np.maximum.accumulate(first)
    return out


def scaled(scores: Floats32) -> Floats32:
    """Each row from its least finite score (0) to its greatest (1); 0 for -inf and where all scores are equal."""
    there = scores > -np.inf
    low = np.where(there, scores, np.inf).min(axis=1, initial=np.inf, keepdims=True)
    high = scores.max(axis=1, initial=-np.inf, keepdims=True)
    spread = np.where(high > low, high - low, 1.0)
    return np.where(there, (scores - low) / spread, 0.0).astype(np.float32)
