"""Search texts: written from attributes, sometimes misspelt, sometimes for what the shop does not have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mercer.simulate.catalogue import Catalogue
from mercer.simulate.season import Ints
from mercer.simulate.wording import attributes_of

CONDITIONS = ("variety", "colour", "size", "brand")
_FORMS: tuple[tuple[str, ...], ...] = (
    (), (), ("variety",), ("variety",), ("variety",), ("colour",), ("brand",), ("size",), ("variety", "colour"),
    ("variety", "size"), ("brand", "variety"), ("use",),
)  # fmt: skip
_NEAR = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o", "k": "l", "l": "k",
    "m": "n", "n": "m", "o": "i", "p": "o", "r": "t", "s": "a", "t": "y", "u": "i", "v": "b", "w": "e", "y": "u",
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A search text and what it asks for.

    type_number: position of the type wanted. asked: the conditions as attribute -> value.
    """

    text: str
    type_number: int
    asked: tuple[tuple[str, str], ...]
    misspelt: bool = False


def write_query(catalogue: Catalogue, item: int, rng: np.random.Generator) -> Query:
    """What a person might type who wants something like this item."""
    kind = catalogue.type_of(item)
    known = attributes_of(catalogue, item)
    form = _FORMS[rng.integers(len(_FORMS))]
    asked = tuple((name, known[name]) for name in form if name in known)
    names = (kind.name, *kind.words)
    name = names[rng.integers(len(names))] if rng.random() < 0.55 else kind.name
    values = dict(asked)
    before = [
        values[n] for n in ("brand", "size", "colour", "variety") if n in values and not _is_amount(n, values)
    ]
    after = [values["size"]] if "size" in values and _is_amount("size", values) else []
    tail = [f"for {kind.used_for}"] if "use" in form else []
    return Query(" ".join([*before, name, *after, *tail]).lower(), int(catalogue.kind_of[item]), asked)


def _is_amount(name: str, values: dict[str, str]) -> bool:
    """Whether a size reads better behind the name: '500 g', '28 cm'."""
    return name == "size" and values["size"][0].isdigit()


def misspell(text: str, rng: np.random.Generator) -> str:
    """One slip in one of the longer words: letters swapped, doubled, left out, or the key beside it hit."""
    words = text.split(" ")
    long = [number for number, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return text
    number = long[rng.integers(len(long))]
    word = words[number]
    at = int(rng.integers(1, len(word) - 1))
    slip = rng.integers(4)
    if slip == 0 and word[at] != word[at + 1]:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif slip == 1:
        word = word[: at + 1] + word[at:]
    elif slip == 2 and word[at] != word[at - 1]:
        word = word[:at] + word[at + 1 :]
    else:
        word = word[:at] + _NEAR.get(word[at], "e") + word[at + 1 :]
    words[number] = word
    return " ".join(words)


def write_queries(
    catalogue: Catalogue, items: Ints, share_misspelt: float, rng: np.random.Generator
) -> list[Query]:
    """One query an item, a share of them misspelt."""
    written = []
    for item in items:
        query = write_query(catalogue, int(item), rng)
        if rng.random() < share_misspelt:
            slipped = misspell(query.text, rng)
            query = Query(slipped, query.type_number, query.asked, slipped != query.text)
        written.append(query)
    return written
