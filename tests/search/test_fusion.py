from __future__ import annotations

import pytest

from mercer.search import Bm25Minilm
from mercer.testing.rankers import RankerContract

pytestmark = pytest.mark.encoder


class TestContract(RankerContract):
    ranker = Bm25Minilm
