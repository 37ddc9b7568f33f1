"""The leakage audit: nothing that trains may have been known only after its cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Holdout, Interactions, Labelled, Times
from mercer.data.splits import FoldSplit, Split
from mercer.errors import LeakageError


def audit_leakage(split: Split) -> int:
    """Check every row of a split against its cut; returns how many things were examined.

    recommend: no training event (of train, and of train with validation) and no event of a held-out history was known
    after its cut, and no answer is an item that the history masks. behavior: no snapshot's history was known after its
    as-of time, and every training label was known at the first test cut-off. folds: every unit is tested once a repeat,
    none that trains is held out in the same fold, and no judgment of a held-out query trains.
    Raises LeakageError naming how many rows lie after their cut and the first offending time, never a person, and
    LeakageError when nothing was there to examine.
    """
    examined = 0
    parts: Any = split
    if isinstance(split, FoldSplit):
        examined += _folds(split)
    elif isinstance(split.train, Dataset):
        refit = parts.refit
        examined += _dataset(split.train) + _dataset(refit)
        examined += _holdout(parts.validation, "validation", split.train)
        examined += _holdout(parts.test, "test", refit)
    else:
        examined += _labelled(split)
    if examined == 0:
        raise LeakageError(
            "The leakage audit had nothing to examine.", remedy="Check that the split holds rows."
        )
    return examined


def _folds(split: FoldSplit) -> int:
    examined = 0
    tested = np.zeros((len(split.number), len(split.test)), np.int64)
    for fold in split.names():
        part = split.part(fold)
        tested[fold.repeat - 1, part.test_rows] += 1
        tests, validates = _names(part.test), _names(part.validation)
        for name, units, others in (
            ("training", _names(part.train), tests | validates),
            ("refit", _names(part.refit), tests),
            ("validation", validates, tests),
        ):
            shared = np.array([unit in others for unit in sorted(units)], bool)
            _refuse(shared, f"{name} units of fold {fold.name} are held out in it")
        examined += len(tests)
    _refuse((tested != 1).ravel(), "units are not tested exactly once a repeat")
    return examined


def _names(part: Dataset | Holdout | Labelled) -> set[str]:
    """The units that a part knows the answers of."""
    if isinstance(part, Dataset):
        return set() if part.judgments is None else set(part.judgments["query"].astype(str))
    return set(part.units if isinstance(part, Holdout) else part.snapshots.entities)


def _dataset(train: Dataset) -> int:
    log = train.interactions
    if log is None:
        return 0
    _refuse(log.known_at > train.as_of, "training events were known after the cut", log.known_at)
    return log.n_events


def _holdout(held: Holdout, name: str, train: Dataset) -> int:
    history = held.requests.history
    limits = np.repeat(held.requests.time, history.lengths)
    _refuse(
        history.known_at > limits,
        f"events in {name} histories were known after the request",
        history.known_at,
    )
    if train.interactions is not None:
        _refuse(
            held.requests.time <= train.as_of,
            f"{name} requests lie before the training cut",
            held.requests.time,
        )
    if not held.requests.repeats:
        _refuse(_answered_before(held), f"{name} answers are masked items of the history")
    return history.n_events + len(held)


def _labelled(split: Any) -> int:
    examined = 0
    first_test = int(split.test.snapshots.as_of.min()) if len(split.test) else np.iinfo(np.int64).max
    first_validation = int(split.validation.snapshots.as_of.min()) if len(split.validation) else first_test
    for name, part, limit in (
        ("train", split.train, first_validation),
        ("validation", split.validation, first_test),
        ("refit", split.refit, first_test),
        ("test", split.test, None),
    ):
        labelled: Labelled = part
        history: Interactions = labelled.snapshots.history
        limits = np.repeat(labelled.snapshots.as_of, history.lengths)
        _refuse(
            history.known_at > limits,
            f"events in {name} histories were known after the snapshot",
            history.known_at,
        )
        if limit is not None:
            late = labelled.label_known_at
            _refuse(late > limit, f"{name} labels were known only after the next cut", late)
        examined += history.n_events + len(labelled)
    return examined


def _answered_before(held: Holdout) -> npt.NDArray[np.bool_]:
    """Which relevant items are among those that the request masks, aligned with `relevant.values`."""
    seen, n_items = held.requests.masked_history, len(held.requests.items)
    return np.isin(held.relevant.row_of * n_items + held.relevant.values, seen.user_of * n_items + seen.item)


def _refuse(bad: Any, what: str, times: Times | None = None) -> None:
    n_bad = int(np.count_nonzero(bad))
    if n_bad:
        first = "" if times is None else f", the first at {_instant(int(times[bad].min()))}"
        raise LeakageError(
            f"Leakage: {n_bad:,} of {len(bad):,} {what}{first}.",
            remedy="Cut on known_at; if known_at is wrong in the source, correct it there."
            if times is not None
            else "Divide the units again.",
        )


def _instant(micros: int) -> str:
    return f"{np.datetime64(micros, 'us')} UTC"
