"""From sections to one self-contained HTML file."""

from __future__ import annotations

import os
from pathlib import Path

from markupsafe import Markup

from mercer.data.profile.section import Page
from mercer.errors import OutputError

_HERE = Path(__file__).parent


def render(page: Page) -> str:
    """The page as HTML text; the same page gives the same text."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    styles = (_HERE / "page.css").read_text("utf-8")
    return environment.get_template("page.html").render(page=page, styles=_trusted(styles), trusted=_trusted)


def _trusted(text: str) -> Markup:
    """Text that this package itself made: its style sheet and its charts."""
    return Markup(text)  # noqa: S704 - never text from data; vl-convert escapes what charts show


def write(page: Page, place: Path) -> None:
    """Write the page, whole or not at all. Raises OutputError when the folder can't be written."""
    text = render(page)
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(place)
    except OSError as fault:
        draft.unlink(missing_ok=True)
        raise OutputError(
            f"{place} can't be written ({fault.strerror}).", remedy="Choose another place."
        ) from fault
