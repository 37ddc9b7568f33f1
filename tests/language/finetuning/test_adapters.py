"""What was learned is written, read, refused where it does not belong, and put together with its model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from language.finetuning.small import EXAMPLES, FAMILIES, PREFERENCES, logits, options, saved
from mercer.contracts import Runtime
from mercer.errors import DamagedError, NotFoundError, UnsupportedError
from mercer.language.decoders.decoder import Decoder
from mercer.language.finetuning import AdapterCard, Example, FineTuned, finetune, merged, tokens
from mercer.testing.decoders import Family, tiny_decoder

HERE = Runtime(threads=1)
ITEMS = ("<item 1>", "<item 2>")
WITH_ITEMS = [
    *EXAMPLES,
    Example("after <item 1> comes", "<item 2>"),
    Example("after <item 2> comes", "<item 1>"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def tuned(base: Path, out: Path, **changed: object) -> tuple[FineTuned, Decoder]:
    """A fine-tuning, and the decoder as it was when its last weights were judged."""
    seen: list[torch.Tensor] = []
    last: list[Decoder] = []

    def judge(now: Decoder) -> float:
        seen.append(logits(now))
        last.append(now)
        return float(len(seen))

    examples = PREFERENCES if changed.get("method") == "dpo" else WITH_ITEMS
    chosen = options(epochs=3, learning_rate=5e-3, patience=0, **changed)
    result = finetune(base, examples, chosen, folder=out, validation=judge, runtime=HERE)
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[-1])
    return result, last[-1]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("added", [(), ITEMS])
@pytest.mark.parametrize("method", ["lora", "dpo"])
def test_an_adapter_is_read_as_it_was_and_merged(
    family: Family, added: tuple[str, ...], method: str, folder: Path, tmp_path: Path
) -> None:
    base = saved(family, folder)
    _, inside = tuned(base, tmp_path / "adapter", added_tokens=added, method=method)
    again = Decoder.load(base, adapter=tmp_path / "adapter", precision="fp32")
    assert torch.equal(logits(again), logits(inside))
    assert not torch.allclose(
        logits(again)[:, :320], logits(Decoder.load(base, precision="fp32"))[:, :320], atol=1e-3
    )
    for name in added:
        assert len(tokens(again, name, named=added)) == 1

    whole = merged(base, tmp_path / "adapter")
    whole.save(tmp_path / "whole")
    alone = Decoder.load(tmp_path / "whole", precision="fp32")
    assert torch.equal(logits(alone), logits(whole))
    assert torch.equal(logits(alone).argmax(-1), logits(again).argmax(-1))
    assert torch.allclose(logits(alone), logits(again), atol=2e-3, rtol=0)
    assert alone.model.get_input_embeddings().weight is alone.model.get_output_embeddings().weight
    assert not any("lora" in name for name, _ in alone.model.named_parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_full_fine_tuning_is_a_model(family: Family, folder: Path, tmp_path: Path) -> None:
    _, inside = tuned(saved(family, folder), tmp_path / "model", method="full", added_tokens=ITEMS)
    again = Decoder.load(tmp_path / "model", precision="fp32")
    assert torch.equal(logits(again), logits(inside))
    assert again.model.get_input_embeddings().weight is again.model.get_output_embeddings().weight
    assert again.base != inside.base


def test_the_card_says_what_an_adapter_belongs_to(folder: Path, tmp_path: Path) -> None:
    base = saved("llama", folder)
    result, _ = tuned(base, tmp_path, added_tokens=ITEMS)
    card, model = AdapterCard.load(tmp_path), Decoder.load(base)
    assert (card.base, card.tokenizer, card.family) == (model.base, model.tokenizer_hash, "llama")
    assert (card.method, card.rank, card.added_tokens) == ("lora", 4, 2)
    assert len(card.training) == 64
    assert result.record.facts["base"] == model.base
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "mercer_adapter.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "training.json",
    }
    for path in tmp_path.glob("*.json"):
        assert str(folder) not in path.read_text("utf-8"), f"{path.name} names a folder of this machine"


def test_an_adapter_holds_no_embeddings_but_those_of_added_tokens(folder: Path, tmp_path: Path) -> None:
    from safetensors import safe_open

    tuned(saved("llama", folder), tmp_path, added_tokens=ITEMS)
    with safe_open(tmp_path / "adapter_model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    assert max(max(shape) for shape in shapes.values()) <= 64
    assert [shape for name, shape in shapes.items() if "lora" not in name] == [[2, 32]]


def test_an_adapter_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    tuned(saved("llama", folder), tmp_path / "adapter")
    tiny_decoder("llama", seed=2, folder=tmp_path / "other")
    for read in (
        lambda base: Decoder.load(base, adapter=tmp_path / "adapter"),
        lambda base: merged(base, tmp_path / "adapter"),
    ):
        with pytest.raises(UnsupportedError, match="trained on the model"):
            read(tmp_path / "other")


def test_an_adapter_of_another_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    base = saved("llama", folder)
    tuned(base, tmp_path)
    path = tmp_path / "mercer_adapter.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tokenizer": "0" * 64}))
    with pytest.raises(UnsupportedError, match="tokenizer"):
        Decoder.load(base, adapter=tmp_path)


def test_a_card_that_is_not_there_or_is_broken(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        AdapterCard.load(tmp_path)
    (tmp_path / "mercer_adapter.json").write_text('{"base": 1}')
    with pytest.raises(DamagedError):
        AdapterCard.load(tmp_path)


def test_a_decoder_with_an_adapter_is_not_tuned_again(folder: Path, tmp_path: Path) -> None:
    base = saved("llama", folder)
    tuned(base, tmp_path / "one")
    with pytest.raises(UnsupportedError, match="adapter already"):
        finetune(
            Decoder.load(base, adapter=tmp_path / "one"),
            EXAMPLES,
            options(),
            folder=tmp_path / "two",
            runtime=HERE,
        )
