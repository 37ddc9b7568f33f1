"""A columnar batch of requests: everything known when an answer is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mercer.contracts.interactions import Interactions, Times
from mercer.contracts.ragged import Ragged
from mercer.contracts.vocabulary import Vocabulary

Bools = npt.NDArray[np.bool_]

UNKNOWN_AGE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks and under which signals; every array has shape (n,).

    jurisdiction: codes such as "UK", "EU", "US-CA", "" where unknown. age: years, -1 where unknown.
    opt_out: the browser sent an opt-out signal (Sec-GPC). objected: the person objected to profiling.
    not_profiled: the caller asked for an answer without profiling.
    """

    jurisdiction: tuple[str, ...]
    age: npt.NDArray[np.int16]
    opt_out: Bools
    objected: Bools
    not_profiled: Bools

    @classmethod
    def unknown(cls, n: int) -> Context:
        """n requests of which nothing is known and no signal was sent."""
        no = np.zeros(n, bool)
        return cls(
            jurisdiction=("",) * n,
            age=np.full(n, UNKNOWN_AGE, np.int16),
            opt_out=no,
            objected=no,
            not_profiled=no,
        )

    @property
    def unprofiled(self) -> Bools:
        """True where the answer must not depend on the person's history."""
        return self.opt_out | self.objected | self.not_profiled

    def take(self, rows: npt.NDArray[np.int64]) -> Context:
        """The rows named, in that order."""
        return Context(
            jurisdiction=tuple(self.jurisdiction[row] for row in rows),
            age=self.age[rows],
            opt_out=self.opt_out[rows],
            objected=self.objected[rows],
            not_profiled=self.not_profiled[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """n requests. Row i of `history` is what was known of the person at `time[i]`.

    users: external ids, None for a stranger. time: int64 microseconds, shape (n,).
    repeats: False masks items of the history from the answer: those with an event of one of `mask_kinds`. What was
    only looked at may still be answered.
    query: texts for search, else None.
    candidates, allow: only these items may be answered (both: the intersection); None means the catalogue.
    deny: items that may not be answered. pin: items that come first, in the order given, if eligible.
    """

    users: tuple[str | None, ...]
    history: Interactions
    time: Times
    context: Context
    repeats: bool = True
    mask_kinds: tuple[str, ...] = ("purchase",)
    query: tuple[str, ...] | None = None
    candidates: Ragged | None = None
    allow: Ragged | None = None
    deny: Ragged | None = None
    pin: Ragged | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def items(self) -> Vocabulary:
        """The catalogue that codes refer to."""
        return self.history.items

    @property
    def visible_history(self) -> Interactions:
        """The histories that may be used: emptied where the answer must not be profiled.

        Rankers read this and never `history`.
        """
        return self.history.blank(self.context.unprofiled)

    @property
    def masked_history(self) -> Interactions:
        """Events of `mask_kinds`, where the person may be profiled: their items are what `repeats=False` masks."""
        return self.visible_history.only(self.mask_kinds)

    def eligible(self) -> Bools:
        """Which items may be answered, shape (n, I): candidates, allow, deny and masked history applied.

        Code -1 in a rule (an id the catalogue does not know) names no item.
        """
        n_items = len(self.items)
        mask = np.ones((len(self), n_items), bool)
        for only in (self.candidates, self.allow):
            if only is not None:
                listed = np.zeros_like(mask)
                _mark(listed, only, True)
                mask &= listed
        if self.deny is not None:
            _mark(mask, self.deny, False)
        if not self.repeats:
            seen = self.masked_history
            mask[seen.user_of, seen.item] = False
        return mask

    def take(self, rows: npt.NDArray[np.int64] | Sequence[int]) -> Requests:
        """The requests named, in that order."""
        rows = np.asarray(rows, np.int64)
        ragged = {
            name: None if (rules := getattr(self, name)) is None else rules.take(rows)
            for name in ("candidates", "allow", "deny", "pin")
        }
        return replace(
            self,
            users=tuple(self.users[row] for row in rows),
            history=self.history.take(rows),
            time=self.time[rows],
            context=self.context.take(rows),
            query=None if self.query is None else tuple(self.query[row] for row in rows),
            candidates=ragged["candidates"],
            allow=ragged["allow"],
            deny=ragged["deny"],
            pin=ragged["pin"],
        )

    def blocks(self, size: int = 512) -> list[Requests]:
        """The batch cut into pieces of at most `size` requests, in order."""
        return [self.take(np.arange(at, min(at + size, len(self)))) for at in range(0, len(self), size)]


def _mark(mask: Bools, rule: Ragged, value: bool) -> None:
    """Set the cells a rule names; a negative code would otherwise count from the catalogue's end."""
    known = rule.values >= 0
    mask[rule.row_of[known], rule.values[known]] = value
