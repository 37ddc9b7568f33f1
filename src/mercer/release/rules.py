"""Serving rules: which items may be answered to whom, when. The one path for gates, API and Python.

An item is denied when it is withdrawn, not available at the time of the request, or limited to an age that
the request does not show (an unknown age is too young) or that is above the one the query names. A person who
objected, sent an opt-out signal or asked not to be profiled is answered as a stranger: no model sees the history or
the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Ragged, Requests, Times, Vocabulary
from mercer.errors import UnsupportedError

Bools = npt.NDArray[np.bool_]

ALWAYS = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)
"""Available from and until, in microseconds, of an item without such limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What changed in the catalogue since the release: it wins over the base catalogue.

    version: grows with every change. withdrawn: items that may not be answered.
    By item: price (minor units), title, min_age (years), availability (from, until: microseconds, None where
    there is no limit).
    """

    version: int = 0
    withdrawn: frozenset[str] = frozenset()
    price: Mapping[str, int] = field(default_factory=dict)
    title: Mapping[str, str] = field(default_factory=dict)
    min_age: Mapping[str, int] = field(default_factory=dict)
    availability: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)


NO_OVERLAY = Overlay()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The limits of every item, each of shape (I,): base catalogue and overlay together.

    min_age: years, 0 for none. available_from, available_until: microseconds, both inclusive.
    repriced: codes of items with another price than the base catalogue's; new_price: that price, minor units.
    """

    vocabulary: Vocabulary
    withdrawn: Bools
    min_age: npt.NDArray[np.int16]
    available_from: Times
    available_until: Times
    repriced: npt.NDArray[np.int32]
    new_price: npt.NDArray[np.int64]

    @classmethod
    def of(cls, items: pd.DataFrame, vocabulary: Vocabulary, overlay: Overlay = NO_OVERLAY) -> Catalogue:
        """From a frame of `contracts.ITEM_COLUMNS` (row i is item code i) with an overlay laid over it."""
        withdrawn = np.zeros(len(vocabulary), bool)
        min_age = items["min_age"].fillna(0).to_numpy(np.int16).copy()
        start = _micros(items["available_from"], ALWAYS[0])
        end = _micros(items["available_until"], ALWAYS[1])
        withdrawn[_known(vocabulary, overlay.withdrawn)] = True
        for item, age in overlay.min_age.items():
            if (code := vocabulary.code(item)) >= 0:
                min_age[code] = age
        for item, (first, last) in overlay.availability.items():
            if (code := vocabulary.code(item)) >= 0:
                start[code] = ALWAYS[0] if first is None else first
                end[code] = ALWAYS[1] if last is None else last
        repriced = _known(vocabulary, frozenset(overlay.price))
        new_price = np.array([overlay.price[vocabulary.ids[code]] for code in repriced], np.int64)
        return cls(
            vocabulary=vocabulary,
            withdrawn=withdrawn,
            min_age=min_age,
            available_from=start,
            available_until=end,
            repriced=repriced,
            new_price=new_price,
        )

    def denied(self, time: Times, age: npt.NDArray[np.int16]) -> Bools:
        """Which items may not be answered at `time` to a person of `age`, shape (n, I).

        time: microseconds, shape (n,). age: years, -1 where unknown, shape (n,).
        """
        limited = np.flatnonzero(self.min_age > 0)
        denied = (time[:, None] < self.available_from) | (time[:, None] > self.available_until)
        denied |= self.withdrawn
        denied[:, limited] |= age[:, None] < self.min_age[limited]
        return denied


def apply(
    requests: Requests,
    catalogue: Catalogue,
    *,
    repeats: bool,
    mask_kinds: tuple[str, ...] = ("purchase",),
    told_age: npt.NDArray[np.int16] | None = None,
) -> Requests:
    """The requests as a model may see them: serving rules denied, the person hidden where not to be profiled.

    repeats: whether an item of the history may be answered; mask_kinds: the kinds of event that mask it if not.
    told_age: years of whom each query says it is for, -1 where it says nothing; it can only hide items, for the lower
    of it and the person's own age holds, and a person of unknown age stays so.
    What callers allow, deny and pin stays in force, and no allow or pin brings back what a rule denies.
    Raises UnsupportedError for another catalogue.
    """
    if requests.items is not catalogue.vocabulary and requests.items != catalogue.vocabulary:
        raise UnsupportedError(
            "These requests speak of another catalogue than the release's.",
            remedy="Build their histories with the release's vocabulary.",
        )
    hidden = requests.context.unprofiled
    age = requests.context.age
    if told_age is not None:
        age = np.where(told_age >= 0, np.minimum(age, told_age), age).astype(np.int16)
    denied = catalogue.denied(requests.time, age)
    if requests.deny is not None:
        denied[requests.deny.row_of, requests.deny.values] = True
    return replace(
        requests,
        users=tuple(None if hide else user for user, hide in zip(requests.users, hidden, strict=True)),
        history=requests.visible_history if hidden.any() else requests.history,
        repeats=repeats,
        mask_kinds=mask_kinds,
        deny=_rows(denied),
    )


def _rows(mask: Bools) -> Ragged | None:
    """The true columns of each row; None when there are none at all."""
    if not mask.any():
        return None
    indptr = np.zeros(len(mask) + 1, np.int64)
    np.cumsum(mask.sum(1), out=indptr[1:])
    return Ragged(indptr, np.nonzero(mask)[1].astype(np.int32))


def _known(vocabulary: Vocabulary, items: frozenset[str]) -> npt.NDArray[np.int32]:
    codes = vocabulary.encode(sorted(items))
    return codes[codes >= 0]


def _micros(column: pd.Series, unlimited: int) -> Times:
    """Microseconds of a time column; `unlimited` where it holds no time (null, or 0)."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        known = column.notna().to_numpy()
        values = column.to_numpy("datetime64[us]").astype(np.int64)
    else:
        values = column.fillna(0).to_numpy(np.int64).copy()
        known = values != 0
    values[~known] = unlimited
    return values
