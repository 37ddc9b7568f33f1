"""The kinds of charts of the page, each of a small frame: bars, histograms, months, the week, Lorenz curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mercer.data.profile.svg import HALF, HEAT, INK, MAIN, PALE, PERCENT, SHORT, SLIM, SOFT, WIDE, Draw, chart

__all__ = ["HALF", "WIDE", "bars", "chart", "columns", "heat", "histogram", "lorenz", "months"]


def _value_axis(share: bool, ticks: int = 4) -> Any:
    import altair as alt

    return alt.Axis(labelExpr=PERCENT if share else SHORT, tickCount=ticks, domain=False, ticks=False)


def _ticks(end: float) -> list[float]:
    """Some five round numbers from 0 to an end."""
    step = next((s * 10.0**e for e in range(-3, 12) for s in (1, 2, 5) if s * 10.0**e * 6 >= end), end)
    return [step * at for at in range(7)]


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
        plain = alt.Axis(labelExpr=SHORT, grid=False, tickCount=6, labelOverlap="greedy")
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

    most = max(float(frame["events"].max()), 2.0)
    step = 10.0 ** np.floor(np.log10(most))
    top = float(np.floor(most / step) * step)

    def draw(width: int) -> Any:
        slim = width == SLIM
        hours = alt.Axis(
            values=list(range(0, 24, 6 if slim else 2)), ticks=False, domain=False, grid=False, labelAngle=0
        )
        legend = alt.Legend(
            title="events in the hour, all weeks",
            labelExpr=SHORT,
            values=[0, top / 2, top],
            gradientLength=150 if slim else 240,
        )
        day = alt.Axis(ticks=False, domain=False, grid=False, labelColor=INK, labelPadding=6)
        return (
            alt.Chart(frame)
            .mark_rect(stroke="white", strokeWidth=1, cornerRadius=2)
            .encode(
                x=alt.X("hour:O", title="hour of the day", axis=hours),
                y=alt.Y("day:N", sort=list(days), title=None, axis=day),
                color=alt.Color("events:Q", scale=alt.Scale(range=list(HEAT), domainMin=0), legend=legend),
            )
            .properties(width=width, height=7 * (24 if slim else 31) + 90)
        )

    return draw


def lorenz(frame: pd.DataFrame, x_title: str, y_title: str) -> Draw:
    """How unequal: a curve under the line of equality. Columns: x, y, shares from 0 to 1."""
    import altair as alt

    def draw(width: int) -> Any:
        percent = alt.Axis(labelExpr=PERCENT, tickCount=5)
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


def bars(
    frame: pd.DataFrame, value: str, *, step: int = 33, room: float = 1.18, most: float | None = None
) -> Draw:
    """Lying bars with their numbers, in the frame's order. Columns: name, value, text.

    value: the axis's title. step: pixels a bar. room: how many times the longest bar the axis is, for its number.
    most: the greatest value that the axis names, where there is one.
    """
    import altair as alt

    order = list(frame["name"])
    scale = alt.Scale(domain=[0, float(frame["value"].max()) * room], nice=False)

    def draw(width: int) -> Any:
        axis = alt.Axis(ticks=False, domain=False, grid=False, labelColor=INK, labelPadding=6)
        y = alt.Y("name:N", sort=order, title=None, axis=axis)
        numbers = _value_axis(False)
        if most is not None:
            numbers.values = [tick for tick in _ticks(float(frame["value"].max()) * room) if tick <= most]
        base = alt.Chart(frame)
        drawn = base.mark_bar(color=MAIN, height=step // 2, cornerRadiusEnd=2).encode(
            y=y, x=alt.X("value:Q", title=value, axis=numbers, scale=scale)
        )
        words = base.mark_text(align="left", dx=5, color=SOFT, fontSize=12).encode(
            y=y, x="value:Q", text="text:N"
        )
        return (drawn + words).properties(width=width, height=step * len(frame) + 40)

    return draw
