"""Runs beside each other, paired on the units that all scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mercer.brief import Brief
from mercer.errors import NotFoundError, UsageError, nearest
from mercer.evaluation import Comparison, Scored, join_seeds
from mercer.evaluation import compare as compare_scored
from mercer.pipeline.board import released_fit
from mercer.pipeline.result import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """The selected model of a run on the test set of a target. seeds: those it was fitted with; none if it draws
    nothing. alike: what two runs must share to be one system under other seeds."""

    path: Path
    model: str
    scored: Scored
    seeds: tuple[int, ...]
    alike: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.model} ({self.path.name})"


def compare_runs(*paths: Path, target: str | None = None, metric: str | None = None) -> Comparison:
    """The selected model of the first run against that of the other on the test set of a target.

    paths: two runs; or more, of two systems: runs whose data, model and options are equal are one system under several
    seeds, whose values are averaged by unit before they are paired.
    Raises UsageError when the runs were judged on different test sets, when they are not of two systems, or when two
    runs of one system share a seed.
    """
    if len(paths) < 2:
        raise UsageError("Two runs are needed for a comparison.", remedy="Give another run folder.")
    briefs = [Brief.load(path / "brief.yaml") for path in paths]
    name = target or briefs[0].decision.target
    measured = metric or briefs[0].decision.metric
    sides = [_side(path, brief, name) for path, brief in zip(paths, briefs, strict=True)]
    units = set(sides[0].scored.rows["unit"])
    if any(set(side.scored.rows["unit"]) != units for side in sides[1:]):
        raise UsageError(
            f"The runs scored different test sets of {name!r}, so they can't be paired.",
            remedy="Run the briefs on the same data and split.",
        )
    (left, label), (right, other) = _two(sides)
    brief = briefs[0].targets[name]
    return compare_scored(
        left, right, measured, names=(label, other), task=brief.task, target=name, fit_on=released_fit(brief)
    )


def _two(sides: Sequence[_Side]) -> list[tuple[Scored, str]]:
    """The two systems to compare: of two runs each is one, of more those that are alike are one."""
    if len(sides) == 2:
        return [(side.scored, side.label) for side in sides]
    systems: dict[tuple[str, ...], list[_Side]] = {}
    for side in sides:
        systems.setdefault(side.alike, []).append(side)
    if len(systems) != 2:
        named = "; ".join(", ".join(side.label for side in group) for group in systems.values())
        raise UsageError(
            f"These runs are of {len(systems)} systems, not of two: {named}.",
            remedy="Runs of one system have equal data, model and options, and other seeds.",
        )
    return [_pooled(group) for group in systems.values()]


def _pooled(group: Sequence[_Side]) -> tuple[Scored, str]:
    """The runs of one system as one, averaged over their seeds."""
    first = group[0]
    if len(group) == 1:
        return first.scored, first.label
    if not first.seeds:
        raise UsageError(
            f"{first.model} draws nothing, so {first.path.name} and {group[1].path.name} are the same run twice.",
            remedy="Give each once.",
        )
    parts: dict[int, Scored] = {}
    for side in group:
        for seed, scored in zip(side.seeds, side.scored.by_seed, strict=True):
            if seed in parts:
                raise UsageError(
                    f"Two runs of {first.model} were fitted with seed {seed}.", remedy="Give each seed once."
                )
            parts[seed] = scored
    return join_seeds(parts), f"{first.model} ({len(parts)} seeds)"


def _side(path: Path, brief: Brief, target: str) -> _Side:
    if target not in brief.targets:
        raise NotFoundError(f"{path} has no target {target!r}.", remedy=nearest(target, brief.targets))
    run = Run(path)
    model = run.manifest["selected"][target]["model"]
    fit_on = released_fit(brief.targets[target])
    scored = Scored.load(path / "scores" / target / f"{model}.test.{fit_on.replace('+', '-')}.parquet")
    found = run.leaderboard.find(target=target, model=model, split="test") if run.leaderboard else []
    row = next((one for one in found if one.fit_on == fit_on), None)
    return _Side(
        path=path,
        model=model,
        scored=scored,
        seeds=() if row is None else row.seeds,
        alike=(model, "" if row is None else row.options_hash, str(run.manifest.get("data_hash"))),
    )
