"""The real SmolLM2: an adapter is small, comes back as it was, and merges."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from language.finetuning.small import CHATS, logits
from mercer.contracts import Runtime
from mercer.environment import model_folder
from mercer.errors import NotFoundError
from mercer.language.decoders import Decoder, ModelStore, StoredModel
from mercer.language.finetuning import FineTuningOptions, finetune, merged

pytestmark = pytest.mark.smollm2
REAL = model_folder()
"""Where models really are: each test has a cache of its own, set after this line."""


@pytest.fixture(scope="module")
def smollm2() -> StoredModel:
    try:
        return ModelStore(REAL).get("smollm2-135m-instruct")
    except NotFoundError:
        pytest.skip("SmolLM2 is not imported; run: mercer models import smollm2")


def test_an_adapter_is_small_and_comes_back_as_it_was(smollm2: StoredModel, tmp_path: Path) -> None:
    seen: list[torch.Tensor] = []

    def judge(now: Decoder) -> float:
        seen.append(logits(now))
        return float(len(seen))

    options = FineTuningOptions(epochs=3, batch_tokens=700, estimate_steps=0)
    runtime = Runtime(precision="bf16", threads=torch.get_num_threads())
    record = finetune(smollm2, CHATS, options, folder=tmp_path, validation=judge, runtime=runtime).record
    assert record.losses[-1] < record.losses[0]
    assert (tmp_path / "adapter_model.safetensors").stat().st_size <= 25e6
    again = Decoder.load(smollm2, adapter=tmp_path, precision="fp32")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(logits(again), seen[-1])
    whole = merged(smollm2, tmp_path)
    assert torch.allclose(logits(whole), logits(again), atol=2e-3, rtol=0)
    assert torch.equal(logits(whole).argmax(-1), logits(again).argmax(-1))
