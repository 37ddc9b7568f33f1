"""Fine-tuned models in the store."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from language.finetuning.small import EXAMPLES, logits, options, saved
from mercer.contracts import Runtime
from mercer.errors import UsageError
from mercer.language.decoders import ModelStore, import_model
from mercer.language.decoders.decoder import Decoder
from mercer.language.finetuning import finetune, merged, store_merged, store_model

HERE = Runtime(threads=1)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_fine_tuned_model_is_stored_with_its_parent(method: str, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    parent = import_model(saved("llama", tmp_path), name="parent", store=store)
    out = tmp_path / "out"
    finetune(parent, EXAMPLES, options(method=method, learning_rate=1e-2), folder=out, runtime=HERE)
    if method == "lora":
        child = store_merged(parent, out, "child", store=store)
        expected = logits(merged(parent, out))
    else:
        child = store_model(Decoder.load(out, precision="fp32"), "child", parent=parent, store=store)
        expected = logits(Decoder.load(out, precision="fp32"))
    found = store.get("child")
    assert found == child
    assert found.card.origin == f"fine-tuned from {parent.folder.name}"
    assert parent.folder.name in found.card.notes[0]
    assert found.card.licence == parent.card.licence
    assert found.card.hash != parent.card.hash
    assert torch.equal(logits(Decoder.load(found, precision="fp32")), expected)


def test_a_name_that_can_not_be(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    parent = import_model(saved("gpt2", tmp_path), name="parent", store=store)
    with pytest.raises(UsageError, match="can't be called"):
        store_model(Decoder.load(parent, precision="fp32"), "A B", parent=parent, store=store)
