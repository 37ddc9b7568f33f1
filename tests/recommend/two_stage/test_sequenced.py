"""The two-stage ranker with a sequence ranker inside."""

from __future__ import annotations

from types import MappingProxyType

from mercer.recommend.two_stage import TwoStageSequence
from mercer.testing.rankers import RankerContract

SMALL = {"width": 16, "epochs": 2, "negatives": 8, "window": 10, "content": ["brand"], "estimate_steps": 0}
FEW = {"label_cuts": 3, "min_rows_per_leaf": 5, "rounds": 30, "text": False}


class TestWithSasrec(RankerContract):
    ranker = TwoStageSequence
    options = MappingProxyType({**FEW, "sequence": {"sasrec": SMALL}})


class TestTheSequenceAloneIsASourceAndAFeature(RankerContract):
    ranker = TwoStageSequence
    options = MappingProxyType(
        {
            **FEW,
            "sequence": {"ligr": {**SMALL, "kinds": ["view", "purchase"]}},
            "sources": ("sequence",),
            "groups": ("sequence",),
            "lesson_fits": 3,
        }
    )
