"""Violations in features and predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import ColumnNote
from mercer.compliance.evidence import Evidence
from mercer.compliance.faults.answers import deciding
from mercer.errors import UnsupportedError


def _featured(evidence: Evidence) -> tuple[str, pd.DataFrame]:
    """The first target with a feature list. Raises UnsupportedError when there is none."""
    for target, frame in evidence.features.items():
        if len(frame):
            return target, frame
    raise UnsupportedError("This fault needs a target with features.", remedy="Add a behavior target.")


def _with_feature(evidence: Evidence, target: str, frame: pd.DataFrame) -> Evidence:
    return replace(evidence, features={**evidence.features, target: frame})


def _noted(evidence: Evidence, name: str, note: ColumnNote) -> Evidence:
    columns = {**evidence.brief.columns, name: note}
    return replace(evidence, brief=evidence.brief.model_copy(update={"columns": columns}))


def _person_codes(frame: pd.DataFrame, groups: int) -> npt.NDArray[np.int64]:
    """The same made-up group for every row of the same person."""
    return pd.factorize(frame.index, sort=True)[0].astype(np.int64) % groups


def proxy(evidence: Evidence) -> Evidence:
    """A segment that is nothing but religion, with one person in a hundred filed wrongly."""
    target, frame = _featured(evidence)
    group = _person_codes(frame, 2)
    people = pd.DataFrame({"user": frame.index.astype(str), "religion": np.where(group == 0, "a", "b")})
    people = people.drop_duplicates("user")
    users = evidence.table("users")
    known = (
        people
        if users is None
        else users.drop(columns="religion", errors="ignore").merge(people, "left", "user")
    )
    segment = np.where(np.arange(len(group)) % 100 == 99, 1 - group, group)
    planted = _with_feature(evidence, target, frame.assign(segment=segment.astype(np.float64)))
    planted = replace(planted, tables={**planted.tables, "users": known})
    return _noted(planted, "religion", ColumnNote(means="for audits only", protected=True))


def prohibited_basis(evidence: Evidence) -> Evidence:
    """A credit score that reads the applicant's sex."""
    target, planted = deciding(evidence, "credit")
    frame = planted.features.get(target)
    if frame is None:
        raise UnsupportedError("This fault needs a target with features.", remedy="Add a behavior target.")
    return _with_feature(planted, target, frame.assign(sex=_person_codes(frame, 2).astype(np.float64)))


def open_banking_feature(evidence: Evidence) -> Evidence:
    """A balance that came in for account information is a feature."""
    target, frame = _featured(evidence)
    balance = 1_000.0 + 10.0 * _person_codes(frame, 97)
    planted = _with_feature(evidence, target, frame.assign(account_balance=balance))
    if planted.table("payments") is None:
        payment = pd.DataFrame(
            {
                "payment": ["planted-payment"],
                "payer": [str(frame.index[0])],
                "payee": ["planted-shop"],
                "amount_minor": [1_000],
                "currency": ["EUR"],
                "time": [np.datetime64(planted.now, "us")],
            }
        )
        planted = replace(planted, tables={**planted.tables, "payments": payment})
    note = ColumnNote(means="read through open banking", purposes=["account-information"])
    return _noted(planted, "account_balance", note)


def miscalibrated(evidence: Evidence) -> Evidence:
    """Probabilities pushed half way to certainty, away from what then happened."""
    for name, target in evidence.behavior_targets.items():
        rows = evidence.predictions.get(name)
        if target.kind == "probability" and rows is not None and len(rows):
            value = rows["value"].to_numpy(np.float64)
            rare = float(rows["outcome"].mean()) < 0.5
            pushed = 0.5 + 0.5 * value if rare else 0.5 * value
            return replace(evidence, predictions={**evidence.predictions, name: rows.assign(value=pushed)})
    raise UnsupportedError("This fault needs predicted probabilities.", remedy="Add a behavior target.")
