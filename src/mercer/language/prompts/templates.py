"""Templates of prompts: text with {name} where a value goes, and nothing else.

No expression, no attribute, no format code: what stands in braces is a name. A value is put in as it is and never
read again, so braces inside a value are text. A brace of the template itself is doubled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PART = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}|[{}]")


def names(template: str) -> tuple[str, ...]:
    """The names in a template, each once, in their order. Raises ValueError for a brace that encloses no name."""
    found: dict[str, None] = {}
    for match in _PART.finditer(template):
        if match["name"] is not None:
            found[match["name"]] = None
        elif len(match[0]) == 1:
            raise ValueError(
                f"a brace at character {match.start()} encloses no name; write {{name}}, or double it"
            )
    return tuple(found)


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each name replaced by its value. Raises KeyError for a name without a value."""

    def part(match: re.Match[str]) -> str:
        return values[match["name"]] if match["name"] is not None else match[0][0]

    return _PART.sub(part, template)
