"""The profile of one CSV or Parquet file, without a brief."""

from __future__ import annotations

from pathlib import Path

from mercer.brief import Source
from mercer.data.profile.page import write
from mercer.data.profile.section import Column, Grid, Page, Section
from mercer.data.profile.words import count, plural, share
from mercer.data.sources import read_frame


def profile_file(path: Path, out: Path) -> None:
    """Write a page about any CSV or Parquet file to `out`.

    Raises DataError for a file that is absent, empty or unreadable, UnsupportedError for another kind of file,
    OutputError when the page can't be written.
    """
    frame = read_frame(Source(source=path.name), (path.parent,))
    rows = tuple(
        (str(name), count(frame[name].isna().sum()), share(float(frame[name].isna().mean())))
        for name in frame.columns
    )
    columns = (
        Column(name="column"),
        Column(name="missing", align="right"),
        Column(name="share", align="right"),
    )
    section = Section(
        id="columns",
        title="Columns",
        finding=f"{plural(len(frame), 'row')} in {plural(len(rows), 'column')}.",
        grids=(Grid(columns=columns, rows=rows),),
    )
    page = Page(
        kicker="profile of a file",
        title=path.name,
        lead="",
        tiles=(),
        sections=(section,),
        footer="Made by mercer.",
    )
    write(page, out)
