"""Lists of several rankers as one."""

from __future__ import annotations

from types import MappingProxyType

from mercer.recommend.fusion import Fusion
from mercer.testing.rankers import RankerContract

SMALL = {"width": 16, "epochs": 2, "negatives": 8, "window": 10, "content": ["brand"], "estimate_steps": 0}


class TestKnnAndSequence(RankerContract):
    ranker = Fusion
    options = MappingProxyType({"members": {"item-knn": {}, "sasrec": SMALL}})
    tolerance = 1e-5


class TestScaledScoresOfThreeWithGivenShares(RankerContract):
    ranker = Fusion
    options = MappingProxyType(
        {
            "members": ["item-knn", "buy-again", "user-knn"],
            "join": "convex",
            "shares": {"item-knn": 2, "buy-again": 1, "user-knn": 1},
        }
    )
