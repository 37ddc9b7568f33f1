"""The matrix of text vectors, searched exactly: every item gets its similarity, so a filter loses nothing.

    vectors   float32, U x d: one row for each different text, unit length
    row_of    int32, I: the row of each item, -1 for an item that was not encoded

Equal texts share a row: they are encoded once and tie exactly. A saved matrix is memory-mapped, so processes
that serve one release share its memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32
from mercer.errors import DamagedError

FILE = "vectors.safetensors"
_TYPES = {"F32": np.float32, "I32": np.int32}
_MAX_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class DenseIndex:
    """The matrix and who made it. fingerprint: of the encoder."""

    vectors: Floats32
    row_of: npt.NDArray[np.int32]
    fingerprint: str

    @property
    def encoded(self) -> npt.NDArray[np.bool_]:
        """Which items have a vector, shape (I,)."""
        return self.row_of >= 0

    def similarities(self, query: Floats32) -> Floats32:
        """Cosine of a unit vector, shape (d,), with every item, shape (I,); -inf where not encoded."""
        if not len(self.vectors):
            return np.full(len(self.row_of), -np.inf, np.float32)
        # One query at a time: a product with several rounds differently.
        values = self.vectors @ query
        return np.where(self.encoded, values[self.row_of], np.float32(-np.inf)).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write `vectors.safetensors` into an existing folder."""
        from safetensors.numpy import save_file

        arrays = {"row_of": self.row_of, "vectors": np.ascontiguousarray(self.vectors)}
        save_file(arrays, folder / FILE, metadata={"fingerprint": self.fingerprint})

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Memory-map what `save` wrote. Raises DamagedError when the file is missing or not whole."""
        path = folder / FILE
        try:
            header, start = _header(path)
            arrays = {name: _mapped(path, header[name], start) for name in ("vectors", "row_of")}
            fingerprint = str(header["__metadata__"]["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise DamagedError(
                f"{FILE} is damaged or not whole.", remedy="Run mercer again to build the search index."
            ) from fault
        return cls(arrays["vectors"], np.array(arrays["row_of"]), fingerprint)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The JSON header of a safetensors file and where its data begin."""
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 0 < size <= _MAX_HEADER:
            raise ValueError("no safetensors header")
        header = json.loads(stream.read(size))
    if not isinstance(header, dict):
        raise TypeError("no safetensors header")
    return header, 8 + size


def _mapped(path: Path, entry: dict[str, Any], start: int) -> npt.NDArray[Any]:
    shape, kind = tuple(int(n) for n in entry["shape"]), _TYPES[entry["dtype"]]
    begin, end = entry["data_offsets"]
    if end - begin != int(np.prod(shape)) * 4:
        raise ValueError("a tensor of another size than its shape")
    if begin == end:
        return np.zeros(shape, kind)
    return np.memmap(path, kind, "r", offset=start + begin, shape=shape)
