"""Free text: bytes that break other programs, texts that are too long, and personal data that must not stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mercer.data.cleaning.cards import holds_card_number
from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Bools, Sheet

LONGEST = 100_000
FREE_TEXT = ("title", "text", "query")
ANY_TEXT = (*FREE_TEXT, "event", "user", "item", "basket", "category", "brand", "channel", "session")

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}")
_MAYBE_PHONE = re.compile(r"\d(?:[ ().\-/]?\d){6,}")


def _where(sheet: Sheet, columns: tuple[str, ...], test: Callable[[str], bool]) -> Bools:
    """Rows where any of the columns holds a text that passes; each distinct text is tested once."""
    found = np.zeros(len(sheet.frame), bool)
    for column in columns:
        if column in sheet.frame.columns:
            codes, texts = pd.factorize(sheet.frame[column])
            hits = np.array([isinstance(text, str) and test(text) for text in texts], bool)
            found |= np.append(hits, False)[codes]
    return found


def _nul(sheet: Sheet, _facts: Facts) -> int:
    return sheet.quarantine(_where(sheet, ANY_TEXT, lambda text: "\0" in text), "nul-bytes", "text holds NUL")


def _long(sheet: Sheet, _facts: Facts) -> int:
    bad = _where(sheet, ANY_TEXT, lambda text: len(text) > LONGEST)
    return sheet.quarantine(bad, "text-too-long", f"text of over {LONGEST:,} characters")


def _cards(sheet: Sheet, _facts: Facts) -> int:
    bad = _where(sheet, FREE_TEXT, holds_card_number)
    return sheet.quarantine(bad, "card-number-in-text", "text holds what may be a card number")


def redact_emails(text: str) -> str:
    """The text with e-mail addresses replaced."""
    return _EMAIL.sub("‹email›", text)


def redact_phones(text: str) -> str:
    """The text with phone numbers replaced: what the numbering plans of the world call possible and valid."""
    if not _MAYBE_PHONE.search(text):
        return text
    import phonenumbers

    for region in ("GB", "US", "DE", "FR"):
        matches = list(phonenumbers.PhoneNumberMatcher(text, region))
        for match in reversed(matches):
            text = text[: match.start] + "‹phone›" + text[match.end :]
    return text


def _redact(column: str, change: Callable[[str], str]) -> Callable[[Sheet, Facts], int]:
    def apply(sheet: Sheet, _facts: Facts) -> int:
        if column not in sheet.frame.columns:
            return 0
        values: pd.Series[Any] = sheet.frame[column]
        codes, texts = pd.factorize(values)
        changed = [change(text) if isinstance(text, str) else text for text in texts]
        differs = np.array([a != b for a, b in zip(texts, changed, strict=True)] + [False], bool)
        hit = differs[codes]
        if hit.any():
            new = np.array([*changed, None], object)[codes]
            sheet.frame = sheet.frame.assign(**{column: new})
        return int(hit.sum())

    return apply


NUL = Rule("nul-bytes", "A text that holds a NUL byte breaks other programs.", "quarantine", _nul)
LONG = Rule(
    "text-too-long", f"A text of over {LONGEST:,} characters is no title, text or query.", "quarantine", _long
)
CARDS = Rule(
    "card-number-in-text", "Free text that holds what may be a payment card's number may not be kept.",
    "quarantine", _cards,
)  # fmt: skip
EMAILS = Rule(
    "email-in-text", "An e-mail address in a query is replaced.", "redact", _redact("query", redact_emails)
)
PHONES = Rule(
    "phone-in-text", "A phone number in a query is replaced.", "redact", _redact("query", redact_phones)
)
