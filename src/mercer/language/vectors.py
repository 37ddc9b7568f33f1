"""The cache of encoded texts: a catalogue is encoded once, however often a ranker is fitted.

    FOLDER/FINGERPRINT/SHARD.safetensors   keys: uint8, n x 32 (SHA-256 of role and text)
                                           vectors: float32, n x d

A shard is written once, under the hash of its keys, and never changed, so several processes may share the
cache. It holds no text, and only what a fit encodes: item texts, never a person's queries.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from mercer.contracts import Encoder, Floats32, Progress, Silent
from mercer.environment import cache_folder
from mercer.errors import OutputError
from mercer.language.minilm import Role

CHUNK = 256
"""Texts encoded between two reports of progress and two writes; two or three seconds of work."""
MOST_SHARDS = 64
"""More shards than this are merged into one."""


class EmbeddingCache:
    """Vectors of texts on disk, by the encoder's fingerprint and the text's hash.

    Stability: caller stable.
    """

    def __init__(self, encoder: Encoder, folder: Path | None = None) -> None:
        """folder: the cache folder (default: `mercer.environment.cache_folder()`)."""
        self.encoder = encoder
        root = cache_folder() if folder is None else folder
        self.folder = root / "embeddings" / encoder.fingerprint[:16]

    def missing(self, texts: Sequence[str], role: Role = "passage") -> int:
        """How many different texts of `texts` are not in the cache."""
        return len(dict.fromkeys(_key(text, role) for text in texts).keys() - self._read().keys())

    def encode(
        self,
        texts: Sequence[str],
        role: Role = "passage",
        *,
        progress: Progress | None = None,
        seconds: float = float("inf"),
    ) -> tuple[Floats32, npt.NDArray[np.bool_]]:
        """Vectors, float32, shape (n, d), and which rows are filled, bool, shape (n,).

        Texts already in the cache cost nothing; the others are encoded in chunks that are kept at once, so an
        interrupted call continues where it stopped. After `seconds` no further chunk is started: rows
        that were not reached are zero and not filled.
        Raises OutputError when the cache can't be written.
        """
        told = progress or Silent()
        keys = [_key(text, role) for text in texts]
        known = self._read()
        todo = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        pending = list(todo)
        deadline = time.monotonic() + seconds
        done = 0
        for at in range(0, len(pending), CHUNK):
            if time.monotonic() > deadline:
                break
            chunk = pending[at : at + CHUNK]
            vectors = self.encoder.encode([todo[key] for key in chunk], role)
            self._write(chunk, vectors)
            known.update(zip(chunk, vectors, strict=True))
            done += len(chunk)
            told.advance(done, len(pending), "texts encoded")
        self._merge()
        filled = np.fromiter((key in known for key in keys), bool, len(keys))
        out = np.zeros((len(keys), self.encoder.dimension), np.float32)
        for row in np.flatnonzero(filled):
            out[row] = known[keys[row]]
        return out, filled

    def _read(self) -> dict[bytes, npt.NDArray[np.float32]]:
        """Every vector of the cache; shards that can't be read are as if they were not there."""
        known: dict[bytes, npt.NDArray[np.float32]] = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            try:
                shard = load_file(path)
                keys, vectors = shard["keys"], shard["vectors"]
            except (OSError, SafetensorError, KeyError):
                continue
            if vectors.shape == (len(keys), self.encoder.dimension):
                known.update(zip((key.tobytes() for key in keys), vectors, strict=True))
        return known

    def _write(self, keys: Sequence[bytes], vectors: Floats32) -> Path:
        table = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), 32)
        name = hashlib.sha256(table.tobytes()).hexdigest()[:32]
        path = self.folder / f"{name}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as stream:
                stream.write(save({"keys": table, "vectors": np.ascontiguousarray(vectors)}))
                stream.flush()
                os.fsync(stream.fileno())
            Path(stream.name).replace(path)
        except OSError as fault:
            raise OutputError(
                f"The cache folder {self.folder.parent} can't be written.",
                remedy="Set MERCER_CACHE to a folder that can.",
            ) from fault
        return path

    def _merge(self) -> None:
        """Put many small shards into one; a reader that misses a merged shard encodes its texts again."""
        shards = sorted(self.folder.glob("*.safetensors"))
        if len(shards) <= MOST_SHARDS:
            return
        known = self._read()
        merged = self._write(list(known), np.stack(list(known.values())))
        for path in shards:
            if path != merged:
                path.unlink(missing_ok=True)


def _key(text: str, role: Role) -> bytes:
    return hashlib.sha256(f"{role}\0{text}".encode("utf-8", "surrogatepass")).digest()
