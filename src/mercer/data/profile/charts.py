"""Charts of small frames as inline SVG, drawn by Altair and vl-convert without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from mercer.data.profile.section import Chart

INK, SOFT, GRID = "#1d2321", "#5c6662", "#e3e0d8"
MAIN, PALE = "#0b6e4f", "#b9c2bd"
HEAT = ("#f2f0e9", "#9cc7b3", "#0b6e4f", "#06382a")
FONT = "Helvetica Neue, Arial, Liberation Sans, sans-serif"

WIDE, HALF, SLIM = 1020, 480, 320
"""Pixels: across the page, half of it, a phone."""

_SHORT = "datum.value === 0 ? '0' : format(datum.value, abs(datum.value) < 1 ? '~g' : '~s')"
_PERCENT = "format(datum.value, '.0%')"

_CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT, "titleColor": SOFT, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID,
        "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 230,
        "titlePadding": 8,
    },
    "legend": {
        "labelColor": INK, "titleColor": SOFT, "titleFontWeight": "normal", "labelFontSize": 12, "orient": "top",
    },
}  # fmt: skip

Draw = Callable[[int], Any]
"""Width in pixels to an Altair chart."""


def chart(draw: Draw, title: str, *, label: str, caption: str = "", wide: int = WIDE) -> Chart:
    """Draw for wide pages and, where the chart spans the page, once more for phones; label: for screen readers."""
    drawn = _svg(draw(wide), label)
    return Chart(
        title=title, wide=drawn, slim="" if wide < WIDE else _svg(draw(SLIM), label), caption=caption
    )


def _svg(drawn: Any, label: str) -> str:
    import vl_convert

    # The specs are made here: validating each again would take longer than drawing it.
    spec = cast("dict[str, Any]", drawn.to_dict(validate=False))
    spec["config"] = {**spec.get("config", {}), **_CONFIG}
    if "vconcat" not in spec:
        spec["autosize"] = {"type": "fit", "contains": "padding"}
    text = str(vl_convert.vegalite_to_svg(spec))
    # One image to a screen reader: its label says what the marks would only repeat.
    text = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{_attribute(label)}" ', 1)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _value_axis(share: bool, ticks: int = 4) -> Any:
    import altair as alt

    return alt.Axis(labelExpr=_PERCENT if share else _SHORT, tickCount=ticks, domain=False, ticks=False)


def columns(frame: pd.DataFrame, *, share: bool = False, height: int = 250) -> Draw:
    """Upright bars in the frame's order: its first column names them, its second is their height; names are titles."""
    import altair as alt

    x, y = frame.columns[:2]
    rows = pd.DataFrame({"x": frame[x].astype(str), "y": frame[y]})
    order = list(rows["x"])

    def draw(width: int) -> Any:
        axis = alt.Axis(labelAngle=0, grid=False, ticks=False, labelOverlap="greedy")
        return (
            alt.Chart(rows)
            .mark_bar(cornerRadiusEnd=2, color=MAIN)
            .encode(
                x=alt.X("x:N", sort=order, title=x, axis=axis, scale=alt.Scale(paddingInner=0.18)),
                y=alt.Y("y:Q", title=y, axis=_value_axis(share)),
            )
            .properties(width=width, height=height)
        )

    return draw


def histogram(
    frame: pd.DataFrame, x: str, y: str, *, log: bool, height: int = 250, share: bool = True
) -> Draw:
    """Bars over a number line. Columns: low, high, value. x, y: titles; log: equal steps are equal factors."""
    import altair as alt

    low, high = float(frame["low"].min()), float(frame["high"].max())
    scale = alt.Scale(type="log" if log else "linear", domain=[low, high], nice=False)
    marks = [m * 10.0**e for e in range(-6, 13) for m in (1, 2, 5)]
    inside = [mark for mark in marks if low <= mark <= high]

    def draw(width: int) -> Any:
        plain = alt.Axis(labelExpr=_SHORT, grid=False, tickCount=6, labelOverlap="greedy")
        if log and len(inside) > 1:
            thin = [m for m in inside if f"{m:e}"[0] == "1"] if len(inside) > 12 else inside
            plain.values = thin
        return (
            alt.Chart(frame)
            .mark_bar(color=MAIN, stroke="white", strokeWidth=0.6)
            .encode(
                x=alt.X("low:Q", title=x, scale=scale, axis=plain),
                x2="high:Q",
                y=alt.Y("value:Q", title=y, axis=_value_axis(share)),
                y2=alt.datum(0),
            )
            .properties(width=width, height=height)
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
                    y=alt.Y("y:Q", title=title, axis=_value_axis(False, 3)),
                    color=alt.condition("datum.partial", alt.value(PALE), alt.value(MAIN)),
                )
                .properties(width=width - 62, height=96 if width != SLIM else 80)
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
        legend = alt.Legend(
            title="events in the hour, all weeks",
            labelExpr=_SHORT,
            tickCount=3,
            gradientLength=150 if slim else 240,
        )
        day = alt.Axis(ticks=False, domain=False, grid=False, labelColor=INK, labelPadding=6)
        return (
            alt.Chart(frame)
            .mark_rect(stroke="white", strokeWidth=1, cornerRadius=2)
            .encode(
                x=alt.X("hour:O", title="hour of the day", axis=hours),
                y=alt.Y("day:N", sort=list(days), title=None, axis=day),
                color=alt.Color("events:Q", scale=alt.Scale(range=list(HEAT)), legend=legend),
            )
            .properties(width=width, height=7 * (24 if slim else 31) + 90)
        )

    return draw


def lorenz(frame: pd.DataFrame, x_title: str, y_title: str) -> Draw:
    """How unequal: a curve under the line of equality. Columns: x, y, shares from 0 to 1."""
    import altair as alt

    def draw(width: int) -> Any:
        percent = alt.Axis(labelExpr=_PERCENT, tickCount=5)
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
        return (curve + equal).properties(width=width, height=370)

    return draw


def bars(frame: pd.DataFrame, value: str, *, step: int = 33) -> Draw:
    """Lying bars with their numbers, in the frame's order. Columns: name, value, text.

    value: the axis's title. step: pixels a bar.
    """
    import altair as alt

    order = list(frame["name"])
    room = alt.Scale(domain=[0, float(frame["value"].max()) * 1.18], nice=False)

    def draw(width: int) -> Any:
        axis = alt.Axis(ticks=False, domain=False, grid=False, labelColor=INK, labelPadding=6)
        y = alt.Y("name:N", sort=order, title=None, axis=axis)
        base = alt.Chart(frame)
        drawn = base.mark_bar(color=MAIN, height=step // 2, cornerRadiusEnd=2).encode(
            y=y, x=alt.X("value:Q", title=value, axis=_value_axis(False), scale=room)
        )
        words = base.mark_text(align="left", dx=5, color=SOFT, fontSize=12).encode(
            y=y, x="value:Q", text="text:N"
        )
        return (drawn + words).properties(width=width, height=step * len(frame) + 40)

    return draw
