"""What every section of the page is made of: a finding in numbers, what it means, charts and a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: inline SVG for wide pages, for slim ones (empty: the wide one serves both), title and caption."""

    title: str
    wide: str
    slim: str
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table on the page. bar: its values are shares from 0 to 1, drawn as bars."""

    name: str
    align: Literal["left", "right"] = "left"
    bar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table on the page; cells are texts, shares from 0 to 1 in bar columns. folded: shown when asked for."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | float, ...], ...]
    title: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section. finding: a sentence with the numbers. meaning: what follows for the brief.

    watch: a sentence for the head of the page when the finding needs a reader's care.
    """

    id: str
    title: str
    finding: str
    meaning: str = ""
    watch: str = ""
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One of the few numbers that open the page."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole page."""

    kicker: str
    title: str
    lead: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    footer: str
