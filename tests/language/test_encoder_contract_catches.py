"""The guard has been seen red: for the promises of the contract, an encoder that breaks one is caught."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from mercer.contracts import Floats32
from mercer.errors import UnsupportedError
from mercer.language.minilm import Role
from mercer.testing.encoders import EncoderContract


class Sound:
    """Counts of words by a hash of their letters, scaled to unit length. Breaks nothing."""

    dimension = 64
    fingerprint = "words-by-the-sum-of-their-letters"

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        if role not in ("query", "passage"):
            raise UnsupportedError(f"Role {role!r} is not known.")
        counts = np.zeros((len(texts), self.dimension), np.float32)
        counts[:, 0] = 0.01
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                counts[row, 1 + sum(map(ord, word)) % (self.dimension - 1)] += 1
        unit: Floats32 = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return unit


class NoFingerprint(Sound):
    fingerprint = "1"


class NotUnit(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        return 2 * super().encode(texts, role)


class Doubles(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        return super().encode(texts, role).astype(np.float64)  # type: ignore[return-value]


class NoEmptyBatch(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        return super().encode(texts or ["none"], role)


class ReadsTheBatch(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        vectors = super().encode(texts, role) + 0.1 * len(texts)
        unit: Floats32 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit.astype(np.float32)


class NewFingerprintEachTime(Sound):
    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.fingerprint = f"instance-number-{self.made:08d}"


class AnyRole(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        return super().encode(texts)


class ZeroForNothing(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        vectors = super().encode(texts, role)
        vectors[[not text.strip() for text in texts]] = 0
        return vectors


class SameForAll(Sound):
    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        return super().encode(["word"] * len(texts), role)


class TestSound(EncoderContract):
    encoder = Sound


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (NoFingerprint, "test_it_is_an_encoder"),
        (NotUnit, "test_vectors_have_the_declared_form"),
        (Doubles, "test_vectors_have_the_declared_form"),
        (NoEmptyBatch, "test_no_text_no_vector"),
        (ReadsTheBatch, "test_size_of_the_batch_changes_nothing"),
        (NewFingerprintEachTime, "test_the_same_text_gets_the_same_vector"),
        (AnyRole, "test_roles_are_known"),
        (ZeroForNothing, "test_strange_texts_are_encoded"),
        (SameForAll, "test_near_meanings_are_near"),
    ],
)
def test_a_broken_promise_is_caught(broken: type, promise: str) -> None:
    contract = type("Contract", (EncoderContract,), {"encoder": broken})()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(contract, promise)()
