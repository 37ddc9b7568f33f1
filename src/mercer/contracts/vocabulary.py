"""External ids and the dense integer codes that stand for them in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.errors import DamagedError, DataError

Codes = npt.NDArray[np.int32]


class Vocabulary:
    """A bijection between external ids (strings) and codes 0..n-1; unknown ids have code -1.

    Stability: caller stable.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        """Keep `ids` in the order given. Raises DataError when one appears twice."""
        self.ids: tuple[str, ...] = tuple(ids)
        if len(set(self.ids)) != len(self.ids):
            raise DataError("A vocabulary holds the same id twice.", remedy="De-duplicate the ids first.")

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {external: code for code, external in enumerate(self.ids)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the ids in order; equal exactly for equal vocabularies."""
        digest = hashlib.sha256()
        for external in self.ids:
            # The length goes first: with a separator alone, an id that holds it would look like two ids.
            content = external.encode("utf-8", "surrogatepass")
            digest.update(len(content).to_bytes(8, "little") + content)
        return digest.hexdigest()

    def encode(self, ids: Sequence[str]) -> Codes:
        """Codes of `ids`, shape (len(ids),); -1 where unknown."""
        index = self._index
        return np.fromiter((index.get(external, -1) for external in ids), np.int32, len(ids))

    def code(self, external: str) -> int:
        """The code of one id, or -1."""
        return self._index.get(external, -1)

    def decode(self, codes: Iterable[int]) -> list[str]:
        """Ids of `codes`. Raises IndexError for a code outside 0..n-1 (-1 included)."""
        decoded = []
        for code in codes:
            if code < 0:
                raise IndexError(f"code {code} stands for no id")
            decoded.append(self.ids[code])
        return decoded

    def save(self, path: Path) -> None:
        """Write as a one-column Parquet file."""
        pq.write_table(pa.table({"id": pa.array(self.ids, pa.string())}), path)

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote. Raises DamagedError when the file is not such a table."""
        try:
            column = pq.read_table(path, columns=["id"]).column("id")
        except (OSError, pa.ArrowException) as fault:
            raise DamagedError(
                f"{path.name} is not a vocabulary file.", remedy="Run mercer again."
            ) from fault
        return cls(column.to_pylist())
