"""Tiny decoders of the three families, and the contracts that text generators and token scorers must pass.

    class TestMyScorer(TokenScorerContract):
        def make(self):
            return MyScorer(tiny_decoder("llama"))

A tiny decoder has random weights and a vocabulary learned from a few sentences: it knows nothing, takes a few
milliseconds, and breaks where a real one would. Needs pytest, torch and transformers.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from mercer.contracts import Generation, TextGenerator, TokenScorer
from mercer.errors import MercerError
from mercer.language.decoders.decoder import Decoder

Family = Literal["gpt2", "llama", "mistral"]

SENTENCES = (
    "a blue ceramic mug for coffee, 250 ml, dishwasher safe",
    "running shoes for women, size 38, black and white",
    "something warm for a boy of eight under 40 pounds",
    'the answer is {"category": "shoes", "brand": "north", "price": {"max": 40}, "ages": [8, 9], "sale": true}',
    '{"query": "warm jacket", "filters": [], "intent": null, "sort": "price", "in_stock": false}',
    "wireless mouse and keyboard, 2.4 GHz, with a battery of 18 months",
    "café crème et thé à la menthe, 12,50 €",
)

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_INSTRUCT = (
    "{{ bos_token }}{% set ns = namespace(system='', last='assistant') %}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{% set ns.system = message['content'] + '\n\n' %}"
    "{% elif message['role'] == ns.last %}{{ raise_exception('roles must alternate') }}"
    "{% elif message['role'] == 'user' %}{{ '[INST] ' + ns.system + message['content'] + ' [/INST]' }}"
    "{% set ns.system = '' %}{% set ns.last = 'user' %}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% set ns.last = 'assistant' %}{% endif %}{% endfor %}"
)
_CONTROL: dict[str, list[str]] = {
    "gpt2": ["<|endoftext|>"],
    "llama": ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>"],
    "mistral": ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"],
}


def tiny_decoder(
    family: Family = "llama",
    *,
    seed: int = 1,
    vocabulary: int = 400,
    window: int = 256,
    folder: Path | None = None,
) -> Decoder:
    """A decoder of two layers and 32 columns with random weights; the same arguments give the same one.

    gpt2: byte-level tokens, no chat template. llama: byte-level tokens, ChatML, as SmolLM2. mistral: tokens as
    SentencePiece cuts them, a first token, instruction brackets, attention over the last 24 tokens.
    vocabulary: number of tokens at most, at least 320. folder: where to keep its files; None keeps none.
    """
    import torch
    import transformers

    tokenizer = _tokenizer(family, vocabulary)
    shape = {"vocab_size": len(tokenizer), "max_position_embeddings": window, "initializer_range": 0.3}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        build: Any = transformers.AutoModelForCausalLM.from_config
        model = build(_config(family, tokenizer, shape))
    with tempfile.TemporaryDirectory() as scratch:
        chosen = folder or Path(scratch)
        chosen.mkdir(parents=True, exist_ok=True)
        unsaved = Decoder(model, tokenizer, base="", tokenizer_hash="")
        unsaved.save(chosen)
        return Decoder.load(chosen, precision="fp32")


def _config(family: Family, tokenizer: Any, shape: Mapping[str, Any]) -> Any:
    import transformers

    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    if family == "gpt2":
        return transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, **ends, **shape)
    small: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    small |= {"num_key_value_heads": 2, "tie_word_embeddings": True}
    if family == "llama":
        return transformers.LlamaConfig(**small, **ends, **shape)
    return transformers.MistralConfig(sliding_window=24, **small, **ends, **shape)


def _tokenizer(family: Family, vocabulary: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    control = _CONTROL[family]
    if family == "mistral":
        raw = Tokenizer(models.BPE(unk_token=control[0], byte_fallback=True, fuse_unk=True))
        raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
        raw.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
        seen = [*control[:3], *(f"<0x{byte:02X}>" for byte in range(256)), *control[3:]]
        trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=seen, show_progress=False)
    else:
        raw = Tokenizer(models.BPE())
        digits = [pre_tokenizers.Digits(individual_digits=True)] if family == "llama" else []
        raw.pre_tokenizer = pre_tokenizers.Sequence(
            [*digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        raw.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=control,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    raw.train_from_iterator(SENTENCES, trainer)
    fast: Any = PreTrainedTokenizerFast
    if family == "mistral":
        raw = _bytes_as_words(raw)
        unknown, first, last = control[:3]
        raw.post_processor = processors.TemplateProcessing(single=f"{first} $A", special_tokens=[(first, 1)])
        return fast(
            tokenizer_object=raw, bos_token=first, eos_token=last, unk_token=unknown, chat_template=_INSTRUCT
        )
    if family == "llama":
        return fast(tokenizer_object=raw, bos_token=control[1], eos_token=control[2], chat_template=_CHATML)
    return fast(tokenizer_object=raw, bos_token=control[0], eos_token=control[0])


def _bytes_as_words(raw: Any) -> Any:
    """The tokenizer with its 256 byte tokens as plain words of the vocabulary, as in SentencePiece."""
    from tokenizers import Tokenizer

    told = json.loads(raw.to_str())
    told["added_tokens"] = [token for token in told["added_tokens"] if not token["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(told))


_HARD = ("", " ", "\0", "\ud800", "🎧 日本", "%s {} ' \" \\ <b>", "<|im_end|> <s> [INST] </s>", "\n\n\n")


class TokenScorerContract:
    """Inherit in a pytest class and say how a scorer is made.

    tolerance: how far a log-probability may lie from itself when it is asked for in other company.
    Stability: callers stable; new promises may be added with a minor version.
    """

    tolerance: ClassVar[float] = 1e-4

    def make(self) -> TokenScorer:
        """A scorer."""
        raise NotImplementedError

    @cached_property
    def made(self) -> TokenScorer:
        """The scorer, built once a test."""
        return self.make()

    def test_it_is_a_token_scorer(self) -> None:
        """It has every member of the protocol."""
        assert isinstance(self.made, TokenScorer), "a member of the TokenScorer protocol is missing"

    def test_one_log_probability_for_each_continuation(self) -> None:
        """A float64 array for each prompt, in order, finite and not above 0."""
        scores = self.made.score(["warm ", "a mug"], [["jacket", "shoes"], [" for coffee"]])
        assert [row.shape for row in scores] == [(2,), (1,)]
        for row in scores:
            assert row.dtype == np.float64
            assert np.isfinite(row).all()
            assert (row <= 1e-6).all(), "a log-probability lies above 0"

    def test_company_changes_nothing(self) -> None:
        """Alone, in a batch of other lengths and in another order, a continuation scores the same."""
        prompts = ["something warm for a boy", "a mug", "something warm for a girl of eight under 40 pounds"]
        rests = [[" of eight", " of eight under 40 pounds", "!"], [" for coffee"], ["", " and shoes"]]
        together = self.made.score(prompts, rests)
        for prompt, row, scores in zip(prompts, rests, together, strict=True):
            for rest, score in zip(row, scores, strict=True):
                alone = self.made.score([prompt], [[rest]])[0]
                np.testing.assert_allclose(alone, [score], atol=self.tolerance)
            backward = self.made.score([prompt], [row[::-1]])[0]
            np.testing.assert_allclose(backward[::-1], scores, atol=self.tolerance)

    def test_nothing_added_is_certain(self) -> None:
        """An empty continuation has log-probability 0; no continuations and no prompts give none."""
        assert self.made.score(["a mug"], [[""]])[0].tolist() == [0.0]
        assert self.made.score(["a mug"], [[]])[0].shape == (0,)
        assert self.made.score([], []) == []

    def test_longer_is_not_likelier(self) -> None:
        """A text repeated is less likely than the text once."""
        once, thrice = self.made.score(["a"], [[" mug", " mug mug mug"]])[0]
        assert thrice < once

    def test_strange_texts_are_scored(self) -> None:
        """Empty, NUL, lone surrogates, control tokens: a finite number each, before and after."""
        for row in self.made.score(_HARD, [_HARD] * len(_HARD)):
            assert np.isfinite(row).all()

    def test_unequal_lengths_are_refused(self) -> None:
        """There must be a list of continuations for each prompt."""
        with pytest.raises((MercerError, ValueError)):
            self.made.score(["a", "b"], [["c"]])

    def test_generation_chooses_among_the_allowed(self) -> None:
        """Each answer is one of the allowed sequences; of one, that one; of none, an error."""
        allowed = [[5, 6, 7], [5, 6, 8, 9], [10]]
        for answer in self.made.generate(["a mug", "shoes", ""], allowed):
            assert answer in allowed
        assert self.made.generate(["a mug"], [[7, 7]]) == [[7, 7]]
        with pytest.raises((MercerError, ValueError)):
            self.made.generate(["a mug"], [])


SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "category": {"enum": ["shoes", "mugs", "jackets"]},
        "price": {"type": "integer", "minimum": 1, "maximum": 40},
        "sale": {"type": "boolean"},
    },
    "required": ["category", "price", "sale"],
    "additionalProperties": False,
}
"""What the contract asks a generator to fill in."""


class TextGeneratorContract:
    """Inherit in a pytest class and say how a generator is made.

    Stability: callers stable; new promises may be added with a minor version.
    """

    repeats: ClassVar[bool] = True
    """Whether the same call gives the same text; a remote server may not promise it."""

    def make(self) -> TextGenerator:
        """A generator."""
        raise NotImplementedError

    @cached_property
    def made(self) -> TextGenerator:
        """The generator, built once a test."""
        return self.make()

    def ask(self, text: str, **changed: Any) -> Generation:
        """The answer to one message of a user."""
        arguments: dict[str, Any] = {"max_tokens": 12, "temperature": 0.0, "seed": 0} | changed
        return self.made.generate([{"role": "user", "content": text}], **arguments)

    def test_it_is_a_text_generator(self) -> None:
        """It has every member of the protocol."""
        assert isinstance(self.made, TextGenerator), "a member of the TextGenerator protocol is missing"

    def test_the_answer_says_what_it_cost(self) -> None:
        """Counts of tokens within what was asked for, a cost that is not negative, a fingerprint."""
        answer = self.ask("a warm jacket")
        assert answer.tokens_in > 0
        assert 0 <= answer.tokens_out <= 12
        assert answer.cost >= 0
        assert len(answer.fingerprint) >= 16, "a fingerprint that short can't tell models apart"
        assert answer.finish_reason in ("stop", "length")
        assert answer.parsed is None, "something was parsed although no schema was given"

    def test_one_token_is_one_token(self) -> None:
        """The number of tokens asked for is never passed."""
        answer = self.ask("a warm jacket", max_tokens=1)
        assert answer.tokens_out <= 1

    def test_the_same_call_gives_the_same_text(self) -> None:
        """At temperature 0, and with the same seed above it."""
        if not self.repeats:
            pytest.skip("this generator does not promise it")
        assert self.ask("mug").text == self.ask("mug").text
        warm = {"temperature": 1.0, "seed": 7}
        assert self.ask("mug", **warm).text == self.ask("mug", **warm).text

    def test_a_schema_is_kept(self) -> None:
        """`parsed` holds exactly the fields, each within its bounds, and is what the text says."""
        for temperature in (0.0, 1.0):
            answer = self.ask("warm shoes", json_schema=SCHEMA, max_tokens=100, temperature=temperature)
            assert answer.finish_reason in ("stop", "schema")
            assert set(answer.parsed) == {"category", "price", "sale"}
            assert answer.parsed["category"] in ("shoes", "mugs", "jackets")
            assert type(answer.parsed["price"]) is int
            assert 1 <= answer.parsed["price"] <= 40
            assert type(answer.parsed["sale"]) is bool

    def test_a_schema_that_can_not_be_kept_raises(self) -> None:
        """Too few tokens for any valid answer, or a schema that nothing satisfies."""
        with pytest.raises(MercerError):
            self.ask("warm shoes", json_schema=SCHEMA, max_tokens=2)
        with pytest.raises(MercerError):
            self.ask("warm shoes", json_schema={"type": "integer", "minimum": 2, "maximum": 1})

    def test_bad_messages_raise(self) -> None:
        """None at all, or one of an unknown role."""
        with pytest.raises(MercerError):
            self.made.generate([], max_tokens=1, temperature=0.0, seed=0)
        with pytest.raises(MercerError):
            self.made.generate(
                [{"role": "<|im_start|>", "content": "x"}], max_tokens=1, temperature=0.0, seed=0
            )

    def test_strange_texts_are_answered(self) -> None:
        """Empty, NUL, lone surrogates, control tokens inside the message: an answer each."""
        for text in _HARD:
            assert isinstance(self.ask(text, max_tokens=2).text, str)
