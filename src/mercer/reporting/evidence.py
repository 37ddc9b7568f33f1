"""Every figure on the page carries the id of what it rests on; this gives each id its number."""

from __future__ import annotations

from markupsafe import Markup

_MARK = Markup(
    '<a class="ev" href="#ev-{number}" data-evidence="{name}" aria-label="evidence {number}">{number}</a>'
)

_FILES = {
    "leaderboard": "leaderboard.json",
    "gates": "gates.json",
    "manifest": "manifest.json",
    "accounting": "data/accounting.json",
    "brief": "brief.yaml",
    "scores": "scores/",
    "data": "data/",
    "state": "state/",
}


class EvidenceList:
    """Ids in the order they are first cited."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cite(self, *ids: str) -> Markup:
        """Small numbered references to the appendix, one an id."""
        marks = []
        for name in dict.fromkeys(ids):
            number = self._numbers.setdefault(name, len(self._numbers) + 1)
            marks.append(_MARK.format(number=number, name=name))
        return Markup("").join(marks)

    def entries(self) -> list[tuple[int, str, str]]:
        """(number, id, file of the run folder) of everything cited."""
        return [(number, name, file_of(name)) for name, number in self._numbers.items()]


def file_of(evidence: str) -> str:
    """The file of the run folder that an id points into."""
    root = evidence.replace("[", ".").replace("/", ".").split(".")[0]
    found = _FILES.get(root, "")
    return evidence if found.endswith("/") else found
