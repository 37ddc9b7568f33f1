"""In which encoding a text file is written: by its byte order mark, by being UTF-8, else by what its letters spell.

UTF-8 proves itself: other text is hardly ever valid UTF-8 by chance. What is not UTF-8 is read as Western European
(cp1252, of which latin-1 is the part without bytes 80 to 9F) only where its letters stand as they do in Western words.
Polish read that way has ³ inside words, Russian has words of nothing but accents: then nothing is decided.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import DataError

_PIECE = 1 << 20
_HEAD = 4_096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Longest first: the mark of UTF-32 begins with that of UTF-16."""

_LEAST_NULS = 0.3
_MOST_WRONG = 0.05
_MOST_RARE = 0.2
_KEPT = 100_000
"""Characters outside ASCII that are looked at; a file with more has shown what it is."""

_STRANGE = re.compile(
    r"(?<=[^\W\d_])[^\w\s’‘´·°ºª–—…\x00-\x7f](?=[^\W\d_])|(?<=[a-zß-ÿ])[À-ÞŠŽŒŸ]|[À-ÿ]{3,}|¤"
)
"""A sign between letters, a capital after a small letter, three accented letters in a row, a mark of no currency."""

_RARE = re.compile("[ÐðÝýÞþ]")
"""Frequent in Icelandic alone; where they abound, Turkish or Romanian text was more likely meant."""


@dataclass(frozen=True, slots=True)
class Found:
    """encoding: a codec's name. note: how it was decided, where it is not simply UTF-8."""

    encoding: str
    note: str | None = None


def find_encoding(place: Path) -> Found:
    """The encoding of a text file, which is read once from end to end.

    Raises DataError where it can't be told, naming the first line that is not UTF-8 and never what it holds.
    """
    with place.open("rb") as handle:
        head = handle.read(_HEAD)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            plain = encoding == "utf-8-sig"
            return Found(
                encoding, None if plain else f"{place.name} is read as {encoding}, by its first bytes"
            )
    wide = _wide(head)
    if wide is not None:
        return Found(wide, f"{place.name} is read as {wide}: every other byte of it is zero")
    return Found("utf-8") if _is_utf8(place) else _western(place)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: of mostly ASCII text one byte in two is zero, always the same one."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    least = _LEAST_NULS * len(head) / 2
    if min(even, odd) > 0 or max(even, odd) <= least:
        return None
    return "utf-16-le" if odd else "utf-16-be"


def _is_utf8(place: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with place.open("rb") as handle:
            while piece := handle.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _western(place: Path) -> Found:
    """cp1252 where the letters fit it. Raises DataError else."""
    first, also_utf8, text = _other_lines(place)
    if also_utf8:
        raise _unknown(place, first, f"line {also_utf8} is UTF-8, so the file mixes encodings")
    try:
        said = text.decode("cp1252")
    except UnicodeDecodeError as fault:
        raise _unknown(place, first, "it has bytes that cp1252 lacks") from fault
    n_high = sum(character > "\x7f" for character in said)
    strange = sum(len(found) for found in _STRANGE.findall(said))
    if strange > _MOST_WRONG * n_high or len(_RARE.findall(said)) > _MOST_RARE * n_high:
        raise _unknown(place, first, "its letters spell no Western European words")
    encoding = "cp1252" if any(0x80 <= byte < 0xA0 for byte in text) else "latin-1"
    return Found(
        encoding,
        f"{place.name} is read as {encoding}: line {first} is not UTF-8, and the letters outside ASCII "
        f"({n_high:,} looked at) stand as in Western European words",
    )


def _other_lines(place: Path) -> tuple[int, int, bytes]:
    """The first line that is not UTF-8, the first that is and holds more than ASCII (0: none), and some of the text
    with bytes outside ASCII."""
    first = also = size = 0
    kept: list[bytes] = []
    with place.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                also = also or number
            except UnicodeDecodeError:
                first = first or number
            if size < _KEPT:
                kept.append(line)
                size += len(line)
            elif first and also:
                break
    return first, also, b"".join(kept)


def _unknown(place: Path, line: int, why: str) -> DataError:
    return DataError(
        f"{place.name}: line {line} is not UTF-8, and which encoding it is can't be told: {why}.",
        remedy="Give `encoding` in the brief, such as cp1252, latin-1, cp1250 or cp1251.",
    )
