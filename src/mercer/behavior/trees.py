"""An ensemble of boosted trees: one LightGBM model a fold, each fitted without its fold's entities.

The members' mean is the prediction; their disagreement is its standard error (grouped jackknife); and the
scores each member gives to the entities it never saw calibrate the whole. One set of fits serves all three.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mercer.contracts import Progress
from mercer.errors import DamagedError

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trees:
    """K fitted members."""

    texts: tuple[str, ...]
    members: tuple[lightgbm.Booster, ...]

    @classmethod
    def parse(cls, texts: tuple[str, ...]) -> Trees:
        """Members from whole texts in LightGBM's own format."""
        import lightgbm

        return cls(texts, tuple(lightgbm.Booster(model_str=text) for text in texts))

    def raw(self, matrix: Floats) -> Floats:
        """Raw scores of each member, shape (K, n)."""
        return np.stack([_predict(member, matrix) for member in self.members])

    def contributions(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Mean contributions, shape (n, F), and bias, shape (n,); together they sum to the mean raw score."""
        total = np.mean([_predict(member, matrix, pred_contrib=True) for member in self.members], axis=0)
        return total[:, :-1], total[:, -1]

    def save(self, folder: Path) -> None:
        """Write trees.K.txt for each member."""
        for at, text in enumerate(self.texts):
            (folder / f"trees.{at}.txt").write_bytes(text.encode())

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of each member's text; `load` asks for them."""
        return tuple(hashlib.sha256(text.encode()).hexdigest() for text in self.texts)

    @classmethod
    def load(cls, folder: Path, hashes: Sequence[str]) -> Trees:
        """Read a member for each hash. Raises DamagedError when one is missing or has another hash.

        The hashes are checked before LightGBM sees a text: a cut one makes its parser read beyond the end
        and abort the process.
        """
        texts = []
        for at, known in enumerate(hashes):
            try:
                content = (folder / f"trees.{at}.txt").read_bytes()
            except OSError as fault:
                raise DamagedError(f"trees.{at}.txt is missing.", remedy="Fit the model again.") from fault
            if hashlib.sha256(content).hexdigest() != known:
                raise DamagedError(
                    f"trees.{at}.txt differs from what was saved.", remedy="Fit the model again."
                )
            texts.append(content.decode())
        return cls.parse(tuple(texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What `grow` gives: the trees, out-of-fold raw scores, shape (n,), rounds, and whether time ran out."""

    trees: Trees
    out_of_fold: Floats
    rounds: int
    in_time: bool


def grow(
    matrix: Floats,
    target: Floats,
    *,
    fold: Ints,
    offset: Floats | None,
    categorical: list[int],
    params: Mapping[str, Any],
    rounds: int,
    patience: int,
    deadline: float,
    progress: Progress,
) -> Grown:
    """Grow one member a fold, all in step; stop when their mean held-out loss has not fallen for `patience`.

    offset: raw scores to start from, shape (n,). deadline: on the clock of time.perf_counter; when it passes
    the best rounds so far are kept (at least one).
    """
    import lightgbm

    data = lightgbm.Dataset(
        matrix,
        target,
        init_score=offset,
        categorical_feature=categorical,
        params={
            "feature_pre_filter": False,
            "verbose": -1,
            "max_bin": 255,
            "num_threads": params["num_threads"],
        },
        free_raw_data=False,
    )
    watch = _Watch(rounds, deadline, progress)
    numbers = range(int(fold.max()) + 1)
    outcome = lightgbm.cv(
        {**params, "verbose": -1},
        data,
        rounds,
        folds=[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in numbers],
        callbacks=[lightgbm.early_stopping(patience, verbose=False), watch],
        return_cvbooster=True,
    )
    grown: Any = outcome["cvbooster"]
    best = grown.best_iteration if grown.best_iteration > 0 else rounds
    # Members are read back from their text, so that a saved and loaded model is the very same.
    trees = Trees.parse(tuple(member.model_to_string(num_iteration=best) for member in grown.boosters))
    scores = np.zeros(len(target)) if offset is None else offset.copy()
    for k, member in enumerate(trees.members):
        scores[fold == k] += _predict(member, matrix[fold == k])
    return Grown(trees=trees, out_of_fold=scores, rounds=best, in_time=not watch.late)


class _Watch:
    """A LightGBM callback that reports progress and ends the fit when its time is up."""

    order = 40  # after early stopping (30), which knows the best round

    def __init__(self, rounds: int, deadline: float, progress: Progress) -> None:
        self.rounds, self.deadline, self.progress = rounds, deadline, progress
        self.best, self.best_round, self.late = np.inf, 0, False

    def __call__(self, env: Any) -> None:
        import lightgbm

        loss = float(env.evaluation_result_list[0][2])
        if loss < self.best:
            self.best, self.best_round = loss, env.iteration
        self.progress.advance(env.iteration + 1, self.rounds, f"held-out loss {loss:.4f}")
        if time.perf_counter() > self.deadline:
            self.late = True
            raise lightgbm.callback.EarlyStopException(self.best_round, env.evaluation_result_list)


def _predict(member: lightgbm.Booster, matrix: Floats, *, pred_contrib: bool = False) -> Floats:
    columns = matrix.shape[1] + 1
    if not len(matrix):
        return np.zeros((0, columns) if pred_contrib else 0)
    # One thread: the threads of small batches cost more in waiting than they save.
    scores = member.predict(matrix, raw_score=not pred_contrib, pred_contrib=pred_contrib, num_threads=1)
    return np.asarray(scores, np.float64)
