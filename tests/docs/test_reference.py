"""The documentation agrees with the code and with itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow.house import House

from mercer import __version__
from mercer.cli.reference import PAGES

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
WRITTEN = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_reference_pages_are_those_that_the_code_writes(name: str) -> None:
    written = (DOCS / "reference" / name).read_text("utf-8")
    assert written == PAGES[name](), "write it anew with: python -m mercer.cli.reference"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for place, heading in links(page):
        target = page.parent / place if place else page
        assert target.exists(), place
        if heading and target.suffix == ".md":
            assert heading in anchors(target), f"{place}#{heading}"


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Relative links of a page outside its code: the path and the heading."""
    for match in LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(page))):
        target = match.group(1) or match.group(2)
        if not re.match(r"[a-z]+:", target):
            place, _, heading = target.partition("#")
            yield place, heading


def anchors(page: Path) -> set[str]:
    """What headings are called in a link, as GitHub makes them: the second of a name ends in -1."""
    seen: Counter[str] = Counter()
    found = set()
    for title in headings(page):
        name = re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+\s+(.*)$", prose(page), flags=re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_every_metric_of_a_leaderboard_is_explained(house: House) -> None:
    explained = {
        word for title in headings(DOCS / "reference" / "metrics.md") for word in re.split(r"[\s,]+", title)
    }
    families = {re.sub(r"@.*$", "", word.strip("`")) for word in explained}
    assert house.run.leaderboard is not None
    for metric in {row.metric for row in house.run.leaderboard.rows}:
        assert re.sub(r"@\d+$", "", metric) in families, metric


def test_there_is_a_changelog_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert __version__ in text or "Unreleased" in text


def test_documents_name_no_machine() -> None:
    for page in WRITTEN:
        assert not re.search(r"/(?:work|home|root|tmp/pytest)[/ ]", page.read_text("utf-8")), page.name
