"""Whether a capital means something in a text: in a sentence it does, in the title of an article it does not."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")


def is_prose(text: str) -> bool:
    """Whether two in five of the words, at least, begin small, or the text has several lines."""
    words = _WORD.findall(text)
    small = sum(word[0].islower() for word in words)
    return small >= 0.4 * len(words) or "\n" in text.strip()
