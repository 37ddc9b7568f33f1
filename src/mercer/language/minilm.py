"""MiniLm: all-MiniLM-L6-v2 through ONNX Runtime, one thread, one text at a time, no PyTorch.

One thread because more are slower on shared processors. One text at a time because a matrix product over more
rows rounds differently: so a vector depends on its text alone, to the last bit, and an answer is the same
alone, in a batch and from the cache. It costs a fifth of the speed: 100 texts a second, 3 to 9 ms a query.
Source: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0); Wang et al., MiniLM, NeurIPS 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Self
from weakref import WeakValueDictionary

import numpy as np

from mercer.contracts import Floats32
from mercer.environment import encoder_folder
from mercer.errors import UnsupportedError
from mercer.language.exported import GRAPH, MODEL, TOKENIZER, ExportedEncoder

Role = Literal["query", "passage"]

MAX_CHARACTERS = 20_000
"""Longer texts are cut here before they are split into tokens; the token limit then cuts far earlier."""

REMEMBERED = 4_096
"""Queries whose vectors are kept in memory (6 MB)."""

REMEMBERED_CHARACTERS = 200
"""Longer queries are rare and not kept."""

# A run that scores many fitted rankers would otherwise hold the 90 MB of each. By SHA-256 of the graph's file.
_SESSIONS: WeakValueDictionary[str, Any] = WeakValueDictionary()


class MiniLm:
    """Texts to unit vectors of 384 numbers; cosine similarity is their dot product.

    English above all. Texts are cut at 256 tokens, about 180 English words. Upper and lower case are equal.
    The role is accepted and changes nothing: this model was trained without prefixes.

    Stability: caller stable.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Read the manifest and check the files.

        folder: an exported encoder (default: all-MiniLM-L6-v2 in `mercer.environment.encoder_folder()`).
        Raises MissingExtraError naming `make setup` when it is absent, DamagedError when a file differs.
        """
        self.folder = encoder_folder() / MODEL if folder is None else folder
        self.exported = ExportedEncoder.read(self.folder)
        self.fingerprint: str = self.exported.fingerprint
        self.dimension: int = self.exported.dimension

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The encoder exported to `folder`."""
        return cls(folder)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / TOKENIZER))
        tokenizer.enable_truncation(self.exported.max_tokens)
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def words(self) -> frozenset[str]:
        """Words of letters alone that are one token: the commoner ones of the language, lower case, about 20,000."""
        return frozenset(word for word in self._tokenizer.get_vocab() if word.isalpha())

    @cached_property
    def _session(self) -> Any:
        """The network in memory; encoders of one file share it, wherever their copies of the file lie."""
        import onnxruntime

        shared = _SESSIONS.get(self.exported.files[GRAPH])
        if shared is not None:
            return shared
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            str(self.folder / GRAPH), options, providers=["CPUExecutionProvider"]
        )
        _SESSIONS[self.exported.files[GRAPH]] = session
        return session

    def encode(self, texts: Sequence[str], role: Role = "passage") -> Floats32:
        """float32, shape (len(texts), 384), rows of unit length; no texts give shape (0, 384).

        Raises UnsupportedError for a role other than "query" and "passage".
        """
        if role not in ("query", "passage"):
            raise UnsupportedError(f"Role {role!r} is not known.", remedy="Use 'query' or 'passage'.")
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            repeated = role == "query" and len(text) <= REMEMBERED_CHARACTERS
            vectors[row] = self._remembered(text) if repeated else self._vector(text)
        return vectors

    @cached_property
    def _remembered(self) -> Callable[[str], Floats32]:
        """Vectors of recent short queries: popular ones are asked over and over."""
        return lru_cache(maxsize=REMEMBERED)(self._vector)

    def _vector(self, text: str) -> Floats32:
        # Not the library's batch call, which starts a thread pool of its own.
        ids = np.array([self._tokenizer.encode(_clean(text)).ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vector: Floats32 = self._session.run(None, feed)[0][0]
        return vector


def _clean(text: str) -> str:
    """Cut very long texts; replace lone surrogates, which no UTF-8 text can hold."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
