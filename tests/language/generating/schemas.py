"""Random schemas of the supported subset, and random values of a schema made without the grammar."""

from hypothesis import strategies as st

NAMES = st.sampled_from(["query", "brand", "é", 'a"b', "price", "x y"])
WORDS = st.sampled_from(
    ["shoes", "shoe", "sho", "", 'in "quotes"', "日本", "back\\slash", "a\nb", 7, -1, 2.5, True, None]
)


def integers():
    return st.tuples(st.integers(-130, 130), st.integers(0, 150)).map(
        lambda pair: {"type": "integer", "minimum": pair[0], "maximum": pair[0] + pair[1]}
    )


def numbers():
    return st.tuples(st.integers(-300, 300), st.integers(1, 400)).map(
        lambda pair: {
            "type": "number",
            "minimum": pair[0] / 100,
            "exclusiveMaximum": (pair[0] + pair[1]) / 100,
        }
    )


def strings():
    return st.tuples(st.integers(0, 3), st.integers(0, 5)).map(
        lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[0] + pair[1]}
    )


LEAVES = st.one_of(
    integers(),
    numbers(),
    strings(),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["boolean", "null"]}]),
    st.lists(WORDS, min_size=1, max_size=5).map(lambda values: {"enum": values}),
    WORDS.map(lambda value: {"const": value}),
)


def _objects(inner):
    return st.dictionaries(NAMES, st.tuples(inner, st.booleans()), max_size=4).map(
        lambda named: {
            "type": "object",
            "properties": {name: schema for name, (schema, _) in named.items()},
            "required": [name for name, (_, needed) in named.items() if needed],
            "additionalProperties": False,
        }
    )


def _arrays(inner):
    return st.tuples(inner, st.integers(0, 2), st.integers(0, 2)).map(
        lambda drawn: {
            "type": "array",
            "items": drawn[0],
            "minItems": drawn[1],
            "maxItems": drawn[1] + drawn[2],
        }
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        _objects(inner),
        _arrays(inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"anyOf": some}),
    ),
    max_leaves=6,
)


def value_of(schema, draw):
    """A value that the schema allows and the documented way of writing can hold."""
    if "anyOf" in schema:
        return value_of(draw(st.sampled_from(schema["anyOf"])), draw)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "const" in schema:
        return schema["const"]
    kind = schema["type"]
    if kind == "object":
        kept = [name for name in schema["properties"] if name in schema["required"] or draw(st.booleans())]
        return {name: value_of(schema["properties"][name], draw) for name in kept}
    if kind == "array":
        count = draw(st.integers(schema["minItems"], schema["maxItems"]))
        return [value_of(schema["items"], draw) for _ in range(count)]
    if kind == "string":
        letters = st.characters(exclude_categories=["Cs", "Cc"])
        return draw(st.text(letters, min_size=schema["minLength"], max_size=schema["maxLength"]))
    if kind == "integer":
        return draw(st.integers(schema["minimum"], schema["maximum"]))
    if kind == "number":
        low, high = round(schema["minimum"] * 100), round(schema["exclusiveMaximum"] * 100)
        return draw(st.integers(low, high - 1)) / 100
    if kind == "null":
        return None
    return draw(st.sampled_from([True, False] if kind == "boolean" else [True, False, None]))
