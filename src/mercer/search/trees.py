"""LambdaMART on judged pairs: trees that order the items of a query, and their file.

Source: Burges, From RankNet to LambdaRank to LambdaMART, Microsoft Research 2010; Ke et al., NeurIPS 2017
(LightGBM).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Options as BaseOptions
from mercer.contracts import searched
from mercer.errors import DamagedError
from mercer.search.features import FEATURES

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FILE = "trees.txt"
FEWEST_QUERIES = 10
"""Queries whose judged items differ in grade; with fewer nothing is learned."""
_MOST_LEVELS = 31
_MOST_GRADE = 30.0


class TreeOptions(BaseOptions):
    """Shape and pace of the trees: shallow and slow, for judged queries are few."""

    rounds: int = searched(100, low=30, high=300, log=True, ge=1, le=5000, description="number of trees")
    learning_rate: float = searched(
        0.05,
        low=0.02,
        high=0.2,
        log=True,
        gt=0,
        le=1,
        description="share of each tree's answer that is added",
    )
    leaves: int = searched(7, low=3, high=15, ge=2, le=255, description="most leaves a tree")
    min_pairs_per_leaf: int = searched(
        30,
        low=10,
        high=100,
        log=True,
        ge=1,
        description="fewest judged pairs a leaf; at most a tenth of them",
    )
    l2: float = searched(5.0, low=0.5, high=50.0, log=True, ge=0, description="ridge penalty on leaf values")
    feature_share: float = searched(
        0.5, low=0.3, high=1.0, gt=0, le=1, description="share of the features that each tree may use"
    )


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted trees with the mean and the spread within a query of what they say of the pairs they learned from."""

    text: str
    booster: lightgbm.Booster
    mean: float
    spread: float

    def standard(self, rows: Floats) -> Floats:
        """What the trees say of rows of FEATURES, shape (m,): 0 on average, 1 is one standard deviation."""
        if not len(rows):
            return np.zeros(0)
        raw = np.asarray(self.booster.predict(rows, raw_score=True, num_threads=1), np.float64)
        return (raw - self.mean) / self.spread

    def importances(self) -> list[tuple[str, float]]:
        """Share of the gain by feature, largest first."""
        gain = np.asarray(self.booster.feature_importance("gain"), np.float64)
        shares = gain / max(float(gain.sum()), 1e-12)
        names = [feature.name for feature in FEATURES]
        return sorted(zip(names, shares.tolist(), strict=True), key=lambda pair: -pair[1])

    def save(self, folder: Path) -> dict[str, Any]:
        """Write trees.txt; returns what `load` wants to know of it."""
        (folder / FILE).write_text(self.text, "utf-8")
        return {"sha256": _sha256(self.text.encode()), "mean": self.mean, "spread": self.spread}

    @classmethod
    def load(cls, folder: Path, known: dict[str, Any]) -> Self:
        """Read what `save` wrote. Raises DamagedError when the file is missing or another.

        The hash is checked before LightGBM sees the text: a cut one makes its parser abort the process.
        """
        try:
            content = (folder / FILE).read_bytes()
            if _sha256(content) != known["sha256"]:
                raise ValueError("another file")
            mean, spread = float(known["mean"]), float(known["spread"])
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise DamagedError(
                f"{FILE} is missing or differs from what was saved.", remedy="Fit the ranker again."
            ) from fault
        return cls._parse(content.decode(), mean, spread)

    @classmethod
    def _parse(cls, text: str, mean: float, spread: float) -> Self:
        import lightgbm

        return cls(text, lightgbm.Booster(model_str=text), mean, spread)

    @classmethod
    def grow(
        cls, rows: Sequence[Floats], grades: Sequence[Floats], options: TreeOptions, *, seed: int
    ) -> Self | None:
        """Learn from the judged items of each query: rows of FEATURES, shape (m, F), and grades, shape (m,).

        None when fewer than FEWEST_QUERIES queries have items of different grades: there is no order to learn.
        """
        import lightgbm

        # A query whose items are all alike has no pair to learn from.
        told = [at for at, held in enumerate(grades) if len(np.unique(held)) > 1]
        if len(told) < FEWEST_QUERIES:
            return None
        sizes = [len(grades[at]) for at in told]
        matrix = np.concatenate([rows[at] for at in told])
        labels, gains = _labels(np.concatenate([grades[at] for at in told]))
        data = lightgbm.Dataset(matrix, labels, group=sizes, params={"verbose": -1, "num_threads": 1})
        grown = lightgbm.train(_parameters(options, gains, len(matrix), seed), data, options.rounds)
        # Read back from its text, so that a saved and loaded model is the very same.
        fresh = cls._parse(grown.model_to_string(), 0.0, 1.0)
        raw = fresh.standard(matrix)
        means = np.repeat([part.mean() for part in np.split(raw, np.cumsum(sizes)[:-1])], sizes)
        spread = float(np.sqrt(np.mean((raw - means) ** 2)))
        return cls(fresh.text, fresh.booster, float(raw.mean()), spread if spread > 0 else 1.0)


def _labels(grades: Floats) -> tuple[Ints, list[float]]:
    """Levels of the grades as whole numbers from 0, and the gain 2^grade - 1 of each level."""
    levels = np.unique(np.clip(grades, 0.0, _MOST_GRADE))
    if len(levels) > _MOST_LEVELS:
        levels = np.unique(np.quantile(levels, np.linspace(0, 1, _MOST_LEVELS)))
    label = np.searchsorted(levels, np.clip(grades, 0.0, _MOST_GRADE), side="right") - 1
    return label.astype(np.int64), (np.exp2(levels) - 1).tolist()


def _parameters(options: TreeOptions, gains: list[float], n_pairs: int, seed: int) -> dict[str, Any]:
    return {
        "objective": "lambdarank",
        "label_gain": gains,
        "lambdarank_truncation_level": 20,
        "learning_rate": options.learning_rate,
        "num_leaves": options.leaves,
        "min_data_in_leaf": min(options.min_pairs_per_leaf, max(1, n_pairs // 10)),
        "lambda_l2": options.l2,
        "feature_fraction": options.feature_share,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "monotone_constraints": [int(feature.rises) for feature in FEATURES],
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
