"""The leaderboard of a run: rows, comparisons, and the file both are kept in."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mercer.errors import DamagedError, NotFoundError, UnsupportedError
from mercer.evaluation.compare import Comparison, adjust
from mercer.evaluation.metrics import ALL
from mercer.evaluation.names import metric_name
from mercer.evaluation.rows import Row

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """Rows and comparisons of one run. `dataset` is the hash of the data.

    Stability: stable, as the file is (leaderboard.json, schema 1).
    """

    run: str
    dataset: str
    rows: tuple[Row, ...] = ()
    comparisons: tuple[Comparison, ...] = field(default=())

    def adjusted(self) -> Leaderboard:
        """The same with its p-values corrected over the whole page (see `adjust`)."""
        return replace(self, comparisons=tuple(adjust(self.comparisons)))

    def mark_selected(
        self, selected: Mapping[str, str], fits: Mapping[str, str] | None = None
    ) -> Leaderboard:
        """The same with the rows of each target's selected model marked.

        selected: target -> model. fits: target -> the fit that decides; where that is "train", a refit on more is
        nobody's selection and stays unmarked. Left out: every fit is marked.
        """

        def marked(row: Row) -> bool:
            decides = (fits or {}).get(row.target, row.fit_on)
            return selected.get(row.target) == row.model and row.fit_on in ("train", decides)

        return replace(self, rows=tuple(replace(row, selected=marked(row)) for row in self.rows))

    def find(self, **wanted: Any) -> list[Row]:
        """Rows whose fields have the values given, such as target="next-item", metric="ndcg@10"."""
        return [row for row in self.rows if all(getattr(row, key) == value for key, value in wanted.items())]

    def to_dict(self) -> dict[str, Any]:
        """The content of leaderboard.json."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "dataset": self.dataset,
            "rows": [row.to_dict() for row in self.rows],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
        }

    def save(self, path: Path) -> None:
        """Write leaderboard.json, whole or not at all."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Leaderboard:
        """Read a leaderboard.json. Raises NotFoundError or DamagedError naming the file."""
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as fault:
            raise NotFoundError(
                f"{path.name}: no such file.", remedy="Run mercer run BRIEF first."
            ) from fault
        except (OSError, ValueError) as fault:
            raise DamagedError(f"{path.name} is not JSON.", remedy="Run mercer again.") from fault
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise DamagedError(f"{path.name} is not a leaderboard of schema {SCHEMA}.")
        return cls(
            run=str(content.get("run", "")),
            dataset=str(content.get("dataset", "")),
            rows=tuple(Row.from_dict(row) for row in content.get("rows", [])),
            comparisons=tuple(Comparison.from_dict(c) for c in content.get("comparisons", [])),
        )

    def to_frame(self, *, split: str = "test", slice_name: str = ALL, origin: str = ALL) -> pd.DataFrame:
        """A frame to read: one row a model and fit, one column a metric, cells "value [low, high]".

        The index is (target, model, fit_on); a selected model is starred. Compute with `rows`, not with this.
        """
        shown = [
            row for row in self.rows if (row.split, row.slice, row.origin) == (split, slice_name, origin)
        ]
        cells: dict[tuple[str, str, str], dict[str, str]] = {}
        for row in shown:
            star = "★ " if row.selected else ""
            cells.setdefault((row.target, star + row.model, row.fit_on), {})[row.metric] = cell(row)
        index = pd.MultiIndex.from_tuples(list(cells), names=["target", "model", "fit_on"])
        return pd.DataFrame(list(cells.values()), index=index if cells else None).fillna("")


def cell(row: Row) -> str:
    """`0.0530 [0.0510, 0.0550]`, with as many digits as the value needs."""
    text = number(row.value)
    if row.low is None or row.high is None:
        return text
    return f"{text} [{number(row.low)}, {number(row.high)}]"


def number(value: float) -> str:
    """Four decimals under 1, fewer as the value grows."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    digits = max(0, 4 - max(0, math.floor(math.log10(abs(value))) + 1))
    return f"{value:,.{digits}f}"


def select(rows: Sequence[Row], target: str, metric: str, *, fit_on: str = "train") -> Row:
    """The row of the model to select: the best on VALIDATION, whatever test rows say.

    Ties go to the earlier row, so the simpler model where rows are in that order.
    Raises UnsupportedError for a metric without a better way, NotFoundError without a validation row.
    """
    higher = metric_name(metric).higher_is_better
    if higher is None:
        raise UnsupportedError(f"{metric} has no better way, so it can't select a model.")
    candidates = [
        row
        for row in rows
        if (row.target, row.metric, row.split, row.fit_on) == (target, metric, "validation", fit_on)
        and row.slice == ALL
        and row.origin == ALL
    ]
    if not candidates:
        raise NotFoundError(f"Target {target!r} has no validation row of {metric}.")
    return max(candidates, key=lambda row: row.value if higher else -row.value)
