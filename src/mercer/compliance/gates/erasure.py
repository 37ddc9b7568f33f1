"""The forgotten, and known children, among the rows of a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate, plural

_PEOPLE = ("user", "payer", "payee")


class Erasure(RuleGate):
    """Nobody on the suppression list is in any table, training row, history or feature."""

    name = "erasure"
    stage = "data"

    def measure(self, evidence: Evidence) -> Measured:
        """Look up every id that the run holds."""
        if evidence.suppression is None:
            return Measured(
                examined=0,
                violations=0,
                measured="none",
                missing="The run has no suppression list to look in.",
            )
        examined, found = 0, []
        for place, ids in _ids(evidence):
            examined += len(ids)
            listed = evidence.suppression.contains(ids)
            found += [(external, place) for external, hit in zip(ids, listed, strict=True) if hit]
        people = len({external for external, _ in found})
        return Measured(
            examined=examined,
            violations=len(found),
            measured=f"{plural(people, 'forgotten person')} found in {plural(len(found), 'place')} "
            f"among {examined} ids",
            offending=[{"user": evidence.pseudonyms.of(u), "found_in": place} for u, place in found[:20]],
        )


def _ids(evidence: Evidence) -> Iterator[tuple[str, list[str]]]:
    """Every place that names people, with the distinct ids there."""
    frames = dict(evidence.tables)
    if evidence.training_events is not None:
        frames["training rows"] = evidence.training_events
    for name, frame in frames.items():
        for column in _PEOPLE:
            if column in frame and len(frame):
                yield f"{name}.{column}", _distinct(frame[column])
    if evidence.interactions is not None:
        yield "histories", list(evidence.interactions.users.ids)
    for target, frame in evidence.features.items():
        yield f"features of {target}", _distinct(frame.index.to_series())
    for target, frame in evidence.predictions.items():
        if "cluster" in frame:
            yield f"scores of {target}", _distinct(frame["cluster"])


def _distinct(column: pd.Series) -> list[str]:
    return [str(external) for external in column.dropna().unique()]


class Children(RuleGate):
    """No row of a person known to be under the threshold's age trained a model."""

    name = "children"
    stage = "train"

    def measure(self, evidence: Evidence) -> Measured:
        """Join the ages of the users table to every training row."""
        events, users = evidence.training_events, evidence.table("users")
        if events is None or events.empty:
            return Measured(examined=0, violations=0, measured="none", missing="No event trained a model.")
        if users is None or "age" not in users or users["age"].isna().all():
            return Measured(
                examined=0,
                violations=0,
                measured="none",
                missing="The data hold no ages: map `age` of users.",
            )
        ages = users.dropna(subset=["age"]).drop_duplicates("user").set_index("user")["age"]
        age = ages.reindex(events["user"]).to_numpy(np.float64, na_value=np.nan)
        least = float(self.rule.threshold)
        young = np.flatnonzero(age < least)
        rows = [
            {
                "user": evidence.pseudonyms.of(events["user"].iloc[row]),
                "event": evidence.pseudonyms.of(events["event"].iloc[row]),
                "why": f"known to be under {least:.0f}",
            }
            for row in young[:20]
        ]
        return Measured(
            examined=int(np.isfinite(age).sum()),
            violations=len(young),
            measured=f"{plural(len(young), 'training row')} of known children under {least:.0f}; "
            f"{int(np.isnan(age).sum())} of {len(events)} rows of unknown age",
            offending=rows,
        )
