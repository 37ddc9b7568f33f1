"""Values that go into prompts: data of a catalogue or of a person, made harmless in form and bounded in length.

A value is one line of visible text. Line breaks would let it pose as another line of the prompt, and what can't be
seen (control characters, marks of direction, tags, zero-width characters) would let it hold words that nobody reads.
What the words say is left alone: a filter on meaning would be a guess. Control tokens of a model are text here, too;
`Decoder.encode` sees to that.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Literal, Protocol

from mercer.data.money import decimals
from mercer.errors import UsageError

Kind = Literal["text", "number", "list of text", "money"]

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters and marks that show nothing although their Unicode category says otherwise."""


class Tokens(Protocol):
    """What is needed of a decoder to bound a text."""

    def cut(self, text: str, tokens: int) -> str:
        """The beginning of a text that takes at most so many tokens."""
        ...


def folded(text: str) -> str:
    """One line of visible text, words one blank apart; lone surrogates, which no UTF-8 holds, become "?"."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(map(_visible, valid)).split())


def _visible(character: str) -> str:
    if character in _INVISIBLE or _is_variation(character):
        return ""
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category.startswith("C") else character


def _is_variation(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def written(value: object, kind: Kind) -> str | tuple[str, ...]:
    """A value as text: several texts for a list, else one.

    number: a finite number, whole or not. money: minor units and a currency code, such as (1299, "GBP").
    Raises UsageError for a value of another type; the message does not show it.
    """
    if kind == "text" and isinstance(value, str):
        return folded(value)
    if kind == "list of text" and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return tuple(folded(v) for v in value)
    if kind == "number" and isinstance(value, int | float) and math.isfinite(value):
        return f"{value:.12g}"
    if kind == "money" and isinstance(value, tuple) and len(value) == 2:
        minor, currency = value
        if isinstance(minor, int) and isinstance(currency, str):
            return folded(_money(minor, currency))
    raise UsageError(
        f"A value of type {type(value).__name__} was given where a prompt needs {kind}.",
        remedy="Give what the prompt's file says under `variables`.",
    )


def _money(minor: int, currency: str) -> str:
    places = decimals(currency)
    return f"{minor / 10**places:.{places}f} {currency}"
