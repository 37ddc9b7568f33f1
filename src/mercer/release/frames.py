"""A release in pandas: `mercer.load(folder).recommend(histories)`, frames in and out, by the API's path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Source
from mercer.contracts import UNKNOWN_AGE, Context, Rankings, Requests, Snapshots, Vocabulary
from mercer.data import snapshots_of_columns
from mercer.errors import DataError, UsageError, nearest
from mercer.release.candidate import Release
from mercer.release.columns import typed_frame
from mercer.release.filters import unknown_names
from mercer.release.histories import histories as build_histories
from mercer.release.load import load as load_release
from mercer.release.rules import NO_OVERLAY, Overlay
from mercer.search.understanding import Understanding

Instant = datetime | pd.Timestamp | str | int
"""A time: aware, or naive and then UTC, or ISO text, or int microseconds since 1970 in UTC."""

_OPTIONAL = ("event", "kind", "quantity", "amount_minor", "basket", "session", "origin")
_SIGNALS = ("opt_out", "objected", "not_profiled")


def load(place: Path | str) -> FrameRelease:
    """Load the release of a run folder, or a release folder. Raises as `release.load` does."""
    return FrameRelease(load_release(place))


class FrameRelease:
    """A loaded release that takes and returns data frames.

    release: the release itself. overlay: what changed in the catalogue since; none unless set.
    Stability: callers stable.
    """

    def __init__(self, release: Release, overlay: Overlay = NO_OVERLAY) -> None:
        self.release = release
        self.overlay = overlay

    def recommend(
        self,
        histories: pd.DataFrame,
        users: Sequence[str] | None = None,
        *,
        k: int = 10,
        at: Instant | None = None,
        context: pd.DataFrame | None = None,
        target: str | None = None,
    ) -> pd.DataFrame:
        """The k best items of each user: columns user, position (from 1), item, title, score.

        histories: columns user, item, time, and optionally kind, quantity, amount_minor, basket, session,
        event, origin, known_at; what was known only after `at` is not used. users: whom to answer, default
        all in `histories`; one without events is answered as a stranger. at: default the latest time there.
        context: columns user and any of jurisdiction, age, opt_out, objected, not_profiled.
        Raises DataError naming a missing column or a catalogue that does not fit.
        """
        name = self.release.resolve("recommend", target)
        chosen = _users(histories, users)
        when = self._instant(at, histories)
        known = self._histories(histories, chosen, when, unknown="drop")
        requests = Requests(
            users=chosen,
            history=known,
            time=np.full(len(chosen), when, np.int64),
            context=_context(chosen, context),
        )
        rankings = self.release.recommend(name, requests, k, overlay=self.overlay)
        return self._listed("user", chosen, rankings)

    def search(
        self,
        queries: Sequence[str],
        *,
        k: int = 10,
        at: Instant | None = None,
        age: int | None = None,
        target: str | None = None,
        understand: bool = True,
        without: Sequence[str] = (),
    ) -> pd.DataFrame:
        """The k best items for each query: columns query, position (from 1), item, title, score.

        at: default the time the release was made. age: of who searches; unknown hides what is limited. Where the
        search understands queries, understand=False searches for the plain ones, and `without` takes back what is
        understood: `brand`, `price_max`, `attributes.colour`, and so on.
        Raises UsageError for a name in `without` that names no filter, UnsupportedError where it is given to a search
        that does not understand queries.
        """
        name = self.release.resolve("search", target)
        n = len(queries)
        context = Context.unknown(n)
        if age is not None:
            context = replace(context, age=np.full(n, age, np.int16))
        strangers = Vocabulary([str(number) for number in range(n)])
        requests = Requests(
            users=(None,) * n,
            history=build_histories(
                {"item": (), "time": ()}, row=(), users=strangers.ids, items=self.release.vocabulary
            ),
            time=np.full(n, self._instant(at, None), np.int64),
            context=context,
            query=tuple(queries),
        )
        understood = self._understood(name, queries, understand=understand, without=without)
        rankings = self.release.search(name, requests, k, overlay=self.overlay, understood=understood)
        return self._listed("query", tuple(queries), rankings)

    def understand(self, queries: Sequence[str], *, target: str | None = None) -> pd.DataFrame:
        """What the search understands of each query: a row each, with `query` as it was given.

        searched: the words that are searched for. intent: product, gift or service. category, brand: "" for any.
        price_min, price_max: minor units, and age: years, NA for any. attributes: a dict.
        Raises UnsupportedError where the search does not understand queries.
        """
        found = self.release.understand(self.release.resolve("search", target), queries)
        held = [one.filters for one in found]
        return pd.DataFrame(
            {
                "query": list(queries),
                "searched": [one.query for one in found],
                "intent": [one.intent for one in found],
                "category": [one.category for one in held],
                "brand": [one.brand for one in held],
                "price_min": pd.array([one.price_min for one in held], "Int64"),
                "price_max": pd.array([one.price_max for one in held], "Int64"),
                "age": pd.array([one.age for one in held], "Int64"),
                "attributes": [dict(one.attributes) for one in held],
            }
        )

    def _understood(
        self, target: str, queries: Sequence[str], *, understand: bool, without: Sequence[str]
    ) -> tuple[Understanding, ...] | None:
        """What to rank by where it is not what the search understands by itself."""
        if without:
            if not understand:
                raise UsageError(
                    "Nothing is understood that could be taken back.", remedy="Leave `without` out."
                )
            unknown = unknown_names(without, self.release.reader(target).values)
            if unknown:
                raise UsageError(
                    f"`without` holds what names no filter: place {unknown[0].place}.",
                    remedy=unknown[0].remedy,
                )
            return tuple(one.without(*without) for one in self.release.understand(target, queries))
        if not understand and self.release.understands(target):
            return tuple(Understanding(query=query) for query in queries)
        return None

    def predict(
        self,
        histories: pd.DataFrame,
        as_of: Instant | None = None,
        *,
        entities: Sequence[str] | None = None,
        reasons: int = 0,
        target: str | None = None,
    ) -> pd.DataFrame:
        """A prediction for each entity as of a time: columns entity, value, low, high (95% interval).

        value: a probability, or an amount in minor units. histories: as for `recommend`; users are entities.
        For a target from flat examples: one row an example, with the columns that the model reads (see
        `release.columns`) in the source's spelling; others are not read, there is no `as_of`, and entities are the
        frame's index unless given. reasons: when over 0, a column `reasons` with that many `contracts.Reason`,
        strongest first. Raises DataError naming a missing column or a value that is not of its type, UsageError where
        a history is given without `as_of`.
        """
        name = self.release.resolve("behavior", target)
        if name in self.release.columns:
            return self._predicted(name, self._flat(name, histories, entities), reasons)
        if as_of is None:
            raise UsageError("A prediction from histories needs a time.", remedy="Give `as_of`.")
        chosen = _users(histories, entities)
        when = self._instant(as_of, histories)
        snapshots = Snapshots(
            entities=chosen,
            as_of=np.full(len(chosen), when, np.int64),
            history=self._histories(histories, chosen, when, unknown="extend"),
        )
        return self._predicted(name, snapshots, reasons)

    def _flat(self, target: str, frame: pd.DataFrame, entities: Sequence[str] | None) -> Snapshots:
        units = tuple(str(unit) for unit in (frame.index if entities is None else entities))
        if len(units) != len(frame):
            raise DataError(f"{len(units)} entities for {len(frame)} rows.", remedy="Name each row.")
        source = self.release.brief.data.examples or Source(source="")
        typed = typed_frame(
            frame, self.release.columns[target], decimal=source.decimal, thousands=source.thousands
        )
        return snapshots_of_columns(units, typed)

    def _predicted(self, name: str, snapshots: Snapshots, reasons: int) -> pd.DataFrame:
        made = self.release.predict(name, snapshots)
        columns: dict[str, Any] = {
            "entity": snapshots.entities,
            "value": made.value,
            "low": made.low,
            "high": made.high,
        }
        if reasons > 0:
            columns["reasons"] = self.release.explain(name, snapshots, reasons)
        return pd.DataFrame(columns)

    def _instant(self, given: Instant | None, events: pd.DataFrame | None) -> int:
        if given is not None:
            return int(_micros(pd.Series([given]), "at")[0])
        if events is not None and len(events):
            return int(_micros(events["time"], "time").max())
        return int(_micros(pd.Series([self.release.manifest.created]), "created")[0])

    def _histories(self, events: pd.DataFrame, users: tuple[str, ...], when: int, *, unknown: Any) -> Any:
        row = Vocabulary(users).encode(events["user"].astype(str).tolist())
        time = _micros(events["time"], "time")
        known_at = _micros(events["known_at"], "known_at") if "known_at" in events.columns else time
        keep = (row >= 0) & (known_at <= when)
        columns: dict[str, list[Any]] = {
            "item": events["item"].astype(str)[keep].tolist(),
            "time": time[keep].tolist(),
            "known_at": known_at[keep].tolist(),
        }
        for name in _OPTIONAL:
            if name in events.columns:
                columns[name] = [None if pd.isna(value) else value for value in events[name][keep]]
        made = build_histories(
            columns, row=row[keep].tolist(), users=users, items=self.release.vocabulary, unknown=unknown
        )
        if keep.any() and not made.n_events:
            raise DataError(
                "None of the items in these histories is in the release's catalogue.",
                remedy="Check the column `item`, or load the release of this shop.",
            )
        return made

    def _listed(self, key: str, of: tuple[str, ...], rankings: Rankings) -> pd.DataFrame:
        row, place = np.nonzero(rankings.items >= 0)
        codes = rankings.items[row, place]
        items = self.release.items["item"].astype(str).to_numpy()[codes]
        titles = self.release.items["title"].astype(str).to_numpy()[codes]
        return pd.DataFrame(
            {
                key: np.asarray(of, object)[row],
                "position": place + 1,
                "item": items,
                "title": [self.overlay.title.get(i, t) for i, t in zip(items, titles, strict=True)],
                "score": rankings.scores[row, place],
            }
        )


def _users(events: pd.DataFrame, users: Sequence[str] | None) -> tuple[str, ...]:
    for column in ("user", "item", "time"):
        if column not in events.columns:
            raise DataError(
                f"The histories have no column {column!r}.", remedy=nearest(column, events.columns)
            )
    chosen = events["user"].astype(str).unique().tolist() if users is None else [str(user) for user in users]
    return tuple(dict.fromkeys(chosen))


def _micros(column: pd.Series, name: str) -> npt.NDArray[np.int64]:
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.to_numpy(np.int64)
    try:
        times = pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as fault:
        raise DataError(
            f"Column {name!r} holds what is no time.", remedy="Give datetimes, ISO text or int microseconds."
        ) from fault
    if times.isna().any():
        raise DataError(
            f"Column {name!r} lacks a time in row {int(times.isna().to_numpy().argmax())}.",
            remedy="Leave such rows out.",
        )
    return times.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)


def _context(users: tuple[str, ...], given: pd.DataFrame | None) -> Context:
    if given is None:
        return Context.unknown(len(users))
    if "user" not in given.columns:
        raise DataError("The context has no column 'user'.", remedy=nearest("user", given.columns))
    rows = given.drop_duplicates("user", keep="last").set_index("user").reindex(list(users))
    no = pd.Series(False, index=rows.index)
    signals = {name: rows.get(name, no).eq(True).to_numpy(bool) for name in _SIGNALS}
    age = rows["age"].fillna(UNKNOWN_AGE) if "age" in rows else pd.Series(UNKNOWN_AGE, index=rows.index)
    places = rows["jurisdiction"].fillna("") if "jurisdiction" in rows else pd.Series("", index=rows.index)
    return Context(jurisdiction=tuple(places.astype(str)), age=age.to_numpy().astype(np.int16), **signals)
