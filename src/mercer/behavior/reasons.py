"""Contributions of features as reasons, strongest first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mercer.behavior.matrix import Encoding
from mercer.contracts import Reason
from mercer.features import FEATURES

Floats = npt.NDArray[np.float64]

MEANINGS = {feature.name: feature.meaning for feature in FEATURES}


def strongest(
    names: Sequence[str], values: Floats, contributions: Floats, n: int, encoding: Encoding | None = None
) -> list[list[Reason]]:
    """The n strongest reasons a row.

    values, contributions: shape (rows, len(names)). A feature without influence is no reason, so a row may
    have fewer than n. Equal strengths keep the order of `names`. A missing value is NaN.
    """
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, : max(n, 0)]
    return [
        [
            Reason(
                names[at],
                float(values[row, at]),
                float(contributions[row, at]),
                _meaning(names[at], values[row, at], encoding),
            )
            for at in order[row]
            if contributions[row, at] != 0
        ]
        for row in range(len(values))
    ]


def _meaning(name: str, value: float, encoding: Encoding | None) -> str:
    category = encoding.text(name, value) if encoding else None
    if category is not None:
        return f"{name} is {category}"
    return MEANINGS.get(name, name)
