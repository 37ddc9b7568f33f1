"""A documented subset of JSON Schema as an automaton over bytes: every text that it lets through is valid.

Supported, with these keywords and no others:
    object     properties (written in the order of the schema), required, additionalProperties (none are written)
    array      items, minItems, maxItems
    string     minLength, maxLength
    integer    minimum, maximum, exclusiveMinimum, exclusiveMaximum; at most 15 digits
    number     the same; no exponent, at most 4 decimals and 11 digits before the point
    boolean, null, enum, const, anyOf, a list of types
and title, description, default, examples, $schema and $comment anywhere, which change nothing. A schema that
lets more through than the automaton writes is still kept; one that asks for more is refused by name and path.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from mercer.errors import UnsupportedError
from mercer.language.generating.grammar.node import Node
from mercer.language.generating.grammar.nodes import Nodes

INTEGER_DIGITS = 15
NUMBER_DIGITS = 11
DECIMALS = 4

_NOTES = frozenset({"title", "description", "default", "examples", "$schema", "$comment"})
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_KEYWORDS: dict[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength"}),
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "boolean": frozenset(),
    "null": frozenset(),
}


MOST_PROPERTIES = 50
"""Of an object: what may follow one property holds what may follow the next, so that many stand deep."""


class Grammar:
    """A schema, ready to write by. start: the node for a whole text.

    Texts are written without spaces, as `dumps` writes them; examples for fine-tuning should be written so too.
    Stability: caller stable.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises UnsupportedError naming the keyword and its path, or the path of what nothing satisfies."""
        self.schema = schema
        self._nodes = Nodes()
        self.start: Node = self._value(schema, "#")

    @staticmethod
    def dumps(value: Any) -> str:
        """The text of a value as the grammar writes it; properties must be in the order of the schema."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    def accepts(self, text: str) -> bool:
        """Whether the grammar can write this text."""
        reached = self.start.follow(text.encode("utf-8", "replace"))
        return reached is not None and reached.ends

    def _value(self, schema: Any, path: str) -> Node:
        if not isinstance(schema, Mapping):
            raise _unsupported(repr(schema), path, "a schema that is no object")
        keywords = set(schema) - _NOTES
        if "anyOf" in keywords:
            _only(keywords, {"anyOf"}, path)
            return self._any_of(schema["anyOf"], path)
        types = _types(schema, path)
        if keywords & {"enum", "const"}:
            _only(keywords, {"enum", "const", "type"}, path)
            return self._given(schema, types, path)
        if not types:
            raise UnsupportedError(
                f"The schema at {path} says no type.", remedy="Give it type, enum, const or anyOf."
            )
        _only(keywords, {"type"}.union(*(_KEYWORDS[name] for name in types)), path)
        return self._nodes.either([self._typed(name, schema, path) for name in types])

    def _any_of(self, choices: Any, path: str) -> Node:
        if not isinstance(choices, list) or not choices:
            raise _unsatisfiable(f"{path}/anyOf", "it lists no schema")
        return self._nodes.either([self._value(one, f"{path}/anyOf/{n}") for n, one in enumerate(choices)])

    def _given(self, schema: Mapping[str, Any], types: list[str], path: str) -> Node:
        """One of the listed values that have the type."""
        values = schema.get("enum", [schema.get("const")])
        if not isinstance(values, list):
            raise _unsupported("enum", path, "a value that is no list")
        if "const" in schema:
            values = [value for value in values if _same(value, schema["const"])]
        fitting = [value for value in values if not types or any(_is(value, name) for name in types)]
        if not fitting:
            raise _unsatisfiable(path, "no value of enum or const has the type")
        try:
            return self._nodes.any_of(self.dumps(value).encode() for value in fitting)
        except (ValueError, TypeError) as fault:
            raise _unsupported("enum", path, "a value that JSON in UTF-8 can't hold") from fault

    def _typed(self, name: str, schema: Mapping[str, Any], path: str) -> Node:
        nodes = self._nodes
        if name == "object":
            return self._object(schema, path)
        if name == "array":
            return self._array(schema, path)
        if name == "string":
            least, most = _counts(schema, "minLength", "maxLength", path)
            quote = nodes.literal(b'"')
            return nodes.chain(quote, nodes.chain(nodes.text(least, most), quote))
        if name == "boolean":
            return nodes.any_of([b"true", b"false"])
        if name == "null":
            return nodes.literal(b"null")
        places, digits = (0, INTEGER_DIGITS) if name == "integer" else (DECIMALS, NUMBER_DIGITS)
        return self._number(schema, places, digits, path)

    def _number(self, schema: Mapping[str, Any], places: int, digits: int, path: str) -> Node:
        low, high = _bounds(schema, places, 10 ** (digits + places) - 1, path)
        signed = []
        if high >= 0:
            signed.append(self._nodes.number((max(0, low), high), places))
        if low < 0:
            below = self._nodes.number((max(1, -high), -low), places)
            signed.append(self._nodes.chain(self._nodes.literal(b"-"), below))
        return self._nodes.either(signed)

    def _array(self, schema: Mapping[str, Any], path: str) -> Node:
        least, most = _counts(schema, "minItems", "maxItems", path)
        nodes = self._nodes
        if most == 0:
            return nodes.literal(b"[]")
        if "items" not in schema:
            raise UnsupportedError(f"The array at {path} says no items.", remedy="Give it items.")
        item = self._value(schema["items"], f"{path}/items")
        more = nodes.times(
            nodes.chain(nodes.literal(b","), item), max(0, least - 1), None if most is None else most - 1
        )
        filled = nodes.chain(nodes.literal(b"["), nodes.chain(item, nodes.chain(more, nodes.literal(b"]"))))
        return filled if least else nodes.either([nodes.literal(b"[]"), filled])

    def _object(self, schema: Mapping[str, Any], path: str) -> Node:
        """Built from the end: what may follow when no property has been written yet, and when one has."""
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, Mapping):
            raise _unsupported("properties", path, "a value that is no object")
        if not isinstance(schema.get("additionalProperties", False), bool):
            raise _unsupported("additionalProperties", path, "a schema")
        if not isinstance(required, list) or not set(required) <= set(properties):
            raise _unsupported("required", path, "a property that is not listed")
        if len(properties) > MOST_PROPERTIES:
            raise UnsupportedError(
                f"The object at {path} has {len(properties)} properties; {MOST_PROPERTIES} can be written.",
                remedy="Ask for fewer keys.",
            )
        nodes = self._nodes
        first = further = nodes.literal(b"}")
        for name in reversed(properties):
            named = nodes.literal(self.dumps(name).encode("utf-8", "replace") + b":")
            written = nodes.chain(named, self._value(properties[name], f"{path}/properties/{name}"))
            begun = nodes.chain(written, further)
            added = nodes.chain(nodes.literal(b","), begun)
            first = begun if name in required else nodes.either([begun, first])
            further = added if name in required else nodes.either([added, further])
        return nodes.chain(nodes.literal(b"{"), first)


