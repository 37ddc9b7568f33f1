"""What is imported answers as its source does, to the last bit, and says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from language.decoders.sources import FAMILIES, TEXT, change, folder, logits, perplexity
from mercer.language.decoders import Decoder, ModelStore, import_model


@pytest.mark.parametrize("family", FAMILIES)
def test_the_imported_model_is_the_source(family: str, tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "my Model", family)
    model = import_model(source, store=store)
    before, after = logits(source), logits(model.folder)
    assert torch.equal(before, after)
    decoder = Decoder.load(model, precision="fp32")
    original = Decoder.load(source, precision="fp32")
    ids = original.encode(TEXT)
    assert decoder.encode(TEXT) == ids
    with torch.no_grad():
        rows = [one.model(torch.tensor([ids])).logits[0] for one in (original, decoder)]
        answers = [
            one.model.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False, pad_token_id=0)[
                0
            ].tolist()
            for one in (original, decoder)
        ]
    assert perplexity(rows[0], ids) == perplexity(rows[1], ids)
    assert answers[0] == answers[1]
    assert decoder.tokenizer.chat_template == original.tokenizer.chat_template
    assert model.card.chat is (family != "gpt2")
    assert (model.card.name, model.card.family, model.card.origin) == ("my-model", family, "folder my Model")
    assert (model.card.window, model.card.vocabulary) == (256, len(original.tokenizer))
    assert model.card.parameters == sum(one.numel() for one in original.model.parameters())
    assert model.card.licence == "unknown"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_weights_keep_their_precision_and_stay_tied(dtype: str, tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "source")
    original = Decoder.load(source, precision="fp32").model.to(getattr(torch, dtype))
    original.save_pretrained(source)
    # The configuration is often wrong about it; the weights count.
    change(source / "config.json", dtype="float32")
    model = import_model(source, store=store)
    assert model.card.precision == dtype
    kept, given = load_file(model.folder / "model.safetensors"), load_file(source / "model.safetensors")
    assert "lm_head.weight" not in kept
    assert kept.keys() == given.keys()
    for name, weight in kept.items():
        assert weight.dtype == getattr(torch, dtype)
        assert torch.equal(weight, given[name])


def test_shards_become_one_file(tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "source")
    whole = import_model(source, store=store, name="whole")
    decoder = Decoder.load(source, precision="fp32")
    decoder.model.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    decoder.tokenizer.save_pretrained(tmp_path / "shards")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1
    sharded = import_model(tmp_path / "shards", store=store, name="sharded")
    assert torch.equal(logits(source), logits(sharded.folder))
    assert sharded.card.files["model.safetensors"] == whole.card.files["model.safetensors"]


def test_a_tokenizer_of_two_files_is_read(tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "source", "gpt2")
    ids = Decoder.load(source, precision="fp32").encode(TEXT)
    bpe = json.loads((source / "tokenizer.json").read_text("utf-8"))["model"]
    (source / "vocab.json").write_text(json.dumps(bpe["vocab"]), "utf-8")
    merges = "\n".join(one if isinstance(one, str) else " ".join(one) for one in bpe["merges"])
    (source / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", "utf-8")
    (source / "tokenizer.json").unlink()
    (source / "tokenizer_config.json").unlink()
    model = import_model(source, store=store)
    assert Decoder.load(model, precision="fp32").encode(TEXT) == ids


def test_the_card_says_what_the_readme_states(tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "source")
    (source / "README.md").write_text("---\nlicense: apache-2.0\ntags: [x]\n---\n# Model\n", "utf-8")
    assert import_model(source, store=store).card.licence == "apache-2.0"


def test_pickles_beside_are_named_and_not_opened(tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "source")
    (source / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    model = import_model(source, store=store)
    assert "pytorch_model.bin" in model.card.notes[0]
    assert not (model.folder / "pytorch_model.bin").exists()


def test_no_place_of_the_source_is_kept(tmp_path: Path, store: ModelStore) -> None:
    model = import_model(folder(tmp_path / "source"), store=store)
    for path in model.folder.glob("*.json"):
        assert str(tmp_path) not in path.read_text("utf-8"), path.name


def test_the_same_content_is_imported_once(tmp_path: Path, store: ModelStore) -> None:
    source = folder(tmp_path / "source")
    first = import_model(source, store=store)
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    said: list[str] = []
    assert import_model(source, store=store, say=said.append) == first
    assert import_model(source, store=store, name="another", say=said.append) == first
    assert [one.folder for one in store.list()] == [first.folder]
    assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} == before
    assert "Already" in said[0]
    assert "before" in said[1]


def test_progress_goes_from_nothing_to_all(tmp_path: Path, store: ModelStore) -> None:
    seen: list[tuple[int, int]] = []

    class Told:
        def advance(self, done: int, total: int, note: str = "") -> None:
            assert note
            seen.append((done, total))

    import_model(folder(tmp_path / "source"), store=store, progress=Told())
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
