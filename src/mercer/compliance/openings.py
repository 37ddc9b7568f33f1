"""Which findings and predictions open a case: failed gates, and the day's most adverse predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.compliance.case_records import NewCase, to_datetime
from mercer.compliance.gates.base import instant
from mercer.compliance.report import GateReport
from mercer.contracts import Finding, Reason

Rows = npt.NDArray[np.int64]

ADVERSE_EFFECTS = ("credit", "significant")


def cases_from_findings(report: GateReport, now: datetime | int) -> list[NewCase]:
    """A case for every gate that failed; the same finding of a later run is the same case.

    subject: the rule. reasons: what was measured, the threshold, the remedy and the offending rows, which
    name people by pseudonym alone.
    """
    return [
        NewCase(
            kind="failed-gate",
            subject=entry.rule.id,
            opened=to_datetime(now),
            rule=entry.rule.id,
            occasion=_digest(entry.finding),
            score=None,
            reasons=(
                {
                    "measured": entry.finding.measured,
                    "threshold": entry.finding.threshold,
                    "remedy": entry.finding.remedy,
                    "target": entry.finding.target,
                },
                *(dict(row) for row in entry.finding.offending),
            ),
        )
        for entry in report.judged
        if entry.finding.status == "FAIL"
    ]


def most_adverse(predictions: pd.DataFrame, capacity: int, adverse: str) -> Rows:
    """Row numbers of the latest cut-off's most adverse predictions, at most `capacity`, worst first.

    predictions: scored rows (unit, as_of, value). adverse: "high" or "low", the end that is a risk. Ties go
    by entity, so that the choice does not depend on the order of rows.
    """
    if not len(predictions) or capacity < 1:
        return np.zeros(0, np.int64)
    as_of = predictions["as_of"].to_numpy(np.int64)
    latest = np.flatnonzero(as_of == as_of.max())
    value = predictions["value"].to_numpy(np.float64)[latest]
    entity = predictions["cluster"].to_numpy(object)[latest].astype(str)
    order = np.lexsort((entity, value if adverse == "low" else -value))
    return latest[order[:capacity]].astype(np.int64)


def cases_from_predictions(
    name: str,
    predictions: pd.DataFrame,
    reasons: Callable[[Rows], Sequence[Sequence[Reason]]] | Sequence[Sequence[Reason]] | None,
    capacity: int,
    now: datetime | int,
    *,
    adverse: Literal["high", "low"] = "low",
    effect: str = "none",
) -> list[NewCase]:
    """A case for each of the day's most adverse predictions, within what people can look at.

    name: the target's. reasons: in the order of the predictions, or a function called once with the row
    numbers chosen, since explaining costs; None: no reasons. capacity: cases a day. adverse: which end is a
    risk. effect: the target's; credit and significant make an adverse decision of what else is an alert.
    """
    rows = most_adverse(predictions, capacity, adverse)
    told: Sequence[Sequence[Reason]] = [()] * len(rows)
    if callable(reasons) and len(rows):
        told = reasons(rows)
    elif reasons is not None and not callable(reasons):
        told = [reasons[row] for row in rows.tolist()]
    return [
        NewCase(
            kind="adverse-decision" if effect in ADVERSE_EFFECTS else "alert",
            subject=str(predictions["cluster"].iloc[row]),
            opened=to_datetime(now),
            rule=name,
            occasion=instant(int(predictions["as_of"].iloc[row])),
            score=float(predictions["value"].iloc[row]),
            reasons=tuple(asdict(reason) for reason in why),
        )
        for row, why in zip(rows.tolist(), told, strict=True)
    ]


def _digest(finding: Finding) -> str:
    content = {"measured": finding.measured, "offending": [dict(row) for row in finding.offending]}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode("utf-8")).hexdigest()
