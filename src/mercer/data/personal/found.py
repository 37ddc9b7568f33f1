"""What a finder hands back: a kind and a place in a text, never the content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "document", "iban", "card", "social-security", "email", "ip", "phone", "url", "person", "address"
]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""From what is said or can be checked to what is guessed: where two finds overlap, the earlier kind stands."""

WORDS: dict[Kind, tuple[str, str]] = {
    "card": ("card number", "card numbers"),
    "iban": ("bank account", "bank accounts"),
    "social-security": ("social security number", "social security numbers"),
    "document": ("number of a document", "numbers of documents"),
    "email": ("e-mail address", "e-mail addresses"),
    "phone": ("phone number", "phone numbers"),
    "ip": ("IP address", "IP addresses"),
    "url": ("web address", "web addresses"),
    "person": ("name of a person", "names of persons"),
    "address": ("postal address", "postal addresses"),
}
"""Kind as a page says it: one, many."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """Personal data of a kind at text[start:end]."""

    start: int
    end: int
    kind: Kind


def apart(found: Iterable[Found]) -> list[Found]:
    """Finds that don't overlap, in order of place: of two that do, the kind that is surer, then the longer one."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (KINDS.index(f.kind), f.start - f.end, f.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept)
