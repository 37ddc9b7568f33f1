"""Personal data that people type where it does not belong. None of it is anybody's: the numbers are made up, the
domains are reserved for examples and the phone numbers for drama."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ISSUERS = (("4", 16), ("51", 16), ("2221", 16), ("2720", 16), ("37", 15), ("6011", 16), ("3528", 16))
_DOMAINS = ("example.com", "example.org", "mail.example.net")
_WORDS = ("garden", "river", "coffee", "north", "maple", "harbour", "wren", "oak")


def card_number(n: int) -> str:
    """A made-up number of the n-th kind with a right check digit (Luhn), sometimes in groups of four."""
    prefix, length = _ISSUERS[n % len(_ISSUERS)]
    body = (prefix + f"{(n + 3) * 7_919_317_771:012d}"[::-1] * 2)[: length - 1]
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 * (doubled > 9)
    number = body + str(-total % 10)
    separator = ("", " ", "-")[n % 3]
    return separator.join(number[at : at + 4] for at in range(0, length, 4))


def email(n: int) -> str:
    """A made-up address at a domain reserved for examples (RFC 2606)."""
    word, other = _WORDS[n % len(_WORDS)], _WORDS[(n // len(_WORDS) + 3) % len(_WORDS)]
    return f"{word}.{other}{n % 90 + 10}@{_DOMAINS[n % len(_DOMAINS)]}"


def phone(n: int) -> str:
    """A number from a range kept for drama: London (Ofcom), Berlin (Bundesnetzagentur), New York (555-01xx)."""
    return (f"+44 20 7946 0{n % 1000:03d}", f"+49 30 23125 {n % 1000:03d}", f"+1 212 555 01{n % 100:02d}")[
        n % 3
    ]


@dataclass(frozen=True)
class Typed:
    """Personal data in a query: which search, and which kind (email, phone)."""

    row: int
    kind: str


def type_into(
    text: tuple[str, ...], rng: np.random.Generator, share: float = 0.004
) -> tuple[tuple[str, ...], list[Typed]]:
    """The same texts, a share of them (two at least) with an e-mail address or a phone number typed in."""
    n = min(len(text), max(2, round(share * len(text))))
    changed = list(text)
    typed = []
    for number, row in enumerate(np.sort(rng.choice(len(text), n, replace=False)).tolist()):
        kind = ("email", "phone")[number % 2]
        found = email(number) if kind == "email" else phone(number)
        changed[row] = (f"order {found}", f"{text[row]} {found}")[number // 2 % 2]
        typed.append(Typed(row, kind))
    return tuple(changed), typed
