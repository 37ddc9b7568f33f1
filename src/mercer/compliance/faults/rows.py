"""Violations in data rows, people and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import ColumnNote
from mercer.compliance.card_numbers import made_up_number
from mercer.compliance.evidence import Evidence, Suppressed
from mercer.compliance.faults.answers import ignoring
from mercer.compliance.gates.purposes import columns_in_use
from mercer.compliance.signals import CONSENT, OBJECTION
from mercer.errors import UnsupportedError

DAY = 86_400_000_000


def with_table(evidence: Evidence, name: str, frame: pd.DataFrame) -> Evidence:
    """The evidence with one table replaced."""
    return replace(evidence, tables={**evidence.tables, name: frame})


def _trained(evidence: Evidence, most: int = 3) -> pd.DataFrame:
    """The last training row of a few people. Raises UnsupportedError when no event trained a model."""
    events = evidence.training_events
    if events is None or events.empty:
        raise UnsupportedError("This fault needs events that trained a model.", remedy="Give `data.events`.")
    return events.sort_values(["time", "event"]).groupby("user", sort=True).tail(1).head(most)


def _entries(users: Sequence[str], purpose: str, given: bool, time: object) -> pd.DataFrame:
    times = pd.Series(time).to_numpy("datetime64[us]") if np.ndim(time) else time  # type: ignore[arg-type]
    return pd.DataFrame({"user": list(users), "purpose": purpose, "given": given, "time": times})


def withdrawn_consent(evidence: Evidence) -> Evidence:
    """A withdrawal at the very instant of a training row: consent no longer holds for it."""
    chosen = _trained(evidence)
    consents = evidence.table("consents")
    if consents is None:
        everyone = [str(user) for user in pd.unique(evidence.training_events["user"])]  # type: ignore[index]
        consents = _entries(everyone, CONSENT, True, np.datetime64(0, "us"))
    withdrawn = _entries(chosen["user"].tolist(), CONSENT, False, chosen["time"])
    return with_table(evidence, "consents", pd.concat([consents, withdrawn], ignore_index=True))


def objectors_trained(evidence: Evidence) -> Evidence:
    """People whose rows trained a model objected the day before, and the release ignores it."""
    chosen = _trained(evidence)
    when = np.datetime64(evidence.now - DAY, "us")
    objections = _entries(chosen["user"].tolist(), OBJECTION, True, when)
    consents = evidence.table("consents")
    known = objections if consents is None else pd.concat([consents, objections], ignore_index=True)
    planted = with_table(evidence, "consents", known)
    return ignoring("objected")(planted) if planted.candidate is not None else planted


def foreign_purpose(evidence: Evidence) -> Evidence:
    """A column in use turns out to be collected for something else."""
    columns = columns_in_use(evidence)
    if not columns:
        raise UnsupportedError("This fault needs a table.", remedy="Give a source under `data`.")
    column = columns[-1][2]
    note = ColumnNote(means="collected for another contract", purposes=["insurance"])
    notes = {**evidence.brief.columns, column: note}
    return replace(evidence, brief=evidence.brief.model_copy(update={"columns": notes}))


@dataclass(frozen=True, slots=True)
class _AlsoForgotten:
    """A suppression list that holds more people than the data step knew of."""

    inner: Suppressed | None
    more: frozenset[str]

    def contains(self, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which of `ids` are on the list."""
        listed = np.fromiter((external in self.more for external in ids), bool, len(ids))
        return listed if self.inner is None else np.logical_or(listed, self.inner.contains(ids))


def forgotten_person(evidence: Evidence) -> Evidence:
    """A person of the training rows is on the suppression list."""
    forgotten = frozenset(_trained(evidence, 1)["user"].astype(str))
    return replace(evidence, suppression=_AlsoForgotten(evidence.suppression, forgotten))


def known_children(evidence: Evidence) -> Evidence:
    """People of the training rows are known to be nine."""
    chosen = _trained(evidence)["user"].tolist()
    users = evidence.table("users")
    children = pd.DataFrame({"user": chosen, "age": 9})
    if users is None:
        return with_table(evidence, "users", children.assign(jurisdiction="US"))
    others = users[~users["user"].isin(chosen)]
    changed = users[users["user"].isin(chosen)].assign(age=9)
    missing = children[~children["user"].isin(changed["user"])]
    return with_table(evidence, "users", pd.concat([others, changed, missing], ignore_index=True))


def stale_customers(evidence: Evidence) -> Evidence:
    """Two customers whose last event lies 1,000 days back."""
    events = evidence.table("events")
    if events is None:
        raise UnsupportedError("This fault needs events.", remedy="Give `data.events`.")
    when = np.datetime64(evidence.now - 1000 * DAY, "us")
    old = events.head(2).copy()
    old["user"] = [f"planted-old-customer-{number}" for number in range(len(old))]
    old["event"] = [f"planted-old-event-{number}" for number in range(len(old))]
    for column in ("time", "known_at"):
        if column in old:
            old[column] = when
    return with_table(evidence, "events", pd.concat([events, old], ignore_index=True))


def card_in_title(evidence: Evidence) -> Evidence:
    """A made-up card number in the first item's title."""
    items = evidence.table("items")
    if items is None:
        raise UnsupportedError("This fault needs items.", remedy="Give `data.items`.")
    number = made_up_number("4", 16)
    spoilt = items.copy()
    titles = spoilt["title"].astype(object).tolist()
    titles[0] = f"{titles[0]} paid with {number[:4]} {number[4:8]} {number[8:12]} {number[12:]}"
    spoilt["title"] = titles
    return with_table(evidence, "items", spoilt)
