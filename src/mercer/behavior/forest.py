"""`random-forest`: trees on bootstrap samples (Breiman, Machine Learning 2001), kept as plain arrays.

scikit-learn grows the trees; their nodes are stored as arrays and walked here, so nothing is unpickled, ever.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.behavior.matrix import Encoding
from mercer.behavior.members import Arrays, MemberPredictor
from mercer.contracts import searched

Floats = npt.NDArray[np.float64]

_SURE = 1e-3
"""A forest of finite size is never surer than this."""
_BLOCK = 2_000
_MISSING = -3.0e38
"""Missing is lower than any number, so that a split can tell it from all others."""


class RandomForest(MemberPredictor):
    """A forest a member; a score is the log-odds of the trees' mean. Stability: caller stable."""

    name = "random-forest"
    cost: ClassVar[float] = 2e-4

    class Options(MemberPredictor.Options):
        """Size of the forest and of its leaves."""

        folds: int = Field(
            3, ge=2, le=20, description="members, each fitted without one fold of the entities"
        )
        trees: int = Field(100, ge=1, le=5000, description="trees a member")
        min_rows_per_leaf: int = searched(
            40,
            low=1,
            high=200,
            log=True,
            ge=1,
            description="fewest rows a leaf; small sets use one in 200 of their rows at most",
        )
        feature_share: float = searched(
            0.2,
            low=0.05,
            high=1.0,
            gt=0,
            le=1,
            description="share of features that each split may choose from",
        )

    options: Options

    def learn(
        self,
        matrix: Floats,
        outcome: Floats,
        encoding: Encoding,  # noqa: ARG002 - a tree splits codes as well as numbers
        seed: int,
        threads: int,
    ) -> Arrays:
        """Nodes of all trees, one after the other: column (-1: a leaf), threshold, children, rate, and roots."""
        from sklearn.ensemble import RandomForestClassifier

        o = self.options
        columns = matrix.shape[1]
        forest = RandomForestClassifier(
            n_estimators=o.trees,
            min_samples_leaf=min(o.min_rows_per_leaf, max(1, len(matrix) // 200)),
            max_features=max(1, round(o.feature_share * columns)),
            n_jobs=threads,
            random_state=seed,
        ).fit(_filled(matrix), outcome.astype(np.int64))
        trees = [tree.tree_ for tree in forest.estimators_]
        sizes = np.array([tree.node_count for tree in trees], np.int64)
        starts = np.cumsum(sizes) - sizes
        left, right = (
            np.concatenate(
                [getattr(t, f"children_{side}") + start for t, start in zip(trees, starts, strict=True)]
            )
            for side in ("left", "right")
        )
        shares = np.concatenate([tree.value[:, 0, :] for tree in trees])
        return {
            "column": np.concatenate([np.where(t.children_left < 0, -1, t.feature) for t in trees]).astype(
                np.int32
            ),
            "threshold": np.concatenate([t.threshold for t in trees]),
            "left": left.astype(np.int32),
            "right": right.astype(np.int32),
            "rate": shares[:, 1] / shares.sum(axis=1),
            "roots": starts.astype(np.int32),
        }

    def raw(self, member: Arrays, matrix: Floats) -> Floats:
        """Log-odds of the mean rate of the leaves."""
        rate = np.concatenate([self._walk(member, block)[0] for block in _blocks(matrix)])
        sure = np.clip(rate, _SURE, 1 - _SURE)
        odds: Floats = np.log(sure) - np.log1p(-sure)
        return odds

    def parts(self, member: Arrays, matrix: Floats) -> Floats:
        """What the splits on each column moved the mean rate by, from root to leaf (Saabas 2014)."""
        return np.concatenate([self._walk(member, block, parts=True)[1] for block in _blocks(matrix)])

    def _walk(self, member: Arrays, matrix: Floats, *, parts: bool = False) -> tuple[Floats, Floats]:
        filled = _filled(matrix)
        n = len(filled)
        rows = np.arange(n)[:, None]
        node = np.broadcast_to(member["roots"], (n, len(member["roots"]))).copy()
        out = np.zeros(matrix.shape if parts else (0, 0))
        while True:
            column = member["column"][node]
            inner = column >= 0
            if not inner.any():
                break
            low = filled[rows, np.maximum(column, 0)] <= member["threshold"][node]
            after = np.where(inner, np.where(low, member["left"][node], member["right"][node]), node)
            if parts:
                moved = np.where(inner, member["rate"][after] - member["rate"][node], 0.0) / node.shape[1]
                np.add.at(out, (np.broadcast_to(rows, node.shape), np.maximum(column, 0)), moved)
            node = after
        return member["rate"][node].mean(axis=1), out


def _filled(matrix: Floats) -> npt.NDArray[np.float32]:
    """As the trees saw it: float32 with missing lowest."""
    return np.nan_to_num(matrix, nan=_MISSING, posinf=3e38, neginf=_MISSING).astype(np.float32)


def _blocks(matrix: Floats) -> list[Floats]:
    return [matrix[at : at + _BLOCK] for at in range(0, max(1, len(matrix)), _BLOCK)]
