"""People: who was forgotten, who is missing, whose age can't be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Sheet

_PEOPLE = ("user", "payer", "unit")
OLDEST = 120


def _suppressed(sheet: Sheet, facts: Facts) -> int:
    count = 0
    for column in _PEOPLE:
        if facts.suppressed is not None and column in sheet.frame.columns:
            codes, ids = pd.factorize(sheet.frame[column])
            hits = np.append(facts.suppressed.contains([str(one) for one in ids]), False)
            count += sheet.quarantine(hits[codes], "suppressed", "belongs to a person who was forgotten")
    return count


def _missing(sheet: Sheet, _facts: Facts) -> int:
    return sheet.quarantine(sheet.frame["user"].isna().to_numpy(), "missing-user", "no user")


def _ages(sheet: Sheet, _facts: Facts) -> int:
    if "age" not in sheet.frame.columns:
        return 0
    age = sheet.frame["age"]
    bad = ((age < 0) | (age > OLDEST)).fillna(value=False).to_numpy(bool) | sheet.bad_type("age")
    if bad.any():
        sheet.frame = sheet.frame.assign(age=age.mask(bad))
        sheet.unreadable.pop("age", None)
    return int(bad.sum())


SUPPRESSED = Rule(
    "suppressed",
    "A row of a person who was forgotten is not taken in again.",
    "quarantine",
    _suppressed,
    fixed=True,
)
MISSING_USER = Rule(
    "missing-user",
    "A row without a user belongs to nobody's history.",
    "quarantine",
    _missing,
    fixed=True,
)
AGES = Rule("age-out-of-range", f"An age under 0 or over {OLDEST} is unknown.", "fill", _ages)
