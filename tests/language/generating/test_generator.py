"""LocalGenerator: the contract, equality with Transformers' own loop, and many together as one alone."""

import jsonschema
import pytest
import torch

from mercer.errors import UnsupportedError, UsageError
from mercer.language.decoders.card import FAMILIES
from mercer.language.generating import LocalGenerator
from mercer.testing.decoders import SCHEMA, TextGeneratorContract, tiny_decoder

DECODERS = {family: tiny_decoder(family) for family in FAMILIES}
TEXTS = ["a blue mug", "something warm for a boy of eight under 40 pounds", "shoes", "a" * 60, "x"]


def _talk(text):
    return [{"role": "user", "content": text}]


class TestGpt2(TextGeneratorContract):
    def make(self):
        return LocalGenerator(DECODERS["gpt2"], price_per_hour=2.0)


class TestLlama(TextGeneratorContract):
    def make(self):
        return LocalGenerator(DECODERS["llama"])


class TestMistral(TextGeneratorContract):
    def make(self):
        return LocalGenerator(DECODERS["mistral"])


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_text_is_what_transformers_writes(family):
    decoder = DECODERS[family]
    answers = LocalGenerator(decoder).generate_many(
        [_talk(text) for text in TEXTS], max_tokens=40, temperature=0.0, seed=0
    )
    for text, answer in zip(TEXTS, answers, strict=True):
        prompt = torch.tensor([decoder.chat(_talk(text))])
        wanted = decoder.model.generate(
            prompt, max_new_tokens=40, do_sample=False, eos_token_id=sorted(decoder.stops), pad_token_id=0
        )[0, prompt.shape[1] :].tolist()
        ended = wanted[-1] in decoder.stops
        assert answer.text == decoder.decode(wanted[:-1] if ended else wanted)
        assert answer.finish_reason == ("stop" if ended else "length")
        assert (answer.tokens_in, answer.tokens_out) == (prompt.shape[1], len(wanted) - ended)


@pytest.mark.parametrize("family", FAMILIES)
def test_drawn_together_as_alone(family):
    generator = LocalGenerator(DECODERS[family])
    drawn = {"max_tokens": 20, "temperature": 0.8, "seed": 3}
    together = generator.generate_many([_talk(text) for text in TEXTS], **drawn)
    assert [answer.text for answer in together] == [
        generator.generate(_talk(text), **drawn).text for text in TEXTS
    ]
    other = generator.generate(_talk(TEXTS[0]), max_tokens=20, temperature=0.8, seed=4)
    assert other.text != together[0].text


def test_no_conversations_no_answers():
    assert LocalGenerator(DECODERS["llama"]).generate_many([], max_tokens=1, temperature=0.0, seed=0) == []


def test_time_costs_at_the_price_told():
    asked = {"max_tokens": 5, "temperature": 0.0, "seed": 0}
    assert LocalGenerator(DECODERS["llama"]).generate(_talk("x"), **asked).cost == 0
    assert (
        0 < LocalGenerator(DECODERS["llama"], price_per_hour=3_600.0).generate(_talk("x"), **asked).cost < 60
    )


def test_the_window_ends_an_answer():
    decoder = tiny_decoder("gpt2", window=64)
    answer = LocalGenerator(decoder).generate(_talk("shoes"), max_tokens=500, temperature=0.0, seed=0)
    assert answer.finish_reason == "stop" or answer.tokens_in + answer.tokens_out == 64
    with pytest.raises(UsageError, match="window"):
        LocalGenerator(decoder).generate(_talk("x" * 90), max_tokens=5, temperature=0.0, seed=0)


@pytest.mark.parametrize(
    ("changed", "said"), [({"max_tokens": 0}, "0 tokens"), ({"temperature": -1.0}, "-1.0")]
)
def test_senseless_numbers_are_refused(changed, said):
    arguments = {"max_tokens": 5, "temperature": 0.0, "seed": 0} | changed
    with pytest.raises(UsageError, match=said):
        LocalGenerator(DECODERS["llama"]).generate(_talk("x"), **arguments)


def test_many_by_a_schema():
    generator = LocalGenerator(DECODERS["mistral"])
    answers = generator.generate_many(
        [_talk(text) for text in TEXTS[:3]], max_tokens=80, temperature=1.0, seed=0, json_schema=SCHEMA
    )
    for answer in answers:
        jsonschema.validate(answer.parsed, SCHEMA)
        assert answer.finish_reason == "schema"


def test_a_schema_that_is_no_json_is_refused():
    with pytest.raises(UnsupportedError, match="no JSON"):
        LocalGenerator(DECODERS["llama"]).generate(
            _talk("x"), max_tokens=5, temperature=0.0, seed=0, json_schema={"enum": {1, 2}}
        )
