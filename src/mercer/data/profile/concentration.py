"""Concentration: how much of the demand few items take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Chart, Column, Grid, Section
from mercer.data.profile.words import count, plural, share

_POINTS = 200
_FEW = 5
_THIN = 0.2
"""Share of items with few buyers that a reader should know of."""


def gini(counts: npt.NDArray[np.int64]) -> float:
    """Gini coefficient of counts: 0 when all are equal, near 1 when one takes everything; 0 for no counts."""
    x = np.sort(counts.astype(np.float64))
    total = x.sum()
    if not total:
        return 0.0
    n = len(x)
    return float((2 * np.arange(1, n + 1) - n - 1) @ x / (n * total))


def lorenz(counts: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The Lorenz curve, fewest first, thinned to some 200 points. Columns: x (share of items), y (share of counts)."""
    y = np.concatenate([[0], np.cumsum(np.sort(counts))]) / max(counts.sum(), 1)
    x = np.linspace(0, 1, len(y))
    at = np.unique(np.linspace(0, len(y) - 1, _POINTS).round().astype(np.int64))
    return pd.DataFrame({"x": x[at], "y": y[at]})


def section(log: Log, brief: Brief, titles: dict[str, str]) -> Section | None:
    """The Lorenz curve of purchases over items, the best sellers, and the tail.

    titles: item to what a person reads. None when nothing was bought.
    """
    rows = log.is_purchase & (log.item >= 0)
    if not rows.any():
        return None
    pairs = np.unique(log.item[rows] << 32 | np.maximum(log.user[rows], 0))
    counts = np.bincount(log.item[rows], minlength=len(log.items))
    buyers = np.bincount(pairs >> 32, minlength=len(log.items))[counts > 0]
    sold = counts[counts > 0]
    ranked, tenth = np.sort(sold)[::-1], max(1, round(0.1 * len(sold)))
    top, few, index = ranked[:tenth].sum() / sold.sum(), float((buyers < _FEW).mean()), gini(sold)
    finding = (
        f"The {plural(tenth, 'best-selling item')} (10 % of the {count(len(sold))} that sold) take {share(top)} of the "
        f"purchases; the Gini coefficient is {index:.2f}. {share(few)} of the items have fewer than {_FEW} buyers."
    )
    curve = charts.chart(
        charts.lorenz(lorenz(sold), "share of items, least sold first", "share of purchases"),
        "Concentration of purchases on items",
        label=finding,
        caption="On the dashed line all items would sell equally often; the deeper the curve, the fewer take most.",
        wide=charts.HALF,
    )
    top_ten = int(ranked[:10].sum())
    return Section(
        id="concentration",
        title="Concentration of items",
        finding=finding,
        meaning=_meaning(brief, index, few, top_ten, int(sold.sum())),
        watch=f"{share(few)} of the items have fewer than {_FEW} buyers: purchases alone teach little about them."
        if few > _THIN
        else "",
        charts=(curve, _best(counts, log.items, titles)),
        grids=(_tail(buyers),),
    )


def _best(counts: npt.NDArray[np.int64], items: list[str], titles: dict[str, str]) -> Chart:
    """The ten items with the most purchases."""
    best = [at for at in np.lexsort((np.arange(len(counts)), -counts))[:10] if counts[at]]
    frame = pd.DataFrame(
        {
            "name": _distinct([_short(titles.get(items[at]) or items[at]) for at in best]),
            "value": [int(counts[at]) for at in best],
            "text": [share(counts[at], counts.sum()) for at in best],
        }
    )
    return charts.chart(
        charts.bars(frame, "purchases"),
        f"The {len(best)} best-selling items",
        label="Best-selling items with their purchases",
        caption="With their share of all purchases.",
        wide=charts.HALF,
    )


def _tail(buyers: npt.NDArray[np.int64]) -> Grid:
    """Items by how many different customers bought them."""
    bounds = [(1, 1), (2, 4), (5, 9), (10, 49), (50, 199), (200, None)]
    rows = []
    for low, high in bounds:
        part = int(((buyers >= low) & (buyers <= (high or np.inf))).sum())
        name = f"{low}" if low == high else (f"{low} to {high}" if high else f"{low} and more")
        rows.append((name, count(part), share(part, len(buyers)), part / len(buyers)))
    return Grid(
        title="Items by number of buyers",
        columns=(
            Column(name="different buyers"), Column(name="items", align="right"),
            Column(name="share of items", align="right"), Column(name="", bar=True),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _short(title: str) -> str:
    return title if len(title) <= 34 else title[:33].rstrip() + "…"


def _distinct(names: list[str]) -> list[str]:
    """Names told apart by trailing spaces where two are the same, or a chart would stack their bars."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name + " " * (seen[name] - 1))
    return told


def _meaning(brief: Brief, index: float, few: float, top_ten: int, total: int) -> str:
    said = (
        f"One list of the ten best sellers for everybody would cover {share(top_ten, total)} of the purchases"
        + (
            ", a hard opponent to beat."
            if index > 0.6 and top_ten > 0.1 * total
            else ", so personal lists have room."
        )
    )
    guards = [g for g in brief.decision.guardrails if g.metric.startswith("coverage") and g.min is not None]
    if guards:
        said += f" The guardrail asks {guards[0].metric} of at least {guards[0].min:g}: lists must go beyond the head."
    if few > _THIN:
        said += f" Of the {share(few)} with fewer than {_FEW} buyers, purchases teach little; their text can help."
    return said
