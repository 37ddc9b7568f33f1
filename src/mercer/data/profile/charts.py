"""Charts of small frames as inline SVG, drawn by Altair and vl-convert without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from mercer.data.profile.section import Chart

INK, SOFT, GRID = "#1d2321", "#5c6662", "#e3e0d8"
MAIN, SECOND, REST = "#0b6e4f", "#b3541e", "#b9c2bd"
HEAT = ("#f2f0e9", "#9cc7b3", "#0b6e4f", "#06382a")
FONT = "Helvetica Neue, Arial, Liberation Sans, sans-serif"

WIDE, HALF, SLIM = 980, 450, 320

_CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT, "titleColor": SOFT, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID,
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 220,
        "titlePadding": 8,
    },
    "legend": {"labelColor": INK, "titleColor": SOFT, "titleFontWeight": "normal", "labelFontSize": 12, "orient": "top"},
}  # fmt: skip

Draw = Callable[[int], Any]
"""Width in pixels to an Altair chart."""


def chart(draw: Draw, title: str, *, label: str, caption: str = "", wide: int = WIDE) -> Chart:
    """Draw for wide and for slim pages. label: what a screen reader says."""
    return Chart(title=title, wide=_svg(draw(wide), label), slim=_svg(draw(SLIM), label), caption=caption)


def _svg(drawn: Any, label: str) -> str:
    import vl_convert

    spec = cast("dict[str, Any]", drawn.to_dict())
    spec["config"] = {**spec.get("config", {}), **_CONFIG}
    text = str(vl_convert.vegalite_to_svg(spec))
    # One image to a screen reader: its label says what the marks would only repeat.
    text = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{_attribute(label)}" ', 1)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def columns(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    faded: str | None = None,
    form: str = "~s",
    height: int = 200,
    every: int = 1,
) -> Draw:
    """Upright bars in the frame's order. Columns: the label, the value, and a flag of bars that are shown pale.

    x and y are the axes' titles too; form: d3 format of the value; every: which labels a slim page keeps.
    """  # fmt: skip
    import altair as alt

    rows = pd.DataFrame({"x": frame[x].astype(str), "y": frame[y], "pale": frame[faded] if faded else False})
    order = list(rows["x"])

    def draw(width: int) -> Any:
        step = every * (2 if width == SLIM and len(order) > 8 else 1)
        axis = alt.Axis(labelAngle=0, grid=False, ticks=False, values=order[::step], labelOverlap="greedy")
        pale = alt.condition("datum.pale", alt.value(REST), alt.value(MAIN))
        return (
            alt.Chart(rows)
            .mark_bar(cornerRadiusEnd=2)
            .encode(
                x=alt.X("x:N", sort=order, title=x, axis=axis, scale=alt.Scale(paddingInner=0.18)),
                y=alt.Y("y:Q", title=y, axis=alt.Axis(format=form, tickCount=4, domain=False)),
                color=pale,
            )
            .properties(width=width - 70, height=height)
        )

    return draw


def months(frame: pd.DataFrame, measures: Sequence[tuple[str, str]]) -> Draw:
    """Small charts over the same months, one under another. Columns: month (text), partial, and the measures.

    measures: column and its title.
    """
    import altair as alt

    order = list(frame["month"])

    def draw(width: int) -> Any:
        step = max(1, round(len(order) / (5 if width == SLIM else 13)))
        panels = []
        for number, (column, title) in enumerate(measures):
            last = number == len(measures) - 1
            axis = alt.Axis(
                labelAngle=0,
                grid=False,
                ticks=False,
                values=order[::step],
                labels=last,
                labelOverlap="greedy",
            )
            panels.append(
                alt.Chart(frame[["month", "partial", column]].rename(columns={column: "y"}))
                .mark_bar(cornerRadiusEnd=2)
                .encode(
                    x=alt.X("month:N", sort=order, title="month" if last else None, axis=axis),
                    y=alt.Y("y:Q", title=title, axis=alt.Axis(format="~s", tickCount=3, domain=False)),
                    color=alt.condition("datum.partial", alt.value(REST), alt.value(MAIN)),
                )
                .properties(width=width - 80, height=96 if width != SLIM else 80)
            )
        return alt.vconcat(*panels, spacing=16)

    return draw


def heat(frame: pd.DataFrame, days: Sequence[str]) -> Draw:
    """A map of the week. Columns: day, hour (0 to 23), events."""
    import altair as alt

    def draw(width: int) -> Any:
        slim = width == SLIM
        hours = alt.Axis(
            values=list(range(0, 24, 6 if slim else 2)), ticks=False, domain=False, grid=False, labelAngle=0
        )
        return (
            alt.Chart(frame)
            .mark_rect(stroke="white", strokeWidth=1, cornerRadius=2)
            .encode(
                x=alt.X("hour:O", title="hour of the day", axis=hours),
                y=alt.Y(
                    "day:N", sort=list(days), title=None,
                    axis=alt.Axis(ticks=False, domain=False, grid=False, labelColor=INK),
                ),
                color=alt.Color(
                    "events:Q", scale=alt.Scale(range=list(HEAT)),
                    legend=alt.Legend(
                        title="events in the hour, all weeks", format="~s", gradientLength=150 if slim else 240,
                        tickCount=3,
                    ),
                ),
            )
            .properties(width=width - 90, height=7 * (24 if slim else 30))
        )  # fmt: skip

    return draw


def lorenz(frame: pd.DataFrame, x_title: str, y_title: str) -> Draw:
    """How unequal: a curve under the line of equality. Columns: x, y, shares from 0 to 1."""
    import altair as alt

    def draw(width: int) -> Any:
        side = min(330, width - 70)
        percent = alt.Axis(format=".0%", tickCount=5)
        equal = (
            alt.Chart(pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]}))
            .mark_line(color=SOFT, strokeDash=[4, 4], strokeWidth=1)
            .encode(x="x:Q", y="y:Q")
        )
        curve = (
            alt.Chart(frame)
            .mark_area(color=MAIN, opacity=0.14, line={"color": MAIN, "strokeWidth": 2.5})
            .encode(x=alt.X("x:Q", axis=percent, title=x_title), y=alt.Y("y:Q", axis=percent, title=y_title))
        )
        return (curve + equal).properties(width=side, height=side)

    return draw


def bars(frame: pd.DataFrame, value: str, *, form: str = "~s") -> Draw:
    """Lying bars with their numbers. Columns: name, value, text; in the frame's order."""
    import altair as alt

    order = list(frame["name"])

    def draw(width: int) -> Any:
        slim = width == SLIM
        y = alt.Y(
            "name:N", sort=order, title=None,
            axis=alt.Axis(
                ticks=False, domain=False, grid=False, labelColor=INK, labelLimit=120 if slim else 240
            ),
        )  # fmt: skip
        x = alt.X("value:Q", title=value, axis=alt.Axis(format=form, tickCount=4))
        base = alt.Chart(frame)
        drawn = base.mark_bar(color=MAIN, height=14, cornerRadiusEnd=2).encode(y=y, x=x)
        words = base.mark_text(align="left", dx=5, color=SOFT, fontSize=12).encode(
            y=y, x="value:Q", text="text:N"
        )
        return (drawn + words).properties(width=width - (190 if slim else 330), height=25 * len(frame))

    return draw
