"""GGUF files come in dequantised, weight by weight what the library gguf reads, and are refused with a reason."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from language.decoders.sources import FAMILIES, TEXT, gguf
from mercer.errors import DataError, UnsupportedError
from mercer.language.decoders import Decoder, ModelStore, import_model
from mercer.testing.decoders import tiny_decoder


@pytest.mark.parametrize(
    ("kind", "stored", "note"),
    [
        ("F32", "float32", "Converted from a GGUF file of type F32"),
        ("F16", "float16", "Converted from a GGUF file of type F16"),
        ("BF16", "bfloat16", "Converted from a GGUF file of type BF16"),
        ("Q8_0", "float16", "Dequantised from Q8_0"),
        ("Q4_1", "float16", "Dequantised from Q4_1"),
    ],
)
def test_every_weight_is_what_the_file_holds(
    kind: str, stored: str, note: str, tmp_path: Path, store: ModelStore
) -> None:
    held = gguf(tmp_path / "Tiny Model.gguf", kind=kind)
    model = import_model(tmp_path / "Tiny Model.gguf", store=store)
    weights = load_file(model.folder / "model.safetensors")
    assert weights.keys() == held.keys()
    for name, weight in held.items():
        assert torch.equal(weights[name], torch.from_numpy(weight).to(getattr(torch, stored))), name
    card = model.card
    assert (card.name, card.family, card.licence, card.window) == ("tiny-model", "llama", "mit", 256)
    assert card.precision == stored
    assert card.notes[0].startswith(note)
    assert card.origin == "GGUF file Tiny Model.gguf"


def test_the_imported_model_answers_and_cuts_text_as_its_tokenizer_did(
    tmp_path: Path, store: ModelStore
) -> None:
    gguf(tmp_path / "tiny.gguf", kind="Q8_0")
    decoder = Decoder.load(import_model(tmp_path / "tiny.gguf", store=store), precision="fp32")
    assert decoder.family in FAMILIES
    own = tiny_decoder("llama")
    # Blanks before digits are where cutting each digit off first makes a difference.
    for text in (TEXT, "two  38 and\n\n40", "12,50 €", "<|im_end|>"):
        assert decoder.encode(text) == own.encode(text), text
        assert decoder.decode(decoder.encode(text)) == text
    with torch.no_grad():
        assert torch.isfinite(decoder.model(torch.tensor([decoder.encode(TEXT)])).logits).all()


@pytest.mark.parametrize(
    ("split", "pieces"),
    [
        ("gpt-2", ["in", " 12345", " days"]),
        ("smollm", ["in", " ", "1", "2", "3", "4", "5", " days"]),
        ("llama-bpe", ["in", " ", "123", "45", " days"]),
        ("tekken", ["in", " ", "1", "2", "3", "4", "5", " days"]),
    ],
)
def test_text_is_cut_as_the_file_names_it(
    split: str, pieces: list[str], tmp_path: Path, store: ModelStore
) -> None:
    gguf(tmp_path / "tiny.gguf", split=split)
    decoder = Decoder.load(import_model(tmp_path / "tiny.gguf", store=store), precision="fp32")
    cut = decoder.tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("in 12345 days")
    assert [piece.replace("Ġ", " ") for piece, _ in cut] == pieces


def test_a_tokenizer_of_sentencepiece_cuts_text_as_it_did(tmp_path: Path, store: ModelStore) -> None:
    gguf(tmp_path / "tiny.gguf", family="mistral")
    decoder = Decoder.load(import_model(tmp_path / "tiny.gguf", store=store), precision="fp32")
    own = tiny_decoder("mistral")
    for text in (TEXT, "a warm jacket for a boy of eight", "café", "12,50 €", "日本"):
        assert decoder.encode(text) == own.encode(text), text
        assert decoder.decode(decoder.encode(text)) == text


def test_a_file_beside_the_gguf_changes_nothing(tmp_path: Path, store: ModelStore) -> None:
    gguf(tmp_path / "tiny.gguf")
    alone = import_model(tmp_path / "tiny.gguf", store=store)
    (tmp_path / "config.json").write_text("{}", "utf-8")
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")
    other = ModelStore(tmp_path / "other")
    assert import_model(tmp_path / "tiny.gguf", store=other).card.hash == alone.card.hash


def test_what_is_no_gguf_is_refused(tmp_path: Path, store: ModelStore) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(DataError, match=r"tiny\.gguf is not a GGUF file"):
        import_model(tmp_path / "tiny.gguf", store=store)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.2, 0.9, 0.9999])
def test_a_file_that_is_cut_off_is_refused(share: float, tmp_path: Path, store: ModelStore) -> None:
    gguf(tmp_path / "tiny.gguf")
    whole = (tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "tiny.gguf").write_bytes(whole[: max(6, int(len(whole) * share))])
    with pytest.raises(DataError, match="cut off or damaged"):
        import_model(tmp_path / "tiny.gguf", store=store)


def test_a_type_that_can_not_be_read_is_named(tmp_path: Path, store: ModelStore) -> None:
    gguf(tmp_path / "tiny.gguf", kind="Q8_0")
    raw = bytearray((tmp_path / "tiny.gguf").read_bytes())
    place = raw.index(b"blk.0.attn_v.weight") + len(b"blk.0.attn_v.weight") + 4 + 2 * 8
    assert struct.unpack_from("<I", raw, place) == (8,)
    # I8: as many bytes as numbers, fewer than Q8_0 has, so the file is long enough for it.
    struct.pack_into("<I", raw, place, 24)
    (tmp_path / "tiny.gguf").write_bytes(raw)
    with pytest.raises(UnsupportedError, match="I8") as refused:
        import_model(tmp_path / "tiny.gguf", store=store)
    assert "Q4_1" in refused.value.remedy


def test_another_family_is_refused_with_the_list(tmp_path: Path, store: ModelStore) -> None:
    gguf(tmp_path / "tiny.gguf", architecture="falcon")
    with pytest.raises(UnsupportedError, match="'falcon'") as refused:
        import_model(tmp_path / "tiny.gguf", store=store)
    assert all(family in refused.value.remedy for family in FAMILIES)


def test_a_tokenizer_that_would_be_guessed_is_refused(tmp_path: Path, store: ModelStore) -> None:
    gguf(tmp_path / "tiny.gguf", split="viking")
    with pytest.raises(UnsupportedError, match="'viking'"):
        import_model(tmp_path / "tiny.gguf", store=store)
