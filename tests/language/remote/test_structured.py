from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import UsageError
from mercer.language.remote.structured import AnswerError, Schema

ANY = Schema({})
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_what_is_json_is_read_as_it_is(value: Any) -> None:
    assert ANY.parse(json.dumps(value)) == value
    assert ANY.parse(f"```json\n{json.dumps(value, indent=1)}\n```\n") == value


@given(st.text().filter(lambda text: "N" not in text and "I" not in text))
def test_any_other_text_is_an_answer_error(text: str) -> None:
    try:
        read = json.loads(text)
    except ValueError:
        with pytest.raises(AnswerError, match=r"^no JSON$"):
            ANY.parse(text)
    else:
        assert ANY.parse(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "-Infinity",
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        "9" * 5_000,
        '{"a": 1} and more',
        "```\n1\n``` 2",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(AnswerError):
        ANY.parse(text)


@pytest.mark.parametrize(
    ("schema", "bad"),
    [
        ({"type": "integer"}, "1.5"),
        ({"type": "integer"}, "true"),
        ({"enum": ["a"]}, '"b"'),
        ({"type": "object", "required": ["a"]}, "{}"),
        ({"type": "object", "properties": {}, "additionalProperties": False}, '{"a": 1}'),
        ({"type": "array", "maxItems": 1}, "[1, 2]"),
        ({"type": "string", "pattern": "^[a-z]+$"}, '"A"'),
        ({"$defs": {"n": {"minimum": 1}}, "$ref": "#/$defs/n"}, "0"),
        ({"anyOf": [{"type": "null"}, {"maximum": 3}]}, "4"),
    ],
)
def test_what_breaks_the_schema_is_refused_without_being_quoted(schema: dict[str, Any], bad: str) -> None:
    with pytest.raises(AnswerError) as refused:
        Schema(schema).parse(bad)
    assert str(refused.value) == "not valid against the schema"


@pytest.mark.parametrize(
    "schema", [{"type": "whole"}, {"enum": 3}, {"minimum": float("nan")}, {"const": {1, 2}}]
)
def test_a_schema_that_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="schema is not valid"):
        Schema(schema)


def test_a_schema_fetches_nothing() -> None:
    with pytest.raises(UsageError, match="another document"):
        Schema({"$ref": "http://127.0.0.1:9/schema"}).parse("1")


def test_properties_keep_the_order_of_the_schema() -> None:
    assert Schema({"properties": {"why": {}, "answer": {}}}).text.index("why") < 30
