"""Scored rows joined: over folds, where each part was scored by a model of its own, and over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from mercer.errors import DataError
from mercer.evaluation.scored import FOLD, REPEAT, SEED, Scored


@dataclass(frozen=True, slots=True)
class FoldScored:
    """What one fold's model gave: the repeat (from 1), the fold's name and the scored rows."""

    repeat: int
    fold: str
    scored: Scored


def join_folds(parts: Sequence[FoldScored], units: Sequence[str]) -> Scored:
    """One Scored of all parts, with the columns `repeat` and `fold`; rows in the order of `units` in each repeat.

    Raises DataError where a repeat does not hold each unit in exactly one fold.
    """
    first = parts[0].scored
    rows = _together([_marked(part, part.scored.rows) for part in parts], units)
    owners = rows[["unit", REPEAT, FOLD]].drop_duplicates()
    once = owners.groupby(REPEAT)["unit"].agg(["size", "nunique"])
    if not (once["size"] == len(units)).all() or not (once["nunique"] == len(units)).all():
        raise DataError("The folds do not hold every unit once a repeat.", remedy="Evaluate the model again.")
    lists = None
    if first.lists is not None:
        shown = [_marked(part, part.scored.lists) for part in parts if part.scored.lists is not None]
        lists = _together(shown, units)
    return replace(first, rows=rows, lists=lists)


def join_seeds(parts: Mapping[int, Scored]) -> Scored:
    """The rows of one model fitted with several seeds, one seed after the other, with the column `seed`.

    parts: seed to what the model of that seed scored, all on the same units. One seed alone stays as it is.
    """
    first = next(iter(parts.values()))
    if len(parts) == 1:
        return first
    rows = pd.concat([one.rows.assign(**{SEED: seed}) for seed, one in parts.items()], ignore_index=True)
    lists = None
    if first.lists is not None:
        shown = [one.lists.assign(**{SEED: seed}) for seed, one in parts.items() if one.lists is not None]
        lists = pd.concat(shown, ignore_index=True)
    return replace(first, rows=rows, lists=lists)


def _marked(part: FoldScored, frame: pd.DataFrame) -> pd.DataFrame:
    marked = frame.copy()
    marked[REPEAT], marked[FOLD] = part.repeat, part.fold
    return marked


def _together(frames: Sequence[pd.DataFrame], units: Sequence[str]) -> pd.DataFrame:
    joined = pd.concat(frames, ignore_index=True)
    place = pd.Index(units).get_indexer(pd.Index(joined["unit"]))
    order = joined.assign(_place=place).sort_values([REPEAT, "_place"], kind="stable").index
    return joined.loc[order].reset_index(drop=True)
