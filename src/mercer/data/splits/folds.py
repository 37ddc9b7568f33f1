"""Folds: every unit is tested exactly once a repeat, by a model that has not seen it.

In each fold the fold itself is the test, the next fold validates (it stops, selects and calibrates), and all
others train. Where a unit falls is decided by md5, so it is the same on every machine and in every order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.brief import Split as SplitOptions
from mercer.contracts import Dataset, Holdout, Labelled
from mercer.errors import BriefError, DataError

Ints = npt.NDArray[np.int64]

LEAST_FOLDS = 3
"""One fold tests, one validates, one is left to train."""

CAUTION = (
    "Models of different folds share training rows, so repeats narrow the chance of the division, not that of the "
    "sample: intervals resample units and hold the models as fitted."
)
"""What no interval over folds says (Nadeau and Bengio, Machine Learning 52, 2003)."""


@dataclass(frozen=True, slots=True, order=True)
class Fold:
    """Which fold of which repeat, both from 1."""

    repeat: int
    number: int

    @property
    def name(self) -> str:
        """As steps and scored rows call it: "2.4" is fold 4 of repeat 2."""
        return f"{self.repeat}.{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPart:
    """One fold: `train` and `validation` select, `refit` is both together, `test` is the fold itself.

    test_rows, validation_rows: which units of the whole they hold, one row number a unit.
    """

    train: Any
    validation: Any
    refit: Any
    test: Any
    test_rows: Ints
    validation_rows: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSplit:
    """K folds, R times, over n units.

    number: the fold 0..K-1 of every unit in every repeat, shape (R, n). test: all units, in order.
    training: units (row numbers) to what `fit` receives when these train. protocol: how a row of evaluation says it.
    """

    number: Ints
    folds: int
    test: Holdout | Labelled
    training: Callable[[Ints], Dataset | Labelled]
    protocol: Mapping[str, Any]

    def names(self) -> tuple[Fold, ...]:
        """Every fold of every repeat, in order."""
        return fold_names(self.folds, len(self.number))

    def part(self, fold: Fold) -> FoldPart:
        """The parts of one fold."""
        number = self.number[fold.repeat - 1]
        at = fold.number - 1
        tested = number == at
        validates = number == (at + 1) % self.folds
        rows, inner = np.flatnonzero(tested).astype(np.int64), np.flatnonzero(validates).astype(np.int64)
        return FoldPart(
            train=self.training(np.flatnonzero(~tested & ~validates).astype(np.int64)),
            validation=self.test.take(inner),
            refit=self.training(np.flatnonzero(~tested).astype(np.int64)),
            test=self.test.take(rows),
            test_rows=rows,
            validation_rows=inner,
        )

    @property
    def train(self) -> Any:
        """What trains in the first fold; estimates and pilots look at no more than one."""
        return self.part(self.names()[0]).train

    @property
    def validation(self) -> Any:
        """What validates in the first fold."""
        return self.part(self.names()[0]).validation

    def everything(self) -> Dataset | Labelled:
        """All units to train on: what ships is fitted on this and has no test score of its own."""
        return self.training(np.arange(len(self.test), dtype=np.int64))


def fold_names(folds: int, repeats: int) -> tuple[Fold, ...]:
    """Every fold of every repeat, in order."""
    return tuple(Fold(r, k) for r in range(1, repeats + 1) for k in range(1, folds + 1))


def folds_of(split: SplitOptions) -> tuple[Fold, ...]:
    """The folds that a brief's split asks for; none where it is of another kind."""
    return fold_names(split.folds, split.repeats) if split.kind == "folds" else ()


def text_folds(texts: Sequence[str], split: SplitOptions) -> Ints:
    """md5 of the text modulo K: a text's fold does not depend on the other texts. Shape (repeats, n).

    The first repeat hashes the text alone, the others "REPEAT:text".
    """
    _enough(split)
    rows = []
    for repeat in range(1, split.repeats + 1):
        salt = "" if repeat == 1 else f"{repeat}:"
        rows.append([_digest(salt + text) % split.folds for text in texts])
    return np.array(rows, np.int64).reshape(split.repeats, len(texts))


def stratified_folds(units: Sequence[str], stratum: npt.NDArray[Any], split: SplitOptions) -> Ints:
    """Units dealt out to K folds within each stratum, in the order of md5("REPEAT:unit"). Shape (repeats, n).

    So every fold holds each stratum's units to within one, and the whole folds differ by one unit at most. Units are
    distinct. Raises DataError where a stratum has fewer units than there are folds.
    """
    _enough(split)
    values = np.unique(stratum)
    for value in values:
        held = int(np.count_nonzero(stratum == value))
        if held < split.folds:
            raise DataError(
                f"Only {held} of {len(stratum)} examples have the label {value:g}: too few for {split.folds} folds.",
                remedy="Ask for fewer folds, or bring more examples.",
            )
    number = np.empty((split.repeats, len(units)), np.int64)
    for repeat in range(1, split.repeats + 1):
        digests = [_digest(f"{repeat}:{unit}") for unit in units]
        start = 0
        for value in values:
            rows = np.flatnonzero(stratum == value).tolist()
            rows.sort(key=lambda row: (digests[row], units[row]))
            number[repeat - 1, rows] = (start + np.arange(len(rows))) % split.folds
            start += len(rows)
    return number


def _enough(split: SplitOptions) -> None:
    if split.folds < LEAST_FOLDS:
        raise BriefError(
            f"split.folds: {split.folds} folds leave none to train: one tests and the next validates.",
            remedy=f"Ask for at least {LEAST_FOLDS}.",
        )


def _digest(text: str) -> int:
    return int(hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest(), 16)
