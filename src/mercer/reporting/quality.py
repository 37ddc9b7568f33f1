"""What a leaderboard hides: whether probabilities are right, and who is shown at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.brief import BehaviorTarget
from mercer.evaluation import Scored
from mercer.evaluation.leaderboard import number
from mercer.reporting.charts import calibration_plot, exposure_plot
from mercer.reporting.figure import Figure, make_figure
from mercer.reporting.run_files import RunFiles
from mercer.reporting.words import spread


def calibration_figure(files: RunFiles) -> Figure | None:
    """Predicted against observed share of the first probability target, in ten bins of equal count."""
    targets = files.brief.targets
    names = [n for n, t in targets.items() if isinstance(t, BehaviorTarget) and t.kind == "probability"]
    for name in names:
        model = files.selected(name)
        found = files.scored(name, model) if model else None
        if model is None or found is None or not len(found[1].rows):
            continue
        frame = calibration_table(found[1])
        rows = [files.row(name, model, metric) for metric in ("calibration-slope", "ece")]
        cited = [f"leaderboard.rows[{pair[0]}]" for pair in rows if pair is not None]
        told = [
            f"{pair[1].metric} {number(pair[1].value)} {spread(pair[1])}" for pair in rows if pair is not None
        ]
        return make_figure(
            "calibration", f"{name}: do the probabilities mean what they say?",
            f"{model}, {len(found[1].rows):,} test rows in ten bins of equal count; on the dashed line a "
            f"prediction of 30 % comes true 30 times in 100. {'; '.join(told)}.",
            calibration_plot(frame), ("predicted", "observed", "95 % interval", "rows"),
            [
                (f"{p:.1%}", f"{observed:.1%}", f"[{low:.1%}, {high:.1%}]", f"{int(n):,}")
                for p, observed, low, high, n in frame.itertuples(index=False)
            ],
            [found[0], *cited],
        )  # fmt: skip
    return None


def calibration_table(scored: Scored, bins: int = 10) -> pd.DataFrame:
    """Columns predicted, observed, low, high (Wilson's 95 % interval), n; one row a bin that holds rows."""
    value = scored.rows["value"].to_numpy(np.float64)
    edges = np.quantile(value, np.linspace(0, 1, bins + 1)[1:-1])
    bin_of = np.searchsorted(edges, value, "left")
    grouped = scored.rows.assign(bin=bin_of).groupby("bin")
    n = grouped.size().to_numpy(np.float64)
    p = grouped["outcome"].mean().to_numpy(np.float64)
    z = 1.959964
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return pd.DataFrame(
        {
            "predicted": grouped["value"].mean().to_numpy(np.float64),
            "observed": p,
            "low": np.maximum(centre - half, 0.0),
            "high": np.minimum(centre + half, 1.0),
            "n": n,
        }
    )


def exposure_figure(files: RunFiles, target: str, new: str, old: str) -> Figure | None:
    """How evenly the places of the lists are spread over the catalogue, new against old."""
    curves, body, cited = [], [], []
    for model in (new, old):
        found = files.scored(target, model)
        if found is None or found[1].lists is None or not len(found[1].lists):
            return None
        curves.append(exposure_curve(found[1]).assign(model=model))
        rows = [files.row(target, model, metric) for metric in ("coverage@10", "exposure-gini")]
        body.append((model, *(f"{number(r[1].value)} {spread(r[1])}" if r else "not measured" for r in rows)))
        cited += [found[0].replace(".parquet", ".lists.parquet")]
        cited += [f"leaderboard.rows[{r[0]}]" for r in rows if r]
    return make_figure(
        "exposure", "Who is shown: the spread over the catalogue",
        "Lorenz curves of the places in all lists of ten. The nearer to the dashed line, the more evenly "
        "items are shown; what lies flat on the ground is never shown.",
        exposure_plot(pd.concat(curves), (new, old)), ("model", "coverage@10", "exposure-gini"), body, cited,
    )  # fmt: skip


def exposure_curve(scored: Scored, points: int = 101) -> pd.DataFrame:
    """Columns items, places: cumulative shares, least shown items first, over the whole catalogue."""
    lists = scored.lists if scored.lists is not None else pd.DataFrame({"item": []})
    counts = np.sort(lists["item"].value_counts().to_numpy(np.float64))
    shown = np.r_[np.zeros(max(0, scored.n_items - len(counts))), counts]
    reached = np.r_[0.0, np.cumsum(shown)] / max(shown.sum(), 1.0)
    at = np.linspace(0, 1, points)
    return pd.DataFrame({"items": at, "places": np.interp(at, np.linspace(0, 1, len(reached)), reached)})
