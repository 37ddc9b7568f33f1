"""What a run folder holds, read once; a part that is absent is named and never invented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from mercer.brief import BehaviorTarget, Brief
from mercer.errors import DamagedError, MercerError, NotFoundError
from mercer.evaluation import Comparison, Leaderboard, Row, Scored

Json = Mapping[str, Any]


@dataclass(frozen=True)
class RunFiles:
    """The files of one run. brief is required, every other part may be None.

    missing: file name -> what can't be said without it.
    """

    path: Path
    brief: Brief
    manifest: Json | None
    board: Leaderboard | None
    gates: Json | None
    accounting: Json | None
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> RunFiles:
        """Read a run folder. Raises NotFoundError without a brief, DamagedError for an unreadable file."""
        if not (path / "brief.yaml").is_file():
            raise NotFoundError(
                f"{path.name} holds no brief.yaml, so it is no run folder.",
                remedy="Run mercer run BRIEF --out DIR.",
            )
        parts = {
            "manifest.json": "what the run cost, which model was selected and when",
            "leaderboard.json": "how good the models are",
            "gates.json": "whether the rules hold",
            "data/accounting.json": "what became of every row of the data",
        }
        missing = {name: why for name, why in parts.items() if not (path / name).is_file()}
        board = None if "leaderboard.json" in missing else Leaderboard.load(path / "leaderboard.json")
        return cls(
            path=path,
            brief=Brief.load(path / "brief.yaml"),
            manifest=_json(path / "manifest.json"),
            board=board,
            gates=_json(path / "gates.json"),
            accounting=_json(path / "data" / "accounting.json"),
            missing=missing,
        )

    def selected(self, target: str) -> str | None:
        """The model selected on validation, from the manifest, else from the leaderboard's marks."""
        chosen = ((self.manifest or {}).get("selected") or {}).get(target)
        if chosen:
            return str(chosen["model"])
        marked = self.board.find(target=target, selected=True) if self.board else []
        return marked[0].model if marked else None

    def comparison(self, target: str, metric: str, other: str) -> tuple[int, Comparison] | None:
        """Number and content of the comparison of the selected model with `other`, over all units.

        Where both kinds of fit were compared, the one on train + validation counts: it is what would ship.
        """
        found = [
            (number, c)
            for number, c in enumerate(self.board.comparisons if self.board else ())
            if (c.target, c.metric, c.slice, c.origin) == (target, metric, "all", "all")
            and (c.a, c.b) == (self.selected(target), other)
        ]
        return max(found, key=lambda pair: pair[1].fit_on == "train+validation", default=None)

    def fit_on(self, target: str) -> str:
        """Which fit of a target decides: of predictors the one on train + validation where the selected model has one.

        A ranker's refit is a row of its own and decides nothing.
        """
        if not isinstance(self.brief.targets.get(target), BehaviorTarget):
            return "train"
        kinds = {row.fit_on for _, row in self.rows(target=target, split="test", model=self.selected(target))}
        return "train+validation" if "train+validation" in kinds else "train"

    def rows(self, **wanted: Any) -> list[tuple[int, Row]]:
        """Leaderboard rows with these fields, and their numbers in the file."""
        rows = enumerate(self.board.rows if self.board else ())
        return [
            (at, row) for at, row in rows if all(getattr(row, key) == value for key, value in wanted.items())
        ]

    def row(self, target: str, model: str | None, metric: str, **wanted: Any) -> tuple[int, Row] | None:
        """The test row of a model over all units: of the deciding fit, else of the only one there is."""
        fields = {"slice": "all", "origin": "all", "split": "test", **wanted}
        found = self.rows(target=target, model=model, metric=metric, **fields)
        return max(found, key=lambda pair: pair[1].fit_on == self.fit_on(target), default=None)

    def scored(self, target: str, model: str) -> tuple[str, Scored] | None:
        """File (relative to the run) and scored test rows of a model, or None where the run keeps none.

        Of several seeds, and of repeated folds, those of the first: a unit is one row.
        """
        kinds = ["train+validation", "train"] if self.fit_on(target) == "train+validation" else ["train"]
        for kind in [*kinds, "none"]:
            for spelled in (kind.replace("+", "-"), kind):
                name = f"scores/{target}/{model}.test.{spelled}.parquet"
                if (self.path / name).is_file():
                    try:
                        return name, Scored.load(self.path / name).repeats[0]
                    except MercerError:
                        return None
        return None

    def table(self, name: str) -> pd.DataFrame | None:
        """A canonical table of the run's data, or None."""
        place = self.path / "data" / f"{name}.parquet"
        return pd.read_parquet(place) if place.is_file() else None

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """Item id to title, as far as the catalogue is at hand."""
        items = self.table("items")
        if items is None or "title" not in items:
            return {}
        return dict(zip(items["item"].astype(str), items["title"].fillna("").astype(str), strict=True))


def _json(path: Path) -> Json | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise DamagedError(f"{path.name} is not JSON.", remedy="Run mercer again.") from fault
    if not isinstance(content, dict):
        raise DamagedError(f"{path.name} is not a JSON object.", remedy="Run mercer again.")
    return content
