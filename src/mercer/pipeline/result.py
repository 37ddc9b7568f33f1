"""A finished run, as a person or a notebook asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import NotFoundError

if TYPE_CHECKING:
    import pandas as pd

    from mercer.evaluation import Leaderboard


@dataclass(frozen=True)
class Run:
    """A run folder. Everything here is read from its files.

    Stability: callers stable.
    """

    path: Path

    def __post_init__(self) -> None:
        """Raises NotFoundError for a folder that is no run."""
        if not (self.path / "manifest.json").is_file():
            raise NotFoundError(
                f"{self.path} is not a run folder.", remedy="Give a folder that `mercer run` wrote."
            )

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run recorded of itself."""
        return self._read("manifest.json") or {}

    @property
    def gates(self) -> dict[str, Any] | None:
        """The gates' report, or None where the run stopped before."""
        return self._read("gates.json")

    @cached_property
    def leaderboard(self) -> Leaderboard | None:
        """Rows and comparisons, or None where the run stopped before."""
        from mercer.evaluation import Leaderboard

        place = self.path / "leaderboard.json"
        return Leaderboard.load(place) if place.is_file() else None

    def frame(self) -> pd.DataFrame:
        """The leaderboard as numbers: one row a metric of a model."""
        import pandas as pd

        board = self.leaderboard
        return pd.DataFrame([row.to_dict() for row in board.rows] if board is not None else [])

    @property
    def page(self) -> Path | None:
        """The decision page, or None where the run stopped before."""
        place = self.path / "report.html"
        return place if place.is_file() else None

    @property
    def release(self) -> Path | None:
        """The release, or None where the gates let none pass."""
        place = self.path / "release"
        return place if place.is_dir() else None

    @property
    def exit_code(self) -> int:
        """1 when a rule failed or is neither assessed nor accepted, else 0."""
        return 0 if self.gates is None or self.gates["verdict"] == "pass" else 1

    def summary(self) -> dict[str, Any]:
        """What a machine wants to know of the run."""
        board = self.leaderboard
        decision = None
        if self.page is not None:
            from mercer.reporting import decide

            decision = decide(self.path).to_json()
        return {
            "run": str(self.path),
            "selected": self.manifest.get("selected", {}),
            "leaderboard": board.to_dict() if board is not None else None,
            "gates": self.gates,
            "decision": decision,
            "page": str(self.page) if self.page else None,
            "release": str(self.release) if self.release else None,
            "exit_code": self.exit_code,
        }

    def renderables(self) -> list[Any]:
        """What a terminal prints: leaderboard, decision, blocking rules, places, and what to type next."""
        from mercer.pipeline.announce import announce

        return announce(self)

    def _read(self, name: str) -> dict[str, Any] | None:
        place = self.path / name
        if not place.is_file():
            return None
        content: dict[str, Any] = json.loads(place.read_text("utf-8"))
        return content
