"""The canonical tables of a cleaned data folder, read when first asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.contracts import TABLES
from mercer.errors import DamagedError, NotFoundError


@dataclass(frozen=True)
class Tables:
    """Canonical tables as frames; a table the folder lacks is None. Frames are shared: do not change them."""

    folder: Path
    names: tuple[str, ...]
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, folder: Path) -> Tables:
        """The tables that `ingest` wrote. Raises NotFoundError when there is none."""
        names = tuple(name for name in TABLES if (folder / f"{name}.parquet").is_file())
        if not names:
            raise NotFoundError(
                f"{folder} holds no canonical tables.", remedy="Run mercer data clean BRIEF first."
            )
        return cls(folder, names)

    def get(self, name: str) -> pd.DataFrame | None:
        """A table by name. Raises DamagedError when its file can't be read."""
        if name not in self.names:
            return None
        if name not in self._frames:
            try:
                self._frames[name] = pq.read_table(self.folder / f"{name}.parquet").to_pandas()
            except (OSError, pa.ArrowException) as fault:
                raise DamagedError(
                    f"{name}.parquet can't be read.", remedy="Clean the data again."
                ) from fault
        return self._frames[name]

    def events(self) -> pd.DataFrame | None:
        """The event log."""
        return self.get("events")

    def items(self) -> pd.DataFrame | None:
        """The catalogue."""
        return self.get("items")

    def users(self) -> pd.DataFrame | None:
        """People: jurisdiction, age, attributes."""
        return self.get("users")

    def consents(self) -> pd.DataFrame | None:
        """Consents, objections and opt-outs over time."""
        return self.get("consents")

    def judgments(self) -> pd.DataFrame | None:
        """Graded relevance of items for queries."""
        return self.get("judgments")

    def accounting(self) -> dict[str, Any]:
        """What was read, kept and quarantined, by table and rule."""
        content: dict[str, Any] = json.loads((self.folder / "accounting.json").read_text("utf-8"))
        return content
