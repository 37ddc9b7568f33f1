"""The profile of a cleaned data folder: every section that its tables allow."""

from __future__ import annotations

from pathlib import Path

from mercer.brief import Brief
from mercer.data.profile import accounts
from mercer.data.profile.page import write
from mercer.data.profile.section import Page


def write_profile(folder: Path, brief: Brief) -> None:
    """Write profile.html into a folder of canonical tables: one page that asks nothing of a network.

    The same tables and brief give the same bytes. A table that the folder lacks leaves its sections out.
    Raises DamagedError for a table that can't be read, OutputError when the page can't be written.
    """
    found = accounts.load_accounts(folder)
    sections = (accounts.section(found),)
    page = Page(
        kicker=f"{brief.name} · profile of the data",
        title="What the data hold",
        lead=brief.question,
        tiles=(),
        sections=tuple(section for section in sections if section is not None),
        footer="Counts are of rows after cleaning unless said otherwise.",
    )
    write(page, folder / "profile.html")
