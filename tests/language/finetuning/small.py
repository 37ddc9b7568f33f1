"""What the tests of fine-tuning share: tiny decoders and a few examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from mercer.language.decoders.decoder import Decoder
from mercer.language.finetuning.examples import Example, Lesson, Preference, lessons
from mercer.language.finetuning.network import AnswerNetwork
from mercer.language.finetuning.options import FineTuningOptions
from mercer.language.finetuning.packing import batch_of
from mercer.language.finetuning.weights import prepared
from mercer.testing.decoders import Family, tiny_decoder

FAMILIES: tuple[Family, ...] = ("gpt2", "llama", "mistral")

_WHAT = (
    "mug",
    "warm shoes",
    "keyboard",
    "blue jacket",
    "mouse",
    "coffee",
    "boots of a boy",
    "crème",
    "bag",
    "belt",
)
EXAMPLES = [
    Example(
        f"something like a {what} under {10 + number} pounds" if number % 3 else f"a {what}",
        f'{{"what": "{what}"}}',
    )
    for number, what in enumerate(_WHAT)
]
CHATS = [Example([{"role": "user", "content": str(one.prompt)}], one.answer) for one in EXAMPLES]
PREFERENCES = [Preference(one.prompt, one.answer, "the answer is shoes") for one in EXAMPLES]


def options(**changed: Any) -> FineTuningOptions:
    """A training of seconds."""
    small = {
        "epochs": 2,
        "batch_tokens": 200,
        "pack": True,
        "row_tokens": 100,
        "rank": 4,
        "estimate_steps": 0,
    }
    return FineTuningOptions(**{**small, **changed})


def network(family: Family, chosen: FineTuningOptions) -> tuple[AnswerNetwork, Decoder]:
    decoder = tiny_decoder(family)
    return AnswerNetwork(prepared(decoder, chosen, seed=1)), decoder


def alone(some: AnswerNetwork, lesson: Lesson) -> torch.Tensor:
    """Log-probabilities of an example in a row of its own."""
    with torch.no_grad():
        return some.eval()(batch_of([[lesson]], torch.device("cpu")))


def kept(decoder: Decoder, examples: Any) -> tuple[Lesson, ...]:
    found = lessons(decoder, examples)
    assert not found.left_out
    return found.kept


def logits(decoder: Decoder, text: str = "something warm for a boy under 40 pounds") -> torch.Tensor:
    """float32, shape (tokens, vocabulary)."""
    with torch.no_grad():
        return decoder.model(torch.tensor([[*decoder.start, *decoder.encode(text)]])).logits[0]


@cache
def saved(family: Family, folder: Path) -> Path:
    """The folder of a tiny decoder."""
    tiny_decoder(family, folder=folder / family)
    return folder / family
