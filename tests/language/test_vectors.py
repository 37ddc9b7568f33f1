"""The cache: nothing is encoded twice, an interrupted call goes on, damage costs only time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mercer.contracts import Floats32
from mercer.errors import OutputError
from mercer.language import vectors
from mercer.language.minilm import Role
from mercer.language.vectors import EmbeddingCache


class Letters:
    """A small encoder of its own: counts of letters, scaled to unit length. Remembers what it was asked."""

    dimension = 27

    def __init__(self, fingerprint: str = "letters-of-the-alphabet") -> None:
        self.fingerprint = fingerprint
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        self.asked += texts
        counts = np.array([[text.count(chr(97 + n)) for n in range(26)] + [1] for text in texts], np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


class Told:
    def __init__(self) -> None:
        self.reports: list[tuple[int, int]] = []

    def advance(self, done: int, total: int, note: str = "") -> None:
        self.reports.append((done, total))


WORDS = ["mug", "lamp", "scarf", "mug"]


def test_cached_vectors_are_those_of_the_encoder(tmp_path: Path) -> None:
    want = Letters().encode(WORDS)
    for _ in range(2):
        got, filled = EmbeddingCache(Letters(), tmp_path).encode(WORDS)
        assert np.array_equal(got, want)
        assert filled.all()


def test_only_new_texts_are_encoded_each_once(tmp_path: Path) -> None:
    EmbeddingCache(Letters(), tmp_path).encode(WORDS)
    later = Letters()
    cache = EmbeddingCache(later, tmp_path)
    assert cache.missing(["lamp", "desk", "desk"]) == 1
    cache.encode(["lamp", "desk", "desk"])
    assert later.asked == ["desk"]


def test_another_encoder_or_role_has_its_own_vectors(tmp_path: Path) -> None:
    EmbeddingCache(Letters(), tmp_path).encode(["mug"])
    other, query = Letters("another-alphabet-altogether"), Letters()
    EmbeddingCache(other, tmp_path).encode(["mug"])
    EmbeddingCache(query, tmp_path).encode(["mug"], "query")
    assert other.asked == query.asked == ["mug"]


def test_progress_counts_new_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "CHUNK", 2)
    told = Told()
    EmbeddingCache(Letters(), tmp_path).encode(WORDS, progress=told)
    assert told.reports == [(2, 3), (3, 3)]


def test_a_budget_that_ends_leaves_rows_unfilled_and_the_rest_for_later(tmp_path: Path) -> None:
    got, filled = EmbeddingCache(Letters(), tmp_path).encode(WORDS, seconds=-1.0)
    assert not filled.any()
    assert not got.any()
    assert EmbeddingCache(Letters(), tmp_path).encode(WORDS)[1].all()


def test_an_interrupted_call_keeps_its_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "CHUNK", 1)

    class Breaks(Letters):
        def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
            if "scarf" in texts:
                raise KeyboardInterrupt
            return super().encode(texts, role)

    with pytest.raises(KeyboardInterrupt):
        EmbeddingCache(Breaks(), tmp_path).encode(WORDS)
    later = Letters()
    EmbeddingCache(later, tmp_path).encode(WORDS)
    assert later.asked == ["scarf"]


def test_a_damaged_shard_is_encoded_again(tmp_path: Path) -> None:
    cache = EmbeddingCache(Letters(), tmp_path)
    want, _ = cache.encode(WORDS)
    for path in cache.folder.iterdir():
        path.write_bytes(path.read_bytes()[:40])
    assert cache.missing(WORDS) == 3
    got, filled = cache.encode(WORDS)
    assert filled.all()
    assert np.array_equal(got, want)


def test_many_shards_become_one_with_the_same_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "MOST_SHARDS", 3)
    encoder = Letters()
    cache = EmbeddingCache(encoder, tmp_path)
    for number in range(5):
        cache.encode([f"text {chr(97 + number)}"])
    texts = [f"text {chr(97 + number)}" for number in range(5)]
    assert len(list(cache.folder.iterdir())) <= 3
    assert cache.missing(texts) == 0
    assert np.array_equal(cache.encode(texts)[0], Letters().encode(texts))


def test_the_cache_holds_no_text(tmp_path: Path) -> None:
    cache = EmbeddingCache(Letters(), tmp_path)
    cache.encode(["a very secret product name"])
    assert all(b"secret" not in path.read_bytes() for path in cache.folder.iterdir())


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="MERCER_CACHE"):
        EmbeddingCache(Letters(), tmp_path / "file").encode(WORDS)
