"""The contract every text encoder must pass.

    class TestMyEncoder(EncoderContract):
        encoder = MyEncoder

An encoder is built as `MyEncoder()`; override `make` where yours needs more. Each test states one promise
that search, the cache of vectors or a release rely on. Needs pytest.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from mercer.contracts import Encoder
from mercer.errors import MercerError

TEXTS = (
    "blue ceramic mug",
    "a mug of blue ceramics",
    '15.6" laptop, 256 GB SSD',
    "Café créme, 250 g",
    "ワイヤレスマウス",
    "x",
)
_HARD = ("", " ", "\0", "a\0b", "\ud800", "🎧", "%s {} ' \" \\ <b>", "word " * 3000, "z" * 50_000)


class EncoderContract:
    """Inherit in a pytest class and name the encoder.

    tolerance: how far a vector may lie from itself when the batch is cut otherwise; 0 asks for equal bits.
    Stability: callers stable; new promises may be added with a minor version.
    """

    encoder: ClassVar[Any]
    tolerance: ClassVar[float] = 1e-5

    def make(self) -> Encoder:
        """A new encoder."""
        made: Encoder = self.encoder()
        return made

    @property
    def made(self) -> Encoder:
        """The encoder, built once for the class."""
        cls = type(self)
        if "_made" not in cls.__dict__:
            cls._made = self.make()
        return cls._made

    _made: ClassVar[Encoder]

    def test_it_is_an_encoder(self) -> None:
        """It has every member of the protocol, a width and a fingerprint."""
        made = self.made
        assert isinstance(made, Encoder), f"{type(made).__name__} lacks a member of the Encoder protocol"
        assert made.dimension > 0
        assert len(made.fingerprint) >= 16, "a fingerprint that short can't tell encoders apart"

    def test_vectors_have_the_declared_form(self) -> None:
        """float32, shape (n, dimension), unit length, in the order of the texts."""
        vectors = self.made.encode(TEXTS)
        assert vectors.shape == (len(TEXTS), self.made.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
        backward = self.made.encode(TEXTS[::-1])
        np.testing.assert_allclose(backward[::-1], vectors, atol=max(self.tolerance, 1e-6))

    def test_no_text_no_vector(self) -> None:
        """An empty batch gives shape (0, dimension)."""
        assert self.made.encode([]).shape == (0, self.made.dimension)

    def test_size_of_the_batch_changes_nothing(self) -> None:
        """One by one, the texts get the same vectors."""
        single = np.concatenate([self.made.encode([text]) for text in TEXTS])
        together = self.made.encode(TEXTS)
        if self.tolerance == 0:
            assert np.array_equal(single, together), "a vector depends on what else is in the batch"
        else:
            np.testing.assert_allclose(single, together, atol=self.tolerance)

    def test_the_same_text_gets_the_same_vector(self) -> None:
        """In one batch, in the next, and from another instance with the same fingerprint."""
        twice = self.made.encode([TEXTS[0], TEXTS[0]])
        assert np.array_equal(twice[0], twice[1])
        again = self.make()
        assert again.fingerprint == self.made.fingerprint, "one encoder has two fingerprints"
        np.testing.assert_allclose(again.encode([TEXTS[0]])[0], twice[0], atol=self.tolerance)

    def test_roles_are_known(self) -> None:
        """Both roles give vectors of the same width; any other is refused."""
        for vectors in (self.made.encode(["mug"], "query"), self.made.encode(["mug"], "passage")):
            assert vectors.shape == (1, self.made.dimension)
        with pytest.raises((MercerError, ValueError)):
            self.made.encode(["mug"], "document")  # type: ignore[arg-type]

    def test_strange_texts_are_encoded(self) -> None:
        """Empty, NUL, lone surrogates, other scripts, very long: a finite vector of unit length each."""
        vectors = self.made.encode(_HARD)
        assert np.isfinite(vectors).all(), "a vector is not finite"
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)

    def test_near_meanings_are_near(self) -> None:
        """Two ways to say one thing are closer than two things."""
        mug, same, laptop = self.made.encode(TEXTS[:3])
        assert mug @ same > mug @ laptop, "similarity does not follow meaning"
