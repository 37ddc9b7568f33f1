"""From a call to what a model reads: one row of `contracts.Requests` or `contracts.Snapshots`.

With an explicit history nothing of the log is looked up, so an answer can be repeated offline to the bit. The
signals of a named person hold all the same: an objection is not a matter of how one asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.contracts import (
    UNKNOWN_AGE,
    ColumnType,
    Context,
    FlatColumn,
    Interactions,
    Ragged,
    Requests,
    Snapshots,
)
from mercer.data import snapshots_of_columns
from mercer.errors import nearest
from mercer.release import Release, histories, typed_frame
from mercer.serving.calls import ContextIn, PastEvent, PredictCall, RecommendCall, SearchCall
from mercer.serving.problems import FieldProblem, ProblemError, unknown_item
from mercer.serving.state import OnlineState, Person
from mercer.serving.state.person import CHILD_AGE
from mercer.serving.wire import Cell, micros

Columns = dict[str, list[Any]]
NOBODY = "stranger"
"""The name of the one row of a history whose owner is not named; it is not logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, with all that is known: the call's context and the state's record of the person together."""

    user: str | None
    person: Person
    context: Context

    @property
    def is_hidden(self) -> bool:
        """Whether the answer must not depend on the history."""
        return bool(self.context.unprofiled[0])


def asker(state: OnlineState, user: str | None, given: ContextIn, *, opted_out: bool, at: int) -> Asker:
    """Put together who asks at `at` (microseconds). opted_out: the browser sent an opt-out signal.

    Where call and record name an age, the lower one holds; nobody known to be a child is profiled.
    """
    person = state.people.person(user) if user is not None else Person()
    ages = [age for age in (given.age, person.age) if age is not None]
    context = Context(
        jurisdiction=(given.jurisdiction or person.jurisdiction,),
        age=np.array([min(ages) if ages else UNKNOWN_AGE], np.int16),
        opt_out=np.array([opted_out or "opt-out" in given.signals]),
        objected=np.array(["objection" in given.signals or person.objects(at)]),
        not_profiled=np.array(
            [
                "not-profiled" in given.signals
                or not person.may_be_profiled(at)
                or min(ages, default=99) < CHILD_AGE
            ]
        ),
    )
    return Asker(user=user, person=person, context=context)


class Asking:
    """Makes requests and snapshots for a release from calls, the state and the catalogue."""

    def __init__(self, release: Release, state: OnlineState) -> None:
        self._release = release
        self._state = state

    def requests(self, call: RecommendCall | SearchCall, who: Asker, at: int) -> Requests:
        """One row. Raises a Problem that names an item which the catalogue does not hold."""
        rules = call.rules
        return Requests(
            users=(who.user,),
            history=self._interactions(call.history, who, at, extend=False),
            time=np.array([at], np.int64),
            context=who.context,
            query=(call.query,) if isinstance(call, SearchCall) else None,
            allow=None if rules.allow is None else self._codes(rules.allow),
            deny=self._codes(rules.deny) if rules.deny else None,
            pin=self._codes(rules.pin) if rules.pin else None,
        )

    def snapshots(self, call: PredictCall, who: Asker, as_of: int) -> Snapshots:
        """One row. Raises a Problem that names an item which the catalogue does not hold."""
        history = self._interactions(call.history, who, as_of, extend=True)
        return Snapshots(entities=(who.user or NOBODY,), as_of=np.array([as_of], np.int64), history=history)

    def flat(self, call: PredictCall, target: str, who: Asker) -> Snapshots:
        """One row of flat columns. Raises a Problem that names every column missing, unknown or of another type."""
        columns = self._release.columns[target]
        if call.history is not None:
            raise ProblemError(
                422,
                "invalid-request",
                f"Target {target!r} reads no history.",
                remedy="Give `columns` instead.",
            )
        given, names = call.columns or {}, [column.name for column in columns]
        wrong = [
            *_wrong(columns, given),
            *(
                FieldProblem(
                    field=f"columns.{name}", message=f"This column is not read. {nearest(name, names)}"
                )
                for name in given
                if name not in names
            ),
        ]
        if wrong:
            raise ProblemError(
                422,
                "invalid-columns",
                f"{len(wrong)} column{'s are' if len(wrong) > 1 else ' is'} not right.",
                remedy="See `fields`; GET /v1/release tells the columns of each target.",
                fields=wrong,
            )
        frame = typed_frame(
            pd.DataFrame({name: [value] for name, value in given.items()}, dtype=object), columns
        )
        return snapshots_of_columns((who.user or NOBODY,), frame)

    def _interactions(
        self, given: Sequence[PastEvent] | None, who: Asker, at: int, *, extend: bool
    ) -> Interactions:
        columns = self._kept(who, at) if given is None else self._given(given, at)
        return histories(
            columns,
            row=[0] * len(columns["item"]),
            users=[who.user or NOBODY],
            items=self._release.vocabulary,
            unknown="extend" if extend else "drop",
        )

    def _kept(self, who: Asker, at: int) -> Columns:
        if who.user is None:
            return {"item": [], "time": []}
        columns = self._state.events.history(who.user, at)
        usable = who.person.may_use(columns["time"])
        if all(usable):
            return columns
        return {
            name: [value for value, keep in zip(values, usable, strict=True) if keep]
            for name, values in columns.items()
        }

    def _given(self, given: Sequence[PastEvent], at: int) -> Columns:
        self._require(event.item for event in given)
        known = [micros(event.known_at or event.time) for event in given]
        used = [(event, when) for event, when in zip(given, known, strict=True) if when <= at]
        columns: Columns = {
            name: [getattr(event, name) for event, _ in used]
            for name in ("item", "kind", "quantity", "amount_minor", "basket", "session", "event", "origin")
        }
        columns["time"] = [micros(event.time) for event, _ in used]
        columns["known_at"] = [when for _, when in used]
        if any(event.origin_time is not None for event, _ in used):
            columns["origin_time"] = [
                None if event.origin_time is None else micros(event.origin_time) for event, _ in used
            ]
        return columns

    def _codes(self, items: Sequence[str]) -> Ragged:
        """Codes of one row; an item that only the overlay knows can't be answered and is left out."""
        self._require(items)
        codes = self._release.vocabulary.encode(items)
        return Ragged.from_rows([codes[codes >= 0]])

    def _require(self, items: Iterable[str]) -> None:
        for item in items:
            if not self.is_known(item):
                raise unknown_item(item)

    def is_known(self, item: str) -> bool:
        """Whether the release or the overlay holds the item."""
        return self._release.vocabulary.code(item) >= 0 or self._state.catalogue.has(item)


def _wrong(columns: Sequence[FlatColumn], given: Mapping[str, Cell]) -> Iterator[FieldProblem]:
    """What is not right about the columns that a model reads."""
    for column in columns:
        field = f"columns.{column.name}"
        if column.name not in given:
            yield FieldProblem(
                field=field, message="This column is missing; send null where it is not known."
            )
            continue
        value = given[column.name]
        if value is not None and not _is(value, column.type):
            yield FieldProblem(field=field, message=f"A {column.type} is expected, or null.")


def _is(value: Cell, kind: ColumnType) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if kind == "boolean" else str)
