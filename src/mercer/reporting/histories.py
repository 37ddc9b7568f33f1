"""Ten pseudonymous histories with the opponent's and the selected model's list side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mercer.brief import BehaviorTarget, SearchTarget
from mercer.evaluation import Scored
from mercer.reporting.run_files import RunFiles

N_SHOWN = 10
_HISTORY = 6
_LIST = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """One place of a list: the item's title, and whether the person then took it (or a judge approved it)."""

    title: str
    relevant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """One person or query. history: latest titles first; old, new: the first places of both lists."""

    name: str
    history: tuple[str, ...]
    n_history: int
    old: tuple[Listed, ...]
    new: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """What is shown, of which target and models, and the files it rests on."""

    target: str
    old_model: str
    new_model: str
    is_search: bool
    shown: tuple[SideBySide, ...]
    evidence: tuple[str, ...]


def histories_of(files: RunFiles) -> Histories | str:
    """The histories, or the sentence that says why none are shown."""
    target = _target(files)
    if target is None:
        return "The brief has no target that makes lists."
    decision = files.brief.decision
    new_model = files.selected(target)
    old_model = decision.against if target == decision.target else _simplest(files, target, new_model)
    if new_model is None or old_model is None:
        return f"No two models of {target} were scored."
    new, old = files.scored(target, new_model), files.scored(target, old_model)
    if new is None or old is None or new[1].lists is None or old[1].lists is None:
        return f"The run keeps no lists of {old_model} and {new_model} for {target}."
    units = _sample(sorted(set(new[1].lists["unit"]) & set(old[1].lists["unit"])))
    is_search = isinstance(files.brief.targets[target], SearchTarget)
    known = {} if is_search else _known(files, target, units)
    relevant = {
        unit: set(rows["item"])
        for unit, rows in new[1].rows[new[1].rows["grade"] > 0].groupby("unit")
        if unit in units
    }
    shown = tuple(
        SideBySide(
            name=f"“{unit}”" if is_search else f"Customer {chr(ord('A') + at)}",
            history=tuple(files.titles.get(item, item) for item in known.get(unit, [])[:_HISTORY]),
            n_history=len(known.get(unit, [])),
            old=_places(files, old[1], unit, relevant.get(unit, set())),
            new=_places(files, new[1], unit, relevant.get(unit, set())),
        )
        for at, unit in enumerate(units)
    )
    evidence = tuple(name.replace(".parquet", ".lists.parquet") for name in (old[0], new[0]))
    return Histories(
        target=target, old_model=old_model, new_model=new_model, is_search=is_search, shown=shown,
        evidence=evidence if is_search else (*evidence, "data/events.parquet"),
    )  # fmt: skip


def _target(files: RunFiles) -> str | None:
    """The deciding target where it makes lists, else the first that does."""
    names = [files.brief.decision.target, *files.brief.targets]
    return next((n for n in names if not isinstance(files.brief.targets[n], BehaviorTarget)), None)


def _simplest(files: RunFiles, target: str, new_model: str | None) -> str | None:
    models = [row.model for _, row in files.rows(target=target, split="test")]
    return next((model for model in models if model != new_model), None)


def _sample(units: Sequence[str]) -> list[str]:
    """Ten units, by the hash of their names: always the same, and chosen by nobody."""
    return sorted(units, key=lambda unit: hashlib.sha256(unit.encode("utf-8")).hexdigest())[:N_SHOWN]


def _known(files: RunFiles, target: str, units: Sequence[str]) -> Mapping[str, list[str]]:
    """Items of each user's history before the test began, the latest first."""
    events = files.table("events")
    if events is None:
        return {}
    events = events[events["user"].isin(units) & ~events["kind"].isin(["return"])]
    cut = _test_from(files, target)
    if cut is not None:
        known_at = events["known_at"] if "known_at" in events else events["time"]
        events = events[known_at.fillna(events["time"]) < cut]
    events = events.sort_values("time", ascending=False, kind="stable")
    return {str(unit): list(dict.fromkeys(rows["item"].astype(str))) for unit, rows in events.groupby("user")}


def _test_from(files: RunFiles, target: str) -> pd.Timestamp | None:
    """When the test began, as the protocol of its rows or the brief says it."""
    for _, row in files.rows(target=target, split="test")[:1]:
        for key in ("test_from", "cut", "as_of"):
            if row.protocol.get(key):
                return pd.Timestamp(str(row.protocol[key])).tz_localize(None)
    named = getattr(files.brief.targets[target].split, "test_from", None)
    return pd.Timestamp(named) if named else None


def _places(files: RunFiles, scored: Scored, unit: str, relevant: set[str]) -> tuple[Listed, ...]:
    if scored.lists is None:
        return ()
    mine = scored.lists[(scored.lists["unit"] == unit) & (scored.lists["position"] <= _LIST)]
    items = mine.sort_values("position")["item"].astype(str)
    return tuple(Listed(files.titles.get(item) or item, item in relevant) for item in items)
