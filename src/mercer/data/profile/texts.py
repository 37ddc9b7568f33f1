"""What personal data the free texts of a column look as if they held: counts by kind, never the content."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mercer.data.personal import KINDS, WORDS, Kind, find_personal
from mercer.data.profile.section import Column, Grid
from mercer.data.profile.words import count, listed

FIRM: tuple[Kind, ...] = ("document", "iban", "card", "social-security", "email", "phone")
"""Kinds that a number or a form gives away; names and addresses are guessed, and an address of the web is no person."""

_MOST = 4_000
_CODE_LENGTHS = (8, 12, 13, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finds:
    """Of a column's distinct texts, `looked` were looked at (evenly spread over all), `counts` hold a kind."""

    place: str
    texts: int
    looked: int
    counts: Mapping[Kind, int]

    def of(self, kinds: Collection[Kind]) -> int:
        """Texts that hold one of these kinds, counted once a kind."""
        return sum(n for kind, n in self.counts.items() if kind in kinds)


def look(place: str, texts: Sequence[str]) -> Finds:
    """Look through a column's distinct texts."""
    step = -(-len(texts) // _MOST) if texts else 1
    sample = texts[::step]
    counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    for text in sample:
        if not _is_article(text):
            for kind in {one.kind for one in find_personal(text)}:
                counts[kind] += 1
    return Finds(
        place=place,
        texts=len(texts),
        looked=len(sample),
        counts={kind: n for kind, n in counts.items() if n},
    )


def _is_article(text: str) -> bool:
    """Whether a whole text is an article number (GTIN) with its right check digit."""
    from stdnum import ean

    return text.isdigit() and len(text) in _CODE_LENGTHS and bool(ean.is_valid(text))


def said(finds: Finds, kinds: Collection[Kind] = KINDS) -> str:
    """`items.title (2 e-mail addresses and 1 phone number)`."""
    parts = [f"{count(n)} {WORDS[kind][n != 1]}" for kind, n in finds.counts.items() if kind in kinds]
    return f"{finds.place} ({listed(parts)})"


def grid(finds: Sequence[Finds]) -> Grid:
    """Finds by column and kind."""
    kinds = [kind for kind in KINDS if any(kind in one.counts for one in finds)]
    return Grid(
        title="What free texts look as if they held" if kinds else "Free texts, in which nothing was found",
        columns=(
            Column(name="column"),
            Column(name="distinct texts", align="right"),
            Column(name="looked at", align="right"),
            *(Column(name=WORDS[kind][1], align="right") for kind in kinds),
        ),
        rows=tuple(
            (one.place, count(one.texts), count(one.looked), *(count(one.counts.get(kind, 0)) for kind in kinds))
            for one in finds
        ),
    )  # fmt: skip
