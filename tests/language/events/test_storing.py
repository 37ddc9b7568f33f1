from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from language.events.small import EVERY, ITEMS_ALONE, decoder, frame, ids, tokenizer
from mercer.errors import ConflictError, DamagedError, UnsupportedError
from mercer.language.events import EventTokenizer
from mercer.language.events.decoder import EventDecoder

TEXTS = EVERY.model_copy(update={"text_tokens": 320})
IDS = torch.arange(5, 14)[None]


@pytest.mark.parametrize("options", [ITEMS_ALONE, TEXTS], ids=["items", "texts"])
def test_a_tokenizer_comes_back(options: object, tmp_path: Path) -> None:
    made = tokenizer(options)
    made.save(tmp_path / "there")
    again = EventTokenizer.load(tmp_path / "there", ids())
    assert again.fingerprint == made.fingerprint
    assert again.ranges == made.ranges
    assert again.said() == made.said()
    assert again.with_ids(ids(), frame()).fingerprint == made.fingerprint


def test_a_tokenizer_refuses_other_ids(tmp_path: Path) -> None:
    tokenizer().save(tmp_path)
    with pytest.raises(ConflictError, match="belongs to the IDs"):
        EventTokenizer.load(tmp_path, ids(seed=2))


def test_changed_bins_are_noticed(tmp_path: Path) -> None:
    tokenizer(EVERY).save(tmp_path)
    told = json.loads((tmp_path / "events.json").read_text())
    next(one for one in told["fields"] if one["field"] == "gap")["bins"] = 3
    (tmp_path / "events.json").write_text(json.dumps(told))
    with pytest.raises(DamagedError, match="fingerprint"):
        EventTokenizer.load(tmp_path, ids())
    (tmp_path / "events.json").write_text("[")
    with pytest.raises(DamagedError):
        EventTokenizer.load(tmp_path, ids())


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
def test_a_decoder_comes_back_bit_for_bit(family: str, tmp_path: Path) -> None:
    made = decoder(EVERY, family=family, dropout=0.1)
    made.save(tmp_path)
    again = EventDecoder.load(tmp_path, ids())
    assert torch.equal(again.states(IDS), made.states(IDS))
    assert again.shape == made.shape
    assert not again.model.training
    again.model.train()
    assert not torch.equal(again.states(IDS), made.states(IDS)), "dropout is there to train on"


def test_nothing_is_pickled_and_pickles_are_refused(tmp_path: Path) -> None:
    decoder().save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(UnsupportedError, match=r"pytorch_model\.bin"):
        EventDecoder.load(tmp_path, ids())


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "events.json", "generation_config.json"]
)
def test_a_changed_file_is_noticed(name: str, tmp_path: Path) -> None:
    decoder().save(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-1] + b" ")
    with pytest.raises(DamagedError):
        EventDecoder.load(tmp_path, ids())
    (tmp_path / name).unlink()
    with pytest.raises(DamagedError):
        EventDecoder.load(tmp_path, ids())


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    """Weights of one vocabulary beside the tokenizer of another, both whole."""
    decoder().save(tmp_path / "one")
    decoder(EVERY).save(tmp_path / "other")
    for name in ("config.json", "model.safetensors", "decoder.json"):
        (tmp_path / "other" / name).write_bytes((tmp_path / "one" / name).read_bytes())
    with pytest.raises(ConflictError, match="vocabulary"):
        EventDecoder.load(tmp_path / "other", ids())
    made = decoder()
    with pytest.raises(ConflictError, match="vocabulary"):
        made.over(tokenizer(EVERY))
    assert made.over(tokenizer()).model is made.model
