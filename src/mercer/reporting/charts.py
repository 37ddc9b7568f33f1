"""Charts as inline SVG, drawn by Altair and vl-convert without a network; each in a wide and a slim form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from mercer.data.profile.svg import FONT, GRID, INK, SOFT, svg

NEW, OLD, REST = "#0b6e4f", "#b3541e", "#8b938f"
GOOD, BAD, PALE = "#0b6e4f", "#a4262c", "#c2c9c5"

WIDE, SLIM = 980, 320

_CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT, "titleColor": SOFT, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 240,
        "titlePadding": 8,
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "title": None, "orient": "top"},
}  # fmt: skip

Draw = Callable[[int], Any]
"""Width in pixels to an Altair chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: SVG for wide and for slim pages, and what it shows in words."""

    wide: str
    slim: str
    label: str


def chart(draw: Draw, label: str) -> Chart:
    """Draw at both widths."""
    return Chart(wide=_svg(draw(WIDE), label), slim=_svg(draw(SLIM), label), label=label)


def _svg(drawn: Any, label: str) -> str:
    return svg(cast("dict[str, Any]", drawn.to_dict()), label, _CONFIG)


def _names(column: str, frame: pd.DataFrame, most: int) -> Any:
    """A quiet axis of names in the frame's order, cut after `most` pixels."""
    import altair as alt

    axis = alt.Axis(
        grid=False, domain=False, ticks=False, labelColor=INK, labelFontSize=13, labelPadding=8,
        labelLimit=most,
    )  # fmt: skip
    return alt.Y(f"{column}:N", sort=list(frame[column]), title=None, axis=axis)


def dot_plot(frame: pd.DataFrame, metric: str) -> Draw:
    """Models with intervals. Columns: model, value, low, high, role (new, old, other); best first."""
    import altair as alt

    def draw(width: int) -> Any:
        slim = width == SLIM
        y = _names("model", frame, 130 if slim else 240)
        colour = alt.Color(
            "role:N", scale=alt.Scale(domain=["new", "old", "other"], range=[NEW, OLD, REST]), legend=None
        )
        # From zero where the models differ much; else the differences would not be seen.
        zero = bool(frame["low"].min() < 0.6 * frame["high"].max())
        base = alt.Chart(frame)
        lines = base.mark_rule(strokeWidth=3, opacity=0.45).encode(
            y=y,
            x=alt.X(
                "low:Q", title=metric, scale=alt.Scale(zero=zero), axis=alt.Axis(tickCount=4 if slim else 7)
            ),
            x2="high:Q",
            color=colour,
        )
        dots = base.mark_circle(size=110, opacity=1).encode(y=y, x=alt.X("value:Q"), color=colour)
        words = base.mark_text(dy=-14, fontSize=12, color=INK).encode(y=y, x="value:Q", text="text:N")
        return (lines + dots + words).properties(
            width=width - (150 if slim else 190), height=48 * len(frame) + 12
        )

    return draw


def gain_plot(frame: pd.DataFrame, metric: str) -> Draw:
    """Gain by slice. Columns: slice, gain, low, high, verdict (better, worse, no-difference, not-tested)."""
    import altair as alt

    colours = {"better": GOOD, "worse": BAD, "no-difference": REST, "not-tested": PALE}
    names = [name for name in colours if name in set(frame["verdict"])]

    def draw(width: int) -> Any:
        slim = width == SLIM
        y = _names("slice", frame, 110 if slim else 240)
        colour = alt.Color(
            "verdict:N", scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
            legend=alt.Legend(columns=2 if slim else 4),
        )  # fmt: skip
        zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=INK, strokeDash=[3, 3]).encode(x="x:Q")
        base = alt.Chart(frame)
        x = alt.X(
            "gain:Q", title=f"gain in {metric} over the opponent", axis=alt.Axis(tickCount=4 if slim else 7)
        )
        lines = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
            y=y, x=alt.X("low:Q"), x2="high:Q", color=colour
        )
        dots = base.mark_circle(size=110, opacity=1).encode(y=y, x=x, color=colour)
        return (zero + lines + dots).properties(
            width=width - (140 if slim else 190), height=36 * len(frame) + 12
        )

    return draw


def _diagonal(top: float) -> Any:
    import altair as alt

    ends = alt.Chart(pd.DataFrame({"p": [0.0, top]}))
    return ends.mark_line(color=REST, strokeDash=[4, 4]).encode(x="p:Q", y="p:Q")


def calibration_plot(frame: pd.DataFrame) -> Draw:
    """Observed against predicted share. Columns: predicted, observed, low, high, n."""
    import altair as alt

    top = min(1.0, float(max(frame["predicted"].max(), frame["high"].max())) * 1.08)

    def draw(width: int) -> Any:
        side = min(380, width - 70)
        scale = alt.Scale(domain=[0, top], nice=False)
        percent = alt.Axis(format=".0%", tickCount=5)
        line = (
            alt.Chart(pd.DataFrame({"p": [0.0, top]}))
            .mark_line(color=REST, strokeDash=[4, 4])
            .encode(x="p:Q", y="p:Q")
        )
        base = alt.Chart(frame)
        x = alt.X("predicted:Q", scale=scale, axis=percent, title="predicted")
        y = alt.Y("observed:Q", scale=scale, axis=percent, title="observed")
        bars = base.mark_rule(color=NEW, opacity=0.45, strokeWidth=2).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q"
        )
        dots = base.mark_line(color=NEW, point={"filled": True, "fill": NEW, "size": 70}).encode(x=x, y=y)
        return (line + bars + dots).properties(width=side, height=side)

    return draw


