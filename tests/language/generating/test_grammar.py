"""Grammar and Vocabulary: what is written is valid, what is valid can be written, what is not supported is named."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.generating.schemas import SCHEMAS, value_of
from mercer.errors import UnsupportedError
from mercer.language.decoders.card import FAMILIES
from mercer.language.generating.grammar import Grammar, Vocabulary
from mercer.language.generating.grammar.schema import MOST_PROPERTIES
from mercer.testing.decoders import tiny_decoder

VOCABULARIES = {family: Vocabulary(tiny_decoder(family)) for family in FAMILIES}


@settings(max_examples=60, deadline=None)
@given(schema=SCHEMAS, data=st.data())
def test_whatever_is_written_is_valid(schema, data):
    node, text = Grammar(schema).start, bytearray()
    while not node.is_complete and len(text) < 60:
        if node.ends and data.draw(st.booleans()):
            break
        byte = data.draw(st.sampled_from(node.options))
        text.append(byte)
        node = node.after(byte)
    jsonschema.validate(json.loads(bytes(text) + node.shortest), schema)


@settings(max_examples=60, deadline=None)
@given(schema=SCHEMAS, data=st.data())
def test_whatever_is_valid_can_be_written(schema, data):
    value = value_of(schema, data.draw)
    text = Grammar.dumps(value)
    assert Grammar(schema).accepts(text)


@settings(max_examples=60, deadline=None)
@given(low=st.integers(-1_050, 1_050), size=st.integers(0, 300))
def test_integers_are_those_within_the_bounds(low, size):
    grammar = Grammar({"type": "integer", "minimum": low, "maximum": low + size})
    written = {number for number in range(-1_400, 1_400) if grammar.accepts(str(number))}
    assert written == set(range(low, low + size + 1))
    assert not any(
        grammar.accepts(text) for text in ("-0", "00", "01", "1.0", "1e1", "+1", "", "-", f"{low}.0")
    )


def test_decimals_are_those_within_the_bounds():
    grammar = Grammar({"type": "number", "minimum": -0.3, "exclusiveMaximum": 1.1})
    written = [
        text for text in (f"{number / 100:.2f}" for number in range(-200, 300)) if grammar.accepts(text)
    ]
    assert written == [f"{number / 100:.2f}" for number in range(-30, 110)]
    for text in ("1", "0", "0.0999", "1.0", "-0.3"):
        assert grammar.accepts(text)
    for text in ("1.1", "-0.31", "-0", "-0.0", "1.", ".5", "0.12345", "01.0", "2"):
        assert not grammar.accepts(text)


def test_bounds_that_exclude_their_number_exclude_it():
    grammar = Grammar({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 4})
    assert [number for number in range(9) if grammar.accepts(str(number))] == [2, 3]


def test_text_counts_characters_and_refuses_what_json_does():
    grammar = Grammar({"type": "string", "maxLength": 2})
    for text in ('""', '"a"', '"日本"', '"\\n\\""', '"🎧\\\\"'):
        assert grammar.accepts(text)
    for text in ('"abc"', '"a\nb"', '"', '"\\x"', '"a""', "a"):
        assert not grammar.accepts(text)
    inside = grammar.start.after(0x22)
    for sequence in (
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\x80",
        b"\xf4\x90\x80\x80",
        b"\xe0\x80\x80",
    ):
        assert inside.follow(sequence) is None, "this is no UTF-8"


def test_properties_come_in_the_order_of_the_schema():
    schema = {
        "type": "object",
        "properties": {"b": {"type": "null"}, "a": {"type": "null"}},
        "required": ["a"],
    }
    grammar = Grammar(schema)
    assert grammar.accepts('{"b":null,"a":null}')
    assert grammar.accepts('{"a":null}')
    for text in ('{"a":null,"b":null}', '{"b":null}', "{}", '{"a":null,}', '{"b":null,"b":null,"a":null}'):
        assert not grammar.accepts(text)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "pattern": "a"}, "at # uses pattern"),
        ({"type": "array", "items": {"type": "integer", "multipleOf": 2}}, "at #/items uses multipleOf"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, r"at #/properties/a says no type"),
        ({"anyOf": [{"type": "null"}, {"oneOf": []}]}, "at #/anyOf/1 says no type"),
        ({"anyOf": [{"type": "null"}], "type": "null"}, "at # uses type"),
        ({"type": "file"}, "type with the value 'file'"),
        ({"type": "object", "required": ["a"]}, "required with a property"),
        ({"type": "object", "additionalProperties": {"type": "null"}}, "additionalProperties with a schema"),
        ({"type": "array"}, "says no items"),
        (
            {"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(51)}},
            "has 51 properties",
        ),
        ({"type": "string", "maxLength": -1}, "maxLength with a value"),
        ({"type": "integer", "maximum": "9"}, "maximum with a value"),
        (True, "no object"),
        ({"enum": ["\ud800"]}, "enum with a value that JSON"),
        ({"enum": [float("nan")]}, "enum with a value that JSON"),
        ({"enum": []}, "No value satisfies the schema at #: no value"),
        ({"enum": ["a"], "type": "integer"}, "No value satisfies"),
        ({"const": 1, "enum": [True, 2]}, "No value satisfies"),
        ({"anyOf": []}, "No value satisfies the schema at #/anyOf"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "No value satisfies"),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, "No value satisfies"),
        ({"type": "number", "minimum": 1e12}, "No value satisfies"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "No value satisfies"),
        ({"type": "array", "items": {"enum": []}, "minItems": 1}, "at #/items"),
    ],
)
def test_what_is_not_supported_or_not_possible_is_named_with_its_path(schema, said):
    with pytest.raises(UnsupportedError, match=said):
        Grammar(schema)


def test_as_many_properties_as_are_allowed():
    names = [f"p{number}" for number in range(MOST_PROPERTIES)]
    grammar = Grammar({"type": "object", "properties": {name: {"type": "integer"} for name in names}})
    assert grammar.start.shortest == b"{}"
    assert grammar.accepts("{" + ",".join(f'"{name}":1' for name in names) + "}")
    assert grammar.accepts('{"p49":1}')


def test_thousands_of_values():
    values = [f"value {number} of {number % 7}" for number in range(20_000)]
    grammar = Grammar({"enum": values})
    assert all(grammar.accepts(Grammar.dumps(value)) for value in values[::997])
    assert not grammar.accepts('"value 20000 of 1"')
    assert grammar.start.forced == b'"value '


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
@settings(max_examples=25, deadline=None)
@given(schema=SCHEMAS, data=st.data())
def test_allowed_tokens_are_those_that_the_grammar_follows(vocabulary, schema, data):
    node = Grammar(schema).start
    for _ in range(data.draw(st.integers(0, 12))):
        if node.options:
            node = node.after(data.draw(st.sampled_from(node.options)))
    allowed = vocabulary.allowed(node)
    wanted = {token: node.follow(text) for token, text in sorted(vocabulary.bytes.items())}
    wanted = {token: reached for token, reached in wanted.items() if reached is not None}
    assert allowed.tokens.tolist() == list(wanted)
    assert [allowed.after(place) for place in range(len(allowed.tokens))] == list(wanted.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_are_the_bytes_that_they_decode_to(family):
    decoder, vocabulary = tiny_decoder(family), VOCABULARIES[family]
    text = 'a blue mug, {"é": 日本🎧}\n\t\0 ~'
    assert b"".join(vocabulary.bytes[token] for token in decoder.encode(text, joined=True)) == text.encode()
    assert vocabulary.text_tokens(text.encode()) == decoder.encode(text, joined=True)
    assert set(decoder.plain.control.values()).isdisjoint(vocabulary.bytes)
    assert {bytes([byte]) for byte in range(256)} <= set(vocabulary.bytes.values())
    broken = "日".encode()[1:] + b"mug"
    assert b"".join(vocabulary.bytes[token] for token in vocabulary.text_tokens(broken)) == broken
