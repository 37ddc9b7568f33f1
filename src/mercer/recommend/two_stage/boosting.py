"""LambdaMART by LightGBM: trees that put the purchases of each list on top, kept in LightGBM's own text format.

Source: Burges, From RankNet to LambdaRank to LambdaMART, Microsoft Research MSR-TR-2010-82; Ke et al., LightGBM,
NeurIPS 2017.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Progress
from mercer.errors import DamagedError
from mercer.recommend.two_stage.lists import Lists
from mercer.recommend.two_stage.options import TwoStageOptions

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float64]

_ONE_THREAD_ROWS = 5_000
"""Fewer rows are scored by one thread: others cost more in waiting than they save."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted members by their whole texts; none where there was nothing to learn from."""

    texts: tuple[str, ...]
    members: tuple[lightgbm.Booster, ...]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """Members from texts that LightGBM wrote."""
        import lightgbm

        return cls(tuple(texts), tuple(lightgbm.Booster(model_str=text) for text in texts))

    def scores(self, features: npt.NDArray[np.float32], threads: int = 1) -> Floats:
        """Mean raw score of the members for each row, shape (m,); a row's score depends on that row alone."""
        if not len(features):
            return np.zeros(0)
        threads = 1 if len(features) < _ONE_THREAD_ROWS else threads
        total = np.zeros(len(features))
        for member in self.members:
            total += member.predict(features, raw_score=True, num_threads=threads, validate_features=False)
        return total / len(self.members)

    def gains(self) -> Floats:
        """Share of each feature in what the trees gained, shape (F,)."""
        total = np.sum([member.feature_importance("gain") for member in self.members], axis=0)
        return np.asarray(total / max(float(total.sum()), 1e-300), np.float64)

    @property
    def rounds(self) -> tuple[int, ...]:
        """Trees of each member."""
        return tuple(member.num_trees() for member in self.members)

    def save(self, folder: Path) -> None:
        """Write trees.K.txt for each member."""
        for at, text in enumerate(self.texts):
            (folder / f"trees.{at}.txt").write_bytes(text.encode())

    @property
    def hashes(self) -> npt.NDArray[np.uint8]:
        """SHA-256 of each member's text, shape (K, 32)."""
        digests = b"".join(hashlib.sha256(text.encode()).digest() for text in self.texts)
        return np.frombuffer(digests, np.uint8).reshape(-1, 32)

    @classmethod
    def load(cls, folder: Path, hashes: npt.NDArray[np.uint8]) -> Self:
        """Read a member for each hash. Raises DamagedError when one is missing or has another hash.

        The hashes are checked before LightGBM sees a text: a cut one makes its parser read beyond the end and
        abort the process.
        """
        texts = []
        for at, known in enumerate(hashes):
            try:
                content = (folder / f"trees.{at}.txt").read_bytes()
            except OSError as fault:
                raise DamagedError(f"trees.{at}.txt is missing.", remedy="Fit the ranker again.") from fault
            if hashlib.sha256(content).digest() != known.tobytes():
                raise DamagedError(
                    f"trees.{at}.txt differs from what was saved.", remedy="Fit the ranker again."
                )
            texts.append(content.decode())
        return cls.parse(texts)


def grow(
    learn: Lists,
    stop: Lists,
    options: TwoStageOptions,
    names: Sequence[str],
    *,
    seed: int,
    threads: int,
    deadline: float,
    progress: Progress,
) -> tuple[Trees, bool]:
    """Grow the members on `learn`; ndcg@10 on `stop` says when a member is done.

    deadline: on the clock of time.perf_counter; when it passes the best rounds so far are kept (at least one), and
    no further member is begun. Returns the trees and whether they were in time.
    """
    import lightgbm

    shared = {"verbose": -1, "num_threads": threads, "feature_pre_filter": False}
    data = lightgbm.Dataset(
        learn.features,
        learn.bought.astype(np.float32),
        group=learn.sizes,
        feature_name=list(names),
        params=shared,
    )
    held = lightgbm.Dataset(
        stop.features, stop.bought.astype(np.float32), group=stop.sizes, reference=data, params=shared
    )
    texts: list[str] = []
    in_time = True
    for member in range(options.members):
        if member and time.perf_counter() > deadline:
            return Trees.parse(texts), False
        watch = _Watch(options, member, deadline, progress)
        booster = lightgbm.train(
            _params(options, seed + member, threads),
            data,
            options.rounds,
            valid_sets=[held],
            callbacks=[lightgbm.early_stopping(options.patience, verbose=False), watch],
        )
        # Members are read back from their text, so that a saved and loaded ranker is the very same.
        best = booster.best_iteration if booster.best_iteration > 0 else options.rounds
        texts.append(booster.model_to_string(num_iteration=best))
        in_time &= not watch.late
    return Trees.parse(texts), in_time


def _params(o: TwoStageOptions, seed: int, threads: int) -> dict[str, Any]:
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "lambdarank_truncation_level": o.truncation,
        "learning_rate": o.learning_rate,
        "num_leaves": o.leaves,
        "min_data_in_leaf": o.min_rows_per_leaf,
        "feature_fraction": o.feature_share,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "bagging_by_query": True,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbose": -1,
    }


class _Watch:
    """A LightGBM callback that reports progress and ends a fit when its time is up."""

    order = 40  # after early stopping (30), which knows the best round

    def __init__(self, options: TwoStageOptions, member: int, deadline: float, progress: Progress) -> None:
        self.member, self.rounds, self.total = member, options.rounds, options.rounds * options.members
        self.deadline, self.progress = deadline, progress
        self.best, self.best_round, self.late = -np.inf, 0, False

    def __call__(self, env: Any) -> None:
        import lightgbm

        value = float(env.evaluation_result_list[0][2])
        if value > self.best:
            self.best, self.best_round = value, env.iteration
        done = self.member * self.rounds + env.iteration + 1
        self.progress.advance(done, self.total, f"trees, held-out ndcg@10 {value:.4f}")
        if time.perf_counter() > self.deadline:
            self.late = True
            raise lightgbm.callback.EarlyStopException(self.best_round, env.evaluation_result_list)
