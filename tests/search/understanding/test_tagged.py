"""Ranker `understood-tagger`: trained, exported and served. Tiny trainings: what they read is not the point."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from mercer.contracts import Runtime
from mercer.errors import DamagedError
from mercer.search.understanding.tagged import UnderstoodTagger
from mercer.testing.rankers import RankerContract

from .shop import dataset

pytestmark = [pytest.mark.encoder, pytest.mark.slow]
pytest.importorskip("torch")

TINY: dict[str, Any] = {"base": "bm25-fields", "pairs": 100, "held_pairs": 0, "trained_layers": 0}


class TestUnderstoodTagger(RankerContract):
    ranker = UnderstoodTagger
    options: ClassVar[dict[str, Any]] = TINY


def test_it_learns_and_is_read_again(tmp_path: Path) -> None:
    options = UnderstoodTagger.Options(
        base="bm25-fields", pairs=600, held_pairs=50, trained_layers=2, epochs=2, with_rules=False
    )
    ranker = UnderstoodTagger(options).fit(dataset(), seed=1, runtime=Runtime(threads=1))
    assert ranker.training is not None
    assert ranker.training.losses[-1] < 0.5 * ranker.training.losses[0]
    ranker.save(tmp_path)
    loaded = UnderstoodTagger.load(tmp_path)
    assert loaded.training == ranker.training
    for query in ("frying pan under 30 euros", "where is my order", "gift for a boy of eight", ""):
        assert loaded.understand(query) == ranker.understand(query)
    (tmp_path / "tagger.onnx").write_bytes(b"no graph")
    with pytest.raises(DamagedError):
        UnderstoodTagger.load(tmp_path)
