"""Which judges may grade: people, and models whose agreement with people was measured and is enough.

Judgments carry their judge in the column `judge`. A model's name there begins with `model:`; its grades are refused
until an accepted agreement is shown. The bar is on the lower end of the interval, so that a lucky small sample does
not pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mercer.errors import UnsupportedError
from mercer.evaluation.agreement import Agreement

MODEL = "model:"
"""How the name of a judge begins that is a model."""

LEAST_KAPPA = 0.40
"""Below this agreement is called fair at most: Landis and Koch, Biometrics 1977."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedJudge:
    """A judge whose agreement passed `accept_judge`, and the bar that it passed."""

    agreement: Agreement
    least: float

    @property
    def judge(self) -> str:
        """Its name in the column `judge`."""
        return self.agreement.judge

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"least": self.least, "agreement": self.agreement.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> AcceptedJudge:
        """What `to_json` wrote, held against its bar again. Raises UnsupportedError where it does not pass."""
        return accept_judge(Agreement.from_json(content["agreement"]), least=float(content["least"]))


def accept_judge(agreement: Agreement, *, least: float = LEAST_KAPPA) -> AcceptedJudge:
    """Accept a judge. least: what the lower end of the 95 % interval of kappa must reach.

    Raises UnsupportedError, with the figures, for a judge below it or without an interval.
    """
    if agreement.low is None or agreement.high is None:
        raise UnsupportedError(
            f"The judge {agreement.judge!r} was compared with people on {agreement.n_queries} queries: too few for an "
            "interval.",
            remedy="Compare more queries before its grades are used.",
        )
    if not agreement.low >= least:
        raise UnsupportedError(
            f"The judge {agreement.judge!r} does not agree with people: kappa {agreement.kappa:.2f} "
            f"[{agreement.low:.2f}, {agreement.high:.2f}] over {agreement.n} pairs of {agreement.n_queries} queries; "
            f"the lower end must reach {least:.2f}.",
            remedy="Use people's grades, or a judge that agrees better.",
        )
    return AcceptedJudge(agreement=agreement, least=least)


def only_accepted(judgments: pd.DataFrame, accepted: Iterable[AcceptedJudge] = ()) -> pd.DataFrame:
    """The judgments as they are, where every model among their judges is accepted.

    judgments: the canonical table; a null judge, or none of the column, is people. Raises UnsupportedError naming the
    judges that are not accepted and how many grades are theirs.
    """
    if "judge" not in judgments:
        return judgments
    judges = judgments["judge"].fillna("").astype(str)
    foreign = judges[judges.str.startswith(MODEL) & ~judges.isin({one.judge for one in accepted})]
    if len(foreign):
        counts = ", ".join(f"{name!r} ({count})" for name, count in sorted(foreign.value_counts().items()))
        raise UnsupportedError(
            f"{len(foreign)} of {len(judgments)} grades are by models without an accepted agreement with people: "
            f"{counts}.",
            remedy="Measure the agreement, accept the judge, or leave its grades out.",
        )
    return judgments
