"""Free text: bytes that break other programs, texts that are too long, and personal data that must not stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Bools, Sheet
from mercer.data.personal import Kind, holds, redact

LONGEST = 100_000
FREE_TEXT = ("title", "text", "query")


def _texts(sheet: Sheet) -> Iterator[pa.ChunkedArray]:
    """Every column of text."""
    for column in sheet.frame.columns:
        if sheet.frame[column].dtype == object or pd.api.types.is_string_dtype(sheet.frame[column]):
            array = pa.array(sheet.frame[column], from_pandas=True)
            if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
                yield array


def _any(sheet: Sheet, test: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Bools:
    found = np.zeros(len(sheet.frame), bool)
    for array in _texts(sheet):
        found |= np.asarray(pc.fill_null(test(array), fill_value=False), bool)
    return found


def _nul(sheet: Sheet, _facts: Facts) -> int:
    bad = _any(sheet, lambda texts: pc.match_substring(texts, "\0"))
    return sheet.quarantine(bad, "nul-bytes", "text holds NUL")


def _long(sheet: Sheet, _facts: Facts) -> int:
    bad = _any(sheet, lambda texts: pc.greater(pc.utf8_length(texts), LONGEST))
    return sheet.quarantine(bad, "text-too-long", f"text of over {LONGEST:,} characters")


def _cards(sheet: Sheet, _facts: Facts) -> int:
    bad = np.zeros(len(sheet.frame), bool)
    for column in FREE_TEXT:
        if column in sheet.frame.columns:
            codes, texts = pd.factorize(sheet.frame[column])
            bad |= np.array([*(holds(str(text), "card") for text in texts), False], bool)[codes]
    return sheet.quarantine(bad, "card-number-in-text", "text holds what may be a card number")


def _redact(column: str, kind: Kind) -> Callable[[Sheet, Facts], int]:
    def apply(sheet: Sheet, _facts: Facts) -> int:
        if column not in sheet.frame.columns:
            return 0
        values: pd.Series[Any] = sheet.frame[column]
        codes, texts = pd.factorize(values)
        changed = [redact(text, kind) if isinstance(text, str) else text for text in texts]
        differs = np.array([a != b for a, b in zip(texts, changed, strict=True)] + [False], bool)
        hit = differs[codes]
        if hit.any():
            new = np.array([*changed, None], object)[codes]
            sheet.frame = sheet.frame.assign(**{column: new})
        return int(hit.sum())

    return apply


def _redact_cards(text: str) -> str:
    return redact(text, "card")


SCRUB = {
    "title": _redact_cards,
    "text": _redact_cards,
    "query": lambda text: redact(text, "card", "email", "phone"),
}
"""What quarantine may not keep of free text either."""

NUL = Rule("nul-bytes", "A text that holds a NUL byte breaks other programs.", "quarantine", _nul)
LONG = Rule(
    "text-too-long", f"A text of over {LONGEST:,} characters is no title, text or query.", "quarantine", _long
)
CARDS = Rule(
    "card-number-in-text", "Free text that holds what may be a payment card's number may not be kept.",
    "quarantine", _cards,
)  # fmt: skip
EMAILS = Rule(
    "email-in-text", "An e-mail address in a query is replaced.", "redact", _redact("query", "email")
)
PHONES = Rule("phone-in-text", "A phone number in a query is replaced.", "redact", _redact("query", "phone"))
