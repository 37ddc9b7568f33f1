"""ConstrainedDecoder: always valid, within its tokens, equal to a slow reference, and no step for what is forced."""

import itertools
import json

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from language.generating.schemas import SCHEMAS
from mercer.errors import UsageError
from mercer.language.decoders.card import FAMILIES
from mercer.language.generating import ConstrainedDecoder, Grammar
from mercer.testing.decoders import SCHEMA, tiny_decoder

ENGINES = {family: ConstrainedDecoder(tiny_decoder(family)) for family in FAMILIES}
every_family = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
PROMPT = list(range(20, 60))


def _shortest(engine, grammar):
    return len(engine.vocabulary.text_tokens(grammar.start.shortest))


@every_family
@settings(max_examples=25, deadline=None)
@given(
    schema=SCHEMAS,
    more=st.integers(0, 40),
    temperature=st.sampled_from([0.0, 1.0, 3.0]),
    seed=st.integers(0, 9),
)
def test_the_answer_is_always_valid_and_the_same_again(engine, schema, more, temperature, seed):
    grammar = Grammar(schema)
    tokens = _shortest(engine, grammar) + more
    asked = {"max_tokens": tokens, "temperature": temperature, "seed": seed}
    answer = engine.decode(PROMPT, grammar, **asked)
    jsonschema.validate(answer.value, schema)
    assert grammar.accepts(answer.text)
    assert len(answer.ids) <= tokens
    assert b"".join(engine.vocabulary.bytes[token] for token in answer.ids).decode() == answer.text
    assert engine.decode(PROMPT, grammar, **asked) == answer
    assert engine.decode(PROMPT, Grammar(schema), **asked) == answer


@every_family
def test_too_few_tokens_are_refused_at_once(engine):
    grammar = Grammar(SCHEMA)
    least = _shortest(engine, grammar)
    jsonschema.validate(engine.decode(PROMPT, grammar, max_tokens=least).value, SCHEMA)
    with pytest.raises(UsageError, match=f"takes {least} tokens, but only {least - 1}"):
        engine.decode(PROMPT, grammar, max_tokens=least - 1)


@every_family
def test_text_without_a_limit_is_closed_in_time(engine):
    schema = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
    grammar = Grammar(schema)
    least = _shortest(engine, grammar)
    for tokens, seed in itertools.product(range(least, least + 20), range(3)):
        answer = engine.decode(PROMPT, grammar, max_tokens=tokens, temperature=2.0, seed=seed)
        jsonschema.validate(answer.value, schema)
        assert len(answer.ids) <= tokens


def _forwards(engine):
    read = []
    network = getattr(engine.decoder.model, engine.decoder.model.base_model_prefix)
    network.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    return read


def test_forced_text_costs_no_step():
    engine = ConstrainedDecoder(tiny_decoder("llama"))
    read = _forwards(engine)
    told = engine.decode(PROMPT, Grammar({"const": {"a": [1, "two", None]}}), max_tokens=40)
    assert (told.text, told.steps, told.log_probability, read) == ('{"a":[1,"two",null]}', 0, 0.0, [])
    schema = {
        "type": "object",
        "properties": {"sale": {"enum": ["yes", "no"]}, "note": {"const": "long forced text"}},
        "required": ["sale", "note"],
    }
    answer = engine.decode(PROMPT, Grammar(schema), max_tokens=60)
    assert answer.steps == len(read) == 1, "only yes or no was to choose"
    assert read[0] == len(PROMPT) + len(engine.decoder.encode('{"sale":"'))
    assert len(answer.ids) > 20


def _common(texts):
    first, last = min(texts), max(texts)
    return next((first[:end] for end in range(len(first), -1, -1) if last.startswith(first[:end])), b"")


