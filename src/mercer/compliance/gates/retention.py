"""People whose data were last used too long ago, as of the decision day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.compliance.evidence import Evidence, micros
from mercer.compliance.gates.base import Measured, RuleGate, instant, plural

DAY = 86_400_000_000
_USES = (("events", "user", "time"), ("requests", "user", "time"), ("payments", "payer", "time"))


class LastUse(RuleGate):
    """Nobody's data are held more than the threshold's days after they last served the person."""

    name = "last-use"
    stage = "data"

    def measure(self, evidence: Evidence) -> Measured:
        """The last event, request or payment of each person."""
        last = last_use(evidence)
        days = float(self.rule.threshold)
        if last.empty:
            return Measured(
                examined=0, violations=0, measured="none", missing="The data hold nobody with a dated row."
            )
        age = (evidence.now - last.to_numpy(np.int64)) / DAY
        old = np.flatnonzero(age > days)
        rows = [
            {
                "user": evidence.pseudonyms.of(last.index[row]),
                "last_use": instant(int(last.iloc[row])),
                "age_days": int(age[row]),
            }
            for row in old[np.argsort(-age[old], kind="stable")][:20]
        ]
        return Measured(
            examined=len(last),
            violations=len(old),
            measured=f"{plural(len(old), 'person')} of {len(last)} last used over {days:.0f} days ago "
            f"(oldest {age.max():.0f} days)",
            offending=rows,
        )


def last_use(evidence: Evidence) -> pd.Series:
    """Time of the last use per person, int64 microseconds, index the id, sorted by id."""
    parts = []
    for name, who, when in _USES:
        table = evidence.table(name)
        if table is not None:
            parts.append(pd.DataFrame({"user": table[who], "time": micros(table[when])}).dropna())
    if not parts:
        return pd.Series(dtype=np.int64)
    latest: pd.Series = pd.concat(parts).groupby("user", sort=True)["time"].max()
    return latest
