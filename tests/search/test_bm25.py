from __future__ import annotations

from mercer.search import Bm25
from mercer.testing.rankers import RankerContract


class TestContract(RankerContract):
    ranker = Bm25
