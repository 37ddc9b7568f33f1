"""The purpose of every column in use, and open-banking columns among the features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mercer.brief import ColumnNote
from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate, plural


def columns_in_use(evidence: Evidence) -> list[tuple[str, str, str]]:
    """(table, canonical name, name in the source) of every column that the brief reads, in order.

    A table whose source maps nothing by name contributes all its columns; the tables of a simulated shop do.
    """
    used = []
    for table, frame in evidence.tables.items():
        source = evidence.brief.data.sources.get(table)
        mapped = source.map if source else {}
        if mapped:
            used += [(table, canonical, column) for canonical, column in mapped.items()]
            continue
        used += [(table, str(column), str(column)) for column in frame.columns]
    return used


def features_in_use(evidence: Evidence) -> list[tuple[str, str]]:
    """(target, feature) of every feature that a released model reads."""
    return [(target, str(column)) for target, frame in evidence.features.items() for column in frame.columns]


def note_of(evidence: Evidence, *names: str) -> ColumnNote:
    """The data dictionary's entry under any of a column's names; an empty entry when there is none."""
    for name in names:
        if name in evidence.brief.columns:
            return evidence.brief.columns[name]
    return ColumnNote()


class Purposes(RuleGate):
    """Every column in use serves a purpose that the decision pursues."""

    name = "purposes"
    stage = "data"

    def measure(self, evidence: Evidence) -> Measured:
        """Join each column's purposes with the brief's; the join may not be empty."""
        pursued = set(evidence.brief.purposes)
        columns = columns_in_use(evidence)
        offending: list[Mapping[str, Any]] = []
        for table, canonical, column in columns:
            note = note_of(evidence, column, f"{table}.{canonical}", canonical)
            purposes = evidence.brief.purposes if note.purposes is None else note.purposes
            if not set(purposes) & pursued:
                offending.append(
                    {
                        "table": table,
                        "column": column,
                        "purposes": ", ".join(purposes) or "none",
                        "pursued": ", ".join(sorted(pursued)) or "none",
                    }
                )
        return Measured(
            examined=len(columns),
            violations=len(offending),
            measured=f"{plural(len(offending), 'column')} of {len(columns)} without a pursued purpose",
            offending=offending,
        )


class OpenBanking(RuleGate):
    """No column that came in for account information or payment initiation is a feature."""

    name = "open-banking"
    stage = "data"

    def measure(self, evidence: Evidence) -> Measured:
        """Look for such columns among the features of every target."""
        reserved = set(self.words("purposes"))
        tagged = {
            name for name, note in evidence.brief.columns.items() if reserved & set(note.purposes or ())
        }
        features = features_in_use(evidence)
        wrong = [(target, feature) for target, feature in features if feature in tagged]
        said = any(note.purposes is not None for note in evidence.brief.columns.values())
        missing = ""
        if not said:
            missing = "No column of the data dictionary says its purposes, so their origin can't be told."
        elif not features:
            missing = "The run has no feature list."
        return Measured(
            examined=len(features),
            violations=len(wrong),
            measured=f"{plural(len(wrong), 'open-banking column')} among {plural(len(features), 'feature')}",
            offending=[{"target": target, "column": feature} for target, feature in wrong],
            missing=missing,
            target=wrong[0][0] if wrong else "",
        )
