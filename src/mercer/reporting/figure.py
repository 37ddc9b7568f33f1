"""A figure: a chart, its caption, its numbers as a table, and the evidence they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercer.reporting.charts import Chart, Draw, chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with everything around it. head, body: the table of its numbers."""

    name: str
    title: str
    caption: str
    chart: Chart
    head: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]


def make_figure(
    name: str, title: str, caption: str, draw: Draw, head: Sequence[str], body: Sequence[Sequence[str]],
    evidence: Sequence[str],
) -> Figure:  # fmt: skip
    """Draw the chart at both widths and put everything around it."""
    return Figure(
        name=name, title=title, caption=caption, chart=chart(draw, f"{title}. {caption}"), head=tuple(head),
        body=tuple(tuple(row) for row in body), evidence=tuple(evidence),
    )  # fmt: skip
