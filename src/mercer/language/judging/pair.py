"""What a judge reads, and how it signs."""

from __future__ import annotations

import re
from dataclasses import dataclass

TITLE = 200
TEXT = 300
QUERY = 200
"""Characters of each that a judge reads."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as a judge sees it."""

    title: str
    text: str = ""

    def shown(self) -> str:
        """Title and description on one line, cut; line breaks of the catalogue are no lines of the prompt."""
        title, text = _line(self.title, TITLE), _line(self.text, TEXT)
        return f"{title}. {text}" if text else title


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and an item to grade for it."""

    query: str
    item: Item

    def asked(self) -> str:
        """The query on one line, cut."""
        return _line(self.query, QUERY)


def signature(name: str, fingerprint: str) -> str:
    """What stands in the column `judge` of judgments that a model made: `model:NAME@FINGERPRINT`."""
    return f"model:{name}@{fingerprint[:12]}"


def _line(text: str, longest: int) -> str:
    return re.sub(r"\s+", " ", text).strip()[:longest]
