"""The event log in memory: integer codes in compressed ragged rows, one row a user.

Rows are ordered by (time, order of arrival) within a user. Times are int64 microseconds since the Unix
epoch in UTC; a log that has only an order and no clock uses positions and says so (`has_clock=False`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.contracts.ragged import Offsets, Ragged, gather
from mercer.contracts.vocabulary import Vocabulary
from mercer.errors import DamagedError

Times = npt.NDArray[np.int64]

NEVER = np.iinfo(np.int64).min
"""Sentinel of `origin_time` for a return whose purchase is not in the log."""

_ROW_ARRAYS = (
    "item",
    "time",
    "known_at",
    "kind",
    "quantity",
    "amount_minor",
    "basket",
    "session",
    "origin_time",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """U users and N events. Every array but `indptr` has shape (N,).

    time: when it happened; known_at: when the shop could know it (cuts are on this one).
    kind: index into `kinds` ("view", "cart", "purchase", "return", ...).
    amount_minor: signed integer minor units, 0 where unknown (a return is negative).
    basket, session: integer group numbers, -1 where unknown; unique across users.
    origin_time: for a return, the time of the purchase that it undoes (NEVER if not found); else `time`.
    extras: named typed columns of shape (N,), such as merchant or channel.
    """

    users: Vocabulary
    items: Vocabulary
    kinds: tuple[str, ...]
    indptr: Offsets
    item: npt.NDArray[np.int32]
    time: Times
    known_at: Times
    kind: npt.NDArray[np.int8]
    quantity: npt.NDArray[np.float32]
    amount_minor: npt.NDArray[np.int64]
    basket: npt.NDArray[np.int64]
    session: npt.NDArray[np.int64]
    origin_time: Times
    extras: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    has_clock: bool = True

    @property
    def n_users(self) -> int:
        """Number of rows (users, or snapshots of users)."""
        return len(self.indptr) - 1

    @property
    def n_events(self) -> int:
        """Number of events of all users."""
        return len(self.item)

    @property
    def lengths(self) -> Offsets:
        """Events per user, shape (U,)."""
        return np.diff(self.indptr)

    @property
    def user_of(self) -> Offsets:
        """Row (user) number of each event, shape (N,)."""
        return np.repeat(np.arange(self.n_users, dtype=np.int64), self.lengths)

    @property
    def item_rows(self) -> Ragged:
        """The item codes alone, a row a user."""
        return Ragged(self.indptr, self.item)

    def kind_codes(self, names: Collection[str]) -> npt.NDArray[np.int8]:
        """Codes of the kinds named; names that the log does not hold are left out."""
        return np.array([code for code, name in enumerate(self.kinds) if name in names], np.int8)

    def where(self, keep: npt.NDArray[np.bool_]) -> Interactions:
        """The events where `keep`, shape (N,), is true; users stay, if with fewer events or none."""
        running = np.zeros(self.n_events + 1, np.int64)
        np.cumsum(keep, out=running[1:])
        return self._pick(running[self.indptr], np.flatnonzero(keep), self.users)

    def as_of(self, cut: int | Times) -> Interactions:
        """What was known at `cut` (known_at <= cut). One cut for all, or one a user, shape (U,)."""
        limit = np.asarray(cut, np.int64)
        return self.where(self.known_at <= (limit if limit.ndim == 0 else np.repeat(limit, self.lengths)))

    def only(self, kinds: Collection[str]) -> Interactions:
        """Events of the kinds named."""
        return self.where(np.isin(self.kind, self.kind_codes(kinds)))

    def take(self, rows: npt.NDArray[np.int64]) -> Interactions:
        """The user rows named, in that order. Raises IndexError for a row outside 0..U-1.

        A row may be named several times (one user as of several times); `users` then holds numbered ids.
        """
        rows = np.asarray(rows, np.int64)
        if len(rows) and (rows.min() < 0 or rows.max() >= self.n_users):
            raise IndexError(f"row outside 0..{self.n_users - 1}")
        indptr, index = gather(self.indptr, rows)
        ids = [self.users.ids[row] for row in rows]
        if len(set(ids)) != len(ids):
            ids = [f"{number}:{external}" for number, external in enumerate(ids)]
        return self._pick(indptr, index, Vocabulary(ids))

    def blank(self, rows: npt.NDArray[np.bool_]) -> Interactions:
        """The same users with the histories of `rows`, shape (U,), emptied."""
        if not rows.any():
            return self
        return self.where(~np.repeat(rows, self.lengths))

    def _pick(self, indptr: Offsets, index: npt.NDArray[np.int64], users: Vocabulary) -> Interactions:
        picked = {name: getattr(self, name)[index] for name in _ROW_ARRAYS}
        extras = {name: column[index] for name, column in self.extras.items()}
        return replace(self, users=users, indptr=indptr, extras=extras, **picked)

    @classmethod
    def empty(
        cls, users: Vocabulary, items: Vocabulary, kinds: tuple[str, ...] = ("purchase",)
    ) -> Interactions:
        """Users without any event."""
        types = {"item": np.int32, "kind": np.int8, "quantity": np.float32}
        zeros: dict[str, Any] = {name: np.zeros(0, types.get(name, np.int64)) for name in _ROW_ARRAYS}
        return cls(users=users, items=items, kinds=kinds, indptr=np.zeros(len(users) + 1, np.int64), **zeros)

    def save(self, folder: Path) -> None:
        """Write plain .npy files (no pickle), the vocabularies and a small JSON header."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("indptr", *_ROW_ARRAYS):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        for name, column in self.extras.items():
            np.save(folder / f"extra.{name}.npy", column, allow_pickle=False)
        self.users.save(folder / "users.parquet")
        self.items.save(folder / "items.parquet")
        header = {"kinds": self.kinds, "extras": list(self.extras), "has_clock": self.has_clock}
        (folder / "interactions.json").write_text(json.dumps(header), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Interactions:
        """Memory-map what `save` wrote. Raises DamagedError when a file is missing or damaged."""
        try:
            header = json.loads((folder / "interactions.json").read_text("utf-8"))
            arrays = {
                n: np.load(folder / f"{n}.npy", "r", allow_pickle=False) for n in ("indptr", *_ROW_ARRAYS)
            }
            extras = {
                n: np.load(folder / f"extra.{n}.npy", "r", allow_pickle=False) for n in header["extras"]
            }
            whole = len({len(arrays[n]) for n in _ROW_ARRAYS} | {int(arrays["indptr"][-1])}) == 1
        except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as fault:
            raise _damaged(folder) from fault
        if not whole:
            raise _damaged(folder)
        return cls(
            users=Vocabulary.load(folder / "users.parquet"),
            items=Vocabulary.load(folder / "items.parquet"),
            kinds=tuple(header["kinds"]),
            has_clock=header["has_clock"],
            extras=extras,
            **arrays,
        )


def _damaged(folder: Path) -> DamagedError:
    return DamagedError(
        f"{folder.name} does not hold whole interactions.", remedy="Run mercer again to rebuild them."
    )


def same_interactions(a: Interactions, b: Interactions) -> bool:
    """True when both hold the same users, items and events."""
    for spec in fields(Interactions):
        left, right = getattr(a, spec.name), getattr(b, spec.name)
        if spec.name == "extras":
            if left.keys() != right.keys() or not all(np.array_equal(left[k], right[k]) for k in left):
                return False
        elif isinstance(left, np.ndarray):
            if not np.array_equal(left, right):
                return False
        elif left != right:
            return False
    return True