def exposure_plot(frame: pd.DataFrame, names: tuple[str, str]) -> Draw:
    """Lorenz curves of exposure. Columns: items, places (shares from 0 to 1), model."""
    import altair as alt

    def draw(width: int) -> Any:
        side = min(380, width - 70)
        percent = alt.Axis(format=".0%", tickCount=5)
        equal = (
            alt.Chart(pd.DataFrame({"p": [0, 1]}))
            .mark_line(color=REST, strokeDash=[4, 4])
            .encode(x="p:Q", y="p:Q")
        )
        curves = alt.Chart(frame).mark_line(strokeWidth=2.5).encode(
            x=alt.X("items:Q", axis=percent, title="share of the catalogue, least shown first"),
            y=alt.Y("places:Q", axis=percent, title="share of all places"),
            color=alt.Color("model:N", scale=alt.Scale(domain=list(names), range=[NEW, OLD])),
        )  # fmt: skip
        return (equal + curves).properties(width=side, height=side)

    return draw


def waterfall_plot(frame: pd.DataFrame) -> Draw:
    """Rows read, removed rule by rule, and kept. Columns: step, start, end, kind, text, label."""
    import altair as alt

    def draw(width: int) -> Any:
        slim = width == SLIM
        y = _names("step", frame, 120 if slim else 220)
        x = alt.X("start:Q", title="rows", axis=alt.Axis(format="~s", tickCount=4 if slim else 6))
        kinds = alt.Scale(domain=["total", "removed"], range=[NEW, OLD])
        base = alt.Chart(frame)
        bars = base.mark_bar(height=16, cornerRadius=2).encode(
            y=y, x=x, x2="end:Q",
            color=alt.Color("kind:N", scale=kinds, legend=None),
        )  # fmt: skip
        shown = bars
        for place, at, mark in (
            ("inside", "start:Q", alt.MarkDef("text", align="left", dx=6, color="white")),
            ("before", "start:Q", alt.MarkDef("text", align="right", dx=-6, color=INK)),
            ("after", "end:Q", alt.MarkDef("text", align="left", dx=6, color=INK)),
        ):
            words = base.transform_filter(f"datum.label == '{place}'").encode(y=y, x=at, text="text:N")
            words.mark = mark
            shown += words
        return shown.properties(width=width - (150 if slim else 230), height=26 * len(frame))

    return draw


def trials_plot(frame: pd.DataFrame, metric: str, default: float | None) -> Draw:
    """Trials of one model. Columns: trial, value, best (so far), role (best, tried). default: the defaults' value."""
    import altair as alt

    def draw(width: int) -> Any:
        slim = width == SLIM
        x = alt.X("trial:Q", title="trial", axis=alt.Axis(format="d", tickMinStep=1, grid=False))
        y = alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False, nice=True))
        colour = alt.Color(
            "role:N", scale=alt.Scale(domain=["best", "tried"], range=[NEW, REST]), legend=None
        )
        base = alt.Chart(frame)
        shown = base.mark_line(interpolate="step-after", color=NEW, opacity=0.6).encode(x=x, y="best:Q")
        if default is not None:
            rule = alt.Chart(pd.DataFrame({"y": [float(default)]}))
            shown = rule.mark_rule(color=INK, strokeDash=[3, 3]).encode(y=alt.Y("y:Q", title=metric)) + shown
        dots = base.mark_circle(size=80, opacity=0.9).encode(x=x, y=y, color=colour)
        return (shown + dots).properties(width=width - (80 if slim else 120), height=180)

    return draw


def curves_plot(frame: pd.DataFrame, title: str) -> Draw:
    """Curves over epochs, a colour each. Columns: x, y, training. title: of the upright axis."""
    import altair as alt

    def draw(width: int) -> Any:
        slim = width == SLIM
        names = list(dict.fromkeys(frame["training"]))
        colours = [NEW, OLD, "#2b5c8a", "#8a6d1f", "#6b3f7d", REST]
        colour = alt.Color(
            "training:N",
            scale=alt.Scale(domain=names, range=[colours[at % len(colours)] for at, _ in enumerate(names)]),
            legend=alt.Legend(columns=1 if slim else 3, labelLimit=260) if len(names) > 1 else None,
        )
        # A single evaluation is a point, which a line alone would not show.
        point = {"size": 28} if len(frame) <= 60 else False
        return (
            alt.Chart(frame)
            .mark_line(strokeWidth=1.8, point=point)
            .encode(
                x=alt.X("x:Q", title="epochs", axis=alt.Axis(grid=False, tickCount=4 if slim else 8)),
                y=alt.Y("y:Q", title=title, scale=alt.Scale(zero=False, nice=True)),
                color=colour,
            )
            .properties(width=width - (80 if slim else 120), height=220)
        )

    return draw