def _types(schema: Mapping[str, Any], path: str) -> list[str]:
    told = schema.get("type", [])
    types = told if isinstance(told, list) else [told]
    for name in types:
        if name not in _KEYWORDS:
            raise _unsupported("type", path, f"the value {name!r}")
    return types


def _only(keywords: set[str], allowed: set[str], path: str) -> None:
    for name in sorted(keywords - allowed):
        raise _unsupported(name, path, "")


def _counts(schema: Mapping[str, Any], least_name: str, most_name: str, path: str) -> tuple[int, int | None]:
    least, most = schema.get(least_name, 0), schema.get(most_name)
    for name, value in ((least_name, least), (most_name, most if most is not None else 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise _unsupported(name, path, "a value that is no count")
    if most is not None and least > most:
        raise _unsatisfiable(path, f"{least_name} is above {most_name}")
    return least, most


def _bounds(schema: Mapping[str, Any], places: int, limit: int, path: str) -> tuple[int, int]:
    """The lowest and highest number, in units of the last decimal."""
    lows, highs = [-limit], [limit]
    for name, value in _told_bounds(schema, path):
        scaled = value * 10**places
        if name == "minimum":
            lows.append(math.ceil(scaled))
        elif name == "maximum":
            highs.append(math.floor(scaled))
        elif name == "exclusiveMinimum":
            lows.append(math.floor(scaled) + 1)
        else:
            highs.append(math.ceil(scaled) - 1)
    if max(lows) > min(highs):
        raise _unsatisfiable(path, "no number within the digits written lies in its bounds")
    return max(lows), min(highs)


def _told_bounds(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Fraction]]:
    for name in sorted(_BOUNDS & set(schema)):
        value = schema[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _unsupported(name, path, "a value that is no number")
        # As it is written: 0.1 means a tenth, not the double nearest to it.
        yield name, Fraction(repr(value))


def _is(value: Any, name: str) -> bool:
    """Whether a value has a type, as JSON Schema sees it: 1.0 is an integer, true is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "integer": is_number and value == int(value),
        "number": is_number,
        "boolean": isinstance(value, bool),
        "null": value is None,
    }[name]


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _unsupported(keyword: str, path: str, what: str) -> UnsupportedError:
    return UnsupportedError(
        f"The schema at {path} uses {keyword}{' with ' + what if what else ''}, which is not supported here.",
        remedy="Use the subset that `mercer.language.generating.grammar.schema` lists.",
    )


def _unsatisfiable(path: str, why: str) -> UnsupportedError:
    return UnsupportedError(f"No value satisfies the schema at {path}: {why}.", remedy="Change the schema.")
