"""Article numbers: item ids, GTINs, part numbers. A query that is one gets that item first.

Two spellings are one identifier when their letters and digits agree: case, spaces, hyphens, slashes and dots
are ignored, and so are leading zeros of a number of eight or more digits (a 12-digit UPC is the 13-digit EAN
with a zero in front).
"""

from __future__ import annotations

from mercer.search.words import fold

COLUMNS = (
    "ean", "gtin", "upc", "isbn", "asin", "sku", "mpn", "article", "article_number", "part_number",
    "model_number",
)  # fmt: skip
"""Extra columns and attributes that hold identifiers, beside `item` itself."""

_MAX = 64
_GTIN_DIGITS = 8
_LEAST = 5


def normal(text: str) -> str:
    """Letters and digits alone, folded; "" for what can't be an identifier (nothing left, or over 64)."""
    if len(text) > 4 * _MAX:
        return ""
    key = "".join(c for c in fold(text) if c.isalnum())
    if key.isdigit() and len(key) >= _GTIN_DIGITS:
        key = key.lstrip("0")
    return key if len(key) <= _MAX else ""


def candidates(query: str) -> list[str]:
    """What in a query may be an identifier: the whole query, and each word of five characters with a digit.

    Shorter numbers inside a longer query ("windows 10", "rtx 2060") are ordinary words.
    """
    keys = [normal(query)]
    for word in query[: 16 * _MAX].split():
        key = normal(word)
        if len(key) >= _LEAST and any(c.isdigit() for c in key):
            keys.append(key)
    return [key for key in dict.fromkeys(keys) if key]