def _reference(engine, texts):
    """The same by trying every token at every place, over all texts of a finite grammar."""
    decoder, known = engine.decoder, engine.vocabulary.bytes
    ids, done, total, steps = [], b"", 0.0, 0
    while True:
        rest = [text[len(done) :] for text in texts if text.startswith(done)]
        forced = _common(rest)
        tokens = engine.vocabulary.text_tokens(forced)
        if tokens:
            last = known[tokens[-1]]
            head = forced[: -len(last)]
            longer = [text for text in known.values() if text.startswith(last) and len(text) > len(last)]
            if any(one.startswith(head + text) for one in rest for text in longer):
                tokens = tokens[:-1]
            ids += tokens
            done += b"".join(known[token] for token in tokens)
            rest = [text[len(done) :] for text in texts if text.startswith(done)]
        if rest == [b""]:
            return ids, total, steps
        allowed = [token for token, text in known.items() if any(one.startswith(text) for one in rest)]
        allowed = sorted(allowed) + ([decoder.end] if b"" in rest else [])
        chosen = allowed[0]
        if len(allowed) > 1:
            with torch.no_grad():
                scores = decoder.model(torch.tensor([PROMPT + ids])).logits[0, -1, allowed].double()
            chosen = allowed[int(scores.argmax())]
            total += float(torch.log_softmax(scores, -1).max())
            steps += 1
        if chosen == decoder.end:
            return ids, total, steps
        ids.append(chosen)
        done += known[chosen]


def _all_texts(node, begun=b""):
    if node.ends:
        yield begun
    for byte in node.options:
        yield from _all_texts(node.after(byte), begun + bytes([byte]))


SMALL = [
    {"enum": ["shoes", "shoe", "shoehorn", "mugs", "jackets", 7, 70, None]},
    {"type": "integer", "minimum": -12, "maximum": 113},
    {
        "type": "object",
        "properties": {
            "category": {"enum": ["shoes", "mugs"]},
            "ages": {
                "type": "array",
                "items": {"type": "integer", "minimum": 7, "maximum": 12},
                "maxItems": 2,
            },
            "sale": {"type": "boolean"},
        },
        "required": ["ages"],
    },
    {
        "anyOf": [
            {"type": "boolean"},
            {"type": "array", "items": {"enum": ["a", "ab"]}, "minItems": 2, "maxItems": 3},
        ]
    },
]


@every_family
@pytest.mark.parametrize("schema", SMALL)
def test_the_answer_is_that_of_the_slow_reference(engine, schema):
    grammar = Grammar(schema)
    ids, log_probability, steps = _reference(engine, list(_all_texts(grammar.start)))
    answer = engine.decode(PROMPT, grammar, max_tokens=100)
    assert (answer.ids, answer.steps) == (ids, steps)
    np.testing.assert_allclose(answer.log_probability, log_probability, atol=1e-4)
    assert answer.least <= 0


@every_family
def test_a_prefix_is_read_once_and_changes_nothing(engine):
    grammar, read = Grammar(SCHEMA), []
    prefix = engine.prefix([*PROMPT[:30], 99])
    alone = engine.decode(PROMPT, grammar, max_tokens=60)
    network = getattr(engine.decoder.model, engine.decoder.model.base_model_prefix)
    hook = network.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    for _ in range(2):
        read.clear()
        answer = engine.decode(PROMPT, grammar, max_tokens=60, prefix=prefix)
        assert (answer.ids, answer.steps) == (alone.ids, alone.steps)
        assert sum(read) <= len(PROMPT) - 30 + len(answer.ids), "the prefix was read again"
        np.testing.assert_allclose(answer.log_probability, alone.log_probability, atol=1e-4)
    whole = engine.decode(PROMPT, grammar, max_tokens=60, prefix=engine.prefix(PROMPT))
    assert whole.ids == alone.ids
    other = engine.decode(PROMPT, grammar, max_tokens=60, prefix=engine.prefix([7, 8]))
    assert other == alone
    hook.remove()


def test_the_window_limits_the_answer():
    engine = ConstrainedDecoder(tiny_decoder("gpt2", window=64))
    schema = {"type": "string"}
    answer = engine.decode([5] * 50, Grammar(schema), max_tokens=1_000, temperature=5.0)
    jsonschema.validate(json.loads(answer.text), schema)
    assert len(answer.ids) <= 14
    with pytest.raises(UsageError, match="shortest text"):
        engine.decode([5] * 63, Grammar({"const": "a long text"}), max_tokens=50)
    with pytest.raises(UsageError, match="window"):
        engine.decode([5] * 64, Grammar(schema), max_tokens=5)
    with pytest.raises(UsageError, match="empty"):
        engine.decode([], Grammar(schema), max_tokens=5)
