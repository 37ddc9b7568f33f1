"""Which events may train a model: consent, objection and age, applied row by row."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief
from mercer.data.interactions import micros
from mercer.data.tables import Tables
from mercer.errors import DataError

PURPOSE = "recommendation"
WITHDRAWALS = ("objection", "opt-out")
CHILD_AGE = 13


def training_rows(tables: Tables, brief: Brief) -> npt.NDArray[np.bool_]:
    """Which rows of `events` may train a model, shape (n_events,).

    Consent: where the consents table has any entry for "recommendation", consent is what profiling rests on, and only
    rows count whose user's latest entry at or before the event gave it. A table without such an entry (one of
    objections alone) says that consent was never asked for: then only withdrawals count.
    Withdrawal: no row of a user who objected or opted out, and stands by it, by the end of the decision day.
    Of several entries at the same time the stricter counts, here and in compliance/signals.py.
    Children: no row of a person known to be under 13. Raises DataError when there is no event log.
    """
    events = tables.events()
    if events is None:
        raise DataError("There is no event log.", remedy="Name data.events in the brief.")
    keep = np.ones(len(events), bool)
    consents = tables.consents()
    if consents is not None:
        if (consents["purpose"] == PURPOSE).any():
            keep &= consented(events["user"], micros(events["time"]), consents, PURPOSE)
        keep &= ~events["user"].isin(standing_withdrawals(consents, end_of(brief))).to_numpy()
    users = tables.users()
    if users is not None and users["age"].notna().any():
        children = users.loc[users["age"] < CHILD_AGE, "user"]
        keep &= ~events["user"].isin(children).to_numpy()
    return keep


def end_of(brief: Brief) -> int:
    """The last microsecond of the decision day, UTC."""
    end = datetime.combine(brief.decision.day, time(tzinfo=UTC)) + timedelta(days=1)
    return int(end.timestamp() * 1_000_000) - 1


def consented(
    user: pd.Series[Any], when: npt.NDArray[np.int64], consents: pd.DataFrame, purpose: str
) -> npt.NDArray[np.bool_]:
    """Whether the latest entry of each user for a purpose, at or before `when`, gave consent; shape (n,).

    Of two entries of the same time the refusal counts.
    """
    entries = consents.loc[consents["purpose"] == purpose]
    if entries.empty:
        return np.zeros(len(when), bool)
    entries = entries.assign(at=micros(entries["time"])).sort_values(["at", "given"], ascending=[True, False])
    asked = pd.DataFrame({"user": user.to_numpy(), "at": when, "row": np.arange(len(when))}).sort_values("at")
    latest = pd.merge_asof(asked, entries[["user", "at", "given"]], on="at", by="user")
    given = np.zeros(len(when), bool)
    given[latest["row"].to_numpy()] = latest["given"].fillna(value=False).to_numpy(bool)
    return given


def standing_withdrawals(consents: pd.DataFrame, by: int) -> set[str]:
    """Users whose latest objection or opt-out by a time stands."""
    entries = consents.loc[consents["purpose"].isin(WITHDRAWALS) & (micros(consents["time"]) <= by)]
    latest = entries.sort_values(["time", "given"]).groupby(["user", "purpose"])["given"].last()
    return set(latest[latest].index.get_level_values("user"))
