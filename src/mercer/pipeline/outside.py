"""Score a system that mercer did not build, under the protocol and on the test set of a brief."""

from __future__ import annotations

from pathlib import Path

from mercer.brief import Brief
from mercer.contracts import Holdout, Progress
from mercer.errors import BriefError, UsageError, nearest
from mercer.evaluation import Leaderboard, score_rankings_file
from mercer.pipeline import board
from mercer.pipeline.audit import audit
from mercer.pipeline.cache import file_hash, publish
from mercer.pipeline.flow import Flow, locked
from mercer.pipeline.ingest import clean_data, raw_data
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import entries, target_facts
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.runner import fit_all, judge_all
from mercer.pipeline.sources import data_folders


def evaluate_rankings(
    brief: Path | str,
    rankings: Path | str,
    *,
    out: Path | str | None = None,
    data: Path | str | None = None,
    target: str | None = None,
    name: str = "external",
    progress: RunProgress | None = None,
) -> Leaderboard:
    """The leaderboard of a brief with one more row: the rankings in a file, scored on the same test set.

    rankings: CSV or Parquet with unit, item and rank or score. target: which ranking target they answer (default:
    the decision's). name: what the system is called. The look is written into the ledger like any other.
    Raises BriefError for a target that does not rank, DataError for unknown units or items, naming the rows.
    """
    loaded = Brief.load(brief)
    chosen_target = target or loaded.decision.target
    if chosen_target not in loaded.targets:
        raise BriefError(
            f"The brief has no target {chosen_target!r}.", remedy=nearest(chosen_target, loaded.targets)
        )
    file = Path(rankings)
    if not file.is_file():
        raise UsageError(f"{file}: no such file.", remedy="Give CSV or Parquet with unit, item and rank.")
    flow = Flow(
        brief=loaded,
        out=Path(out) if out is not None else Path("runs") / loaded.name,
        data_folders=data_folders(Path(brief), Path(data) if data is not None else None),
        progress=progress or Quiet(),
    )
    plan = {label: entries(label, spec) for label, spec in loaded.targets.items()}
    with locked(flow.out):
        cleaned = clean_data(flow, raw_data(flow))
        material = Material(cleaned.folder, loaded)
        audit(flow, material)
        fits = fit_all(flow, material, plan, {"data": cleaned.key})
        judged, chosen = judge_all(flow, material, plan, fits, {"data": cleaned.key})

        def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - a file is read at once
            board.look(flow, chosen_target, name)()
            held = material.split(chosen_target).test
            if not isinstance(held, Holdout):
                raise BriefError(
                    f"targets.{chosen_target}: rankings answer a recommend or search target only."
                )
            score_rankings_file(file, held).save(folder / "rows.parquet")

        facts = {
            "data": cleaned.key,
            "file": file_hash(file),
            **target_facts(flow, chosen_target),
            "code": code_hash("evaluation", "data"),
        }
        scored = flow.step(f"score:{chosen_target}:outside:test", facts, make)
        rival = board.incumbent(flow, material)
        standing = board.leaderboard(
            flow, material, judged, chosen, rival, extra={name: scored}, extra_target=chosen_target
        )
        publish(standing.folder / "leaderboard.json", flow.out / "leaderboard.outside.json")
    return Leaderboard.load(standing.folder / "leaderboard.json")
