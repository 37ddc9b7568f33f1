"""What the decision is worth, in money, or why no money is claimed.

Money comes from predicted spend with the brief's margin and contact cost, from logged propensities or from
experiments; never from a ranking metric. A run without the last two claims no causal gain, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.brief import BehaviorTarget, Value
from mercer.evaluation import Scored
from mercer.reporting.run_files import RunFiles

_REPLICATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Spend that the spend model foresees for the customers of the test, and what a contact must earn.

    Amounts are minor units. predicted: total with its 95% interval (bootstrap by customer). actual: what they
    spent. margin: the brief's margin on the predicted total. contact_all: cost of contacting each once.
    break_even: extra spend a contact must bring. worth_contacting: customers whose predicted spend is at
    least that.
    """

    target: str
    model: str
    horizon_days: int
    customers: int
    currency: str
    predicted: float
    low: float
    high: float
    actual: float
    margin: float
    contact_all: float
    break_even: float
    worth_contacting: int
    evidence: tuple[str, ...]


def worth_of(files: RunFiles) -> Worth | str:
    """The money, or the sentence that says why none is claimed."""
    value = files.brief.value
    if value is None:
        return "No money is claimed: the brief states no margin and no cost (key `value`)."
    amounts = {
        name: target
        for name, target in files.brief.targets.items()
        if isinstance(target, BehaviorTarget) and target.kind == "amount"
    }
    if not amounts:
        return (
            "No money is claimed: no target of the brief predicts spend, and a ranking metric can't be "
            "turned into money."
        )
    name, target = next(iter(amounts.items()))
    model = files.selected(name)
    found = files.scored(name, model) if model else None
    if model is None or found is None:
        return f"No money is claimed: the run keeps no scored rows of {name}."
    file, scored = found
    return _worth(files, value, name, target.horizon_days, model, file, scored)


def _worth(
    files: RunFiles, value: Value, name: str, horizon: int, model: str, file: str, scored: Scored
) -> Worth:
    latest = scored.rows[scored.rows["as_of"] == scored.rows["as_of"].max()]
    spend = latest["value"].to_numpy(np.float64)
    low, high = _total_interval(spend)
    cost = value.contact_cost * 100
    break_even = cost / value.margin
    return Worth(
        target=name,
        model=model,
        horizon_days=horizon,
        customers=len(latest),
        currency=currency_of(files),
        predicted=float(spend.sum()),
        low=low,
        high=high,
        actual=float(latest["outcome"].sum()),
        margin=value.margin * float(spend.sum()),
        contact_all=cost * len(latest),
        break_even=break_even,
        worth_contacting=int(np.count_nonzero(spend >= break_even)),
        evidence=(file, "brief.value"),
    )


def _total_interval(spend: npt.NDArray[np.float64]) -> tuple[float, float]:
    if not len(spend):
        return 0.0, 0.0
    rng = np.random.default_rng(0)
    totals = [float(spend[rng.integers(0, len(spend), len(spend))].sum()) for _ in range(_REPLICATES)]
    low, high = np.quantile(totals, [0.025, 0.975])
    return float(low), float(high)


def currency_of(files: RunFiles) -> str:
    """The currency of the brief's events, or of the data where the brief names none."""
    source = files.brief.data.events
    if source is not None and source.currency:
        return source.currency
    events = files.table("events")
    if events is None or "currency" not in events or events["currency"].isna().all():
        return ""
    return str(events["currency"].mode().iloc[0])
