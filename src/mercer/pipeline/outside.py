"""Score a system that mercer did not build, under the protocol and on the test set of a brief."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from mercer.brief import Brief
from mercer.contracts import Holdout, Progress
from mercer.errors import BriefError, UsageError, nearest
from mercer.evaluation import Leaderboard, score_rankings_file
from mercer.pipeline import board
from mercer.pipeline.audit import audit
from mercer.pipeline.cache import Step, file_hash, publish
from mercer.pipeline.flow import Flow, locked
from mercer.pipeline.ingest import clean_data, raw_data
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import entries, target_facts
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.runner import fit_all, judge_all
from mercer.pipeline.sources import DataArgument, opened


def evaluate_rankings(
    brief: Brief | Path | str,
    rankings: Path | str | pd.DataFrame,
    *,
    out: Path | str | None = None,
    data: DataArgument = None,
    target: str | None = None,
    name: str = "external",
    progress: RunProgress | None = None,
) -> Leaderboard:
    """The leaderboard of a brief with one more row: a system's rankings, scored on the same test set.

    rankings: CSV, Parquet or a frame with unit, item and rank or score. target: which ranking target they answer
    (default: the decision's). name: what the system is called. out, data, progress: as for `run`. The look is
    written into the ledger like any other. The run folder gets `leaderboard.outside.json`.
    Raises BriefError for a target that does not rank, DataError for unknown units or items, naming the rows.
    """
    with opened(brief, data) as (loaded, folders), TemporaryDirectory(prefix="mercer-rankings-") as scratch:
        answered = target or loaded.decision.target
        if answered not in loaded.targets:
            raise BriefError(
                f"The brief has no target {answered!r}.", remedy=nearest(answered, loaded.targets)
            )
        flow = Flow(
            brief=loaded,
            out=Path(out) if out is not None else Path("runs") / loaded.name,
            data_folders=folders,
            progress=progress or Quiet(),
        )
        file = _file(rankings, Path(scratch))
        with locked(flow.out):
            return _leaderboard(flow, file, answered, name)


def _file(rankings: Path | str | pd.DataFrame, scratch: Path) -> Path:
    if isinstance(rankings, pd.DataFrame):
        place = scratch / "rankings.parquet"
        rankings.to_parquet(place, index=False)
        return place
    place = Path(rankings)
    if not place.is_file():
        raise UsageError(f"{place}: no such file.", remedy="Give CSV or Parquet with unit, item and rank.")
    return place


def _leaderboard(flow: Flow, file: Path, target: str, name: str) -> Leaderboard:
    plan = {label: entries(label, spec) for label, spec in flow.brief.targets.items()}
    cleaned = clean_data(flow, raw_data(flow))
    material = Material(cleaned.folder, flow.brief)
    audit(flow, material)
    fits = fit_all(flow, material, plan, {"data": cleaned.key})
    judged, chosen = judge_all(flow, material, plan, fits, {"data": cleaned.key})
    scored = _scored(flow, material, file, target, name)
    standing = board.leaderboard(
        flow, material, judged, chosen, board.incumbents(flow, material), {name: scored}, target
    )
    publish(standing.folder / "leaderboard.json", flow.out / "leaderboard.outside.json")
    return Leaderboard.load(standing.folder / "leaderboard.json")


def _scored(flow: Flow, material: Material, file: Path, target: str, name: str) -> Step:
    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - a file is read at once
        held = material.split(target).test
        if not isinstance(held, Holdout):
            raise BriefError(f"targets.{target}: rankings answer a recommend or search target only.")
        rows = score_rankings_file(file, held)
        board.look(flow, target, name)()
        rows.save(folder / "rows.parquet")

    facts = {
        "data": flow.steps["data"].key,
        "file": file_hash(file),
        **target_facts(flow, target),
        "code": code_hash("evaluation", "data"),
    }
    return flow.step(f"score:{target}:outside:test", facts, make)
