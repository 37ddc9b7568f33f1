"""Answers held to a JSON schema: what is sent, and the check of what comes back.

The check is made here whatever the server promised. `jsonschema` (MIT) does it; references to other documents
are not followed, so a schema fetches nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mercer.errors import UsageError

ASK = (
    "Answer with one JSON value and nothing else: no explanation, no Markdown. It must be valid against this JSON "
    "Schema:\n"
)
_FENCE = re.compile(r"\s*```(?:json)?[ \t]*\n(.*)\n[ \t]*```\s*", re.DOTALL)


class AnswerError(ValueError):
    """An answer that is no JSON, or not valid against its schema; the message quotes nothing of it."""


class Schema:
    """A JSON schema (draft 2020-12), checked once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises UsageError where `schema` is no valid JSON schema or can't be written as JSON."""
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError
        from referencing import Registry

        try:
            # In the caller's order: a model writes the properties as the schema lists them.
            self.text = json.dumps(schema, allow_nan=False)
            self.content: dict[str, Any] = json.loads(self.text)
            Draft202012Validator.check_schema(self.content)
        except (TypeError, ValueError, RecursionError, SchemaError):
            raise UsageError(
                "The answer's schema is not valid.", remedy="Give a JSON Schema of draft 2020-12."
            ) from None
        self._validator = Draft202012Validator(self.content, registry=Registry())

    def response_format(self) -> dict[str, Any]:
        """The request's part for a server that takes schemas."""
        return {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": self.content},
        }

    def instruction(self) -> str:
        """The system message for one that does not."""
        return ASK + self.text

    def parse(self, text: str) -> Any:
        """The value that `text` spells; one Markdown fence around it is taken off.

        Raises AnswerError for what is no JSON (NaN, a key given twice and a number too long are none) or
        not valid against the schema.
        """
        fenced = _FENCE.fullmatch(text)
        try:
            value = json.loads(
                fenced[1] if fenced else text, parse_constant=_no_number, object_pairs_hook=_once
            )
        except (ValueError, RecursionError):
            raise AnswerError("no JSON") from None
        from jsonschema.exceptions import ValidationError
        from referencing.exceptions import Unresolvable

        try:
            self._validator.validate(value)
        except (ValidationError, RecursionError):
            raise AnswerError("not valid against the schema") from None
        except Unresolvable:
            raise UsageError(
                "The answer's schema refers to another document.", remedy="Put it under `$defs`."
            ) from None
        return value


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is given twice")
    return value
