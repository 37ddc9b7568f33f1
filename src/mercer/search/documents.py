"""Which text of an item goes where: the words indexed, the identifiers, the passage encoded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mercer.search.identifiers import normal
from mercer.search.words import MAX_CHARACTERS

FIELDS = ("title", "text", "category", "brand", "attributes")
"""The texts of an item: columns of the catalogue; of `attributes` the values."""


@dataclass(frozen=True, slots=True)
class Document:
    """One item as the index sees it. texts: by name of FIELDS. identifiers: normalised, each once."""

    texts: Mapping[str, str]
    identifiers: tuple[str, ...]


def documents(items: pd.DataFrame, identifier_columns: Sequence[str]) -> Iterator[Document]:
    """One document a row of `items` (columns ITEM_COLUMNS, maybe `attributes` and extras), in order."""
    columns = {name: _column(items, name) for name in ("item", *FIELDS)}
    extras = [_column(items, name) for name in items.columns if str(name).lower() in identifier_columns]
    for row in range(len(items)):
        attributes = _attributes(columns["attributes"][row])
        named = [value for name, value in attributes if name.lower() in identifier_columns]
        spelled = [columns["item"][row], *(column[row] for column in extras), *named]
        texts = {name: columns[name][row][:MAX_CHARACTERS] for name in FIELDS[:-1]}
        texts["attributes"] = " \n ".join(value for _, value in attributes)[:MAX_CHARACTERS]
        identifiers = dict.fromkeys(key for text in spelled if (key := normal(text)))
        yield Document(texts, tuple(identifiers))


def passages(items: pd.DataFrame) -> list[str]:
    """What is encoded of each item: title and description."""
    pairs = zip(_column(items, "title"), _column(items, "text"), strict=True)
    return [f"{title}. {text}"[:MAX_CHARACTERS] if text else title[:MAX_CHARACTERS] for title, text in pairs]


def _column(items: pd.DataFrame, name: str) -> list[str]:
    if name not in items.columns:
        return [""] * len(items)
    return ["" if pd.isna(value) else str(value) for value in items[name].tolist()]


def _attributes(text: str) -> list[tuple[str, str]]:
    """Names and values of a JSON object; a text that is none is one unnamed value."""
    if not text:
        return []
    try:
        content = json.loads(text[: 10 * MAX_CHARACTERS])
    except (ValueError, RecursionError):
        return [("", text[:MAX_CHARACTERS])]
    if not isinstance(content, dict):
        return [("", str(content))]
    return [(str(name), value) for name, held in content.items() for value in _values(held)]


def _values(held: Any) -> Iterator[str]:
    """The words and numbers of a value; yes and no say nothing without their name."""
    if isinstance(held, str):
        yield held
    elif isinstance(held, int | float) and not isinstance(held, bool):
        yield f"{held:g}" if isinstance(held, float) else str(held)
    elif isinstance(held, list):
        for part in held:
            if isinstance(part, str | int | float) and not isinstance(part, bool):
                yield str(part)
