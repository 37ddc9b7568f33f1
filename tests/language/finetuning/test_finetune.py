"""The call itself: estimates, budgets, what is left out, what it leaves untouched."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from language.finetuning.small import EXAMPLES, PREFERENCES, logits, options, saved
from mercer.contracts import Budget, Runtime
from mercer.errors import ConflictError, DataError, OutputError, UnsupportedError, UsageError
from mercer.language.decoders.decoder import Decoder
from mercer.language.finetuning import Example, FineTuningOptions, estimate_finetuning, finetune
from mercer.testing.decoders import tiny_decoder
from mercer.training import TrainingRecord

HERE = Runtime(threads=1, price_per_hour=3.6)


def test_what_it_took_is_in_the_record(tmp_path: Path) -> None:
    found = finetune(tiny_decoder(), EXAMPLES, options(estimate_steps=2), folder=tmp_path, runtime=HERE)
    record = TrainingRecord.load(tmp_path / "training.json")
    assert record == found.record
    assert record.tokens > 0
    assert record.seconds > 0
    assert record.peak_mib > 0
    assert record.money == pytest.approx(record.seconds / 1000)
    assert record.estimate is not None
    assert record.estimate_error is not None
    assert set(record.facts) == {"base", "tokenizer", "examples", "validation", "how"}


def test_an_estimate_beforehand_leaves_nothing_behind(tmp_path: Path) -> None:
    decoder = tiny_decoder()
    before = logits(decoder)
    said = estimate_finetuning(decoder, EXAMPLES, options(epochs=7), runtime=HERE, steps=3)
    assert said.seconds > 0
    assert said.epochs == 7
    assert said.money == pytest.approx(said.seconds / 1000)
    assert torch.equal(logits(decoder), before)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_decoder_that_is_handed_over_stays_as_it_is(method: str, tmp_path: Path) -> None:
    decoder = tiny_decoder()
    before, words = logits(decoder), len(decoder.tokenizer)
    chosen = options(method=method, learning_rate=1e-2, added_tokens=("<x>",))
    finetune(decoder, EXAMPLES, chosen, folder=tmp_path, runtime=HERE)
    assert torch.equal(logits(decoder), before)
    assert len(decoder.tokenizer) == words
    assert not hasattr(decoder.model, "peft_config")


def test_a_budget_keeps_what_was_done_and_more_seconds_go_on(tmp_path: Path) -> None:
    base = saved("llama", tmp_path / "base")
    chosen = options(epochs=4, batch_tokens=100)
    short = finetune(base, EXAMPLES, chosen, folder=tmp_path / "short", runtime=HERE, budget=Budget(1e-6))
    assert short.record.stopped_because == "budget"
    assert short.record.steps == 1
    assert Decoder.load(base, adapter=tmp_path / "short").family == "llama"
    gone_on = finetune(base, EXAMPLES, chosen, folder=tmp_path / "short", runtime=HERE)
    whole = finetune(base, EXAMPLES, chosen, folder=tmp_path / "whole", runtime=HERE)
    assert gone_on.record.resumed_from == (1,)
    assert gone_on.record.losses == whole.record.losses
    files = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("short", "whole")]
    assert files[0] == files[1]
    assert not (tmp_path / "short" / "checkpoints").exists()


def test_checkpoints_of_other_examples_are_refused(tmp_path: Path) -> None:
    finetune(tiny_decoder(), EXAMPLES, options(), folder=tmp_path, runtime=HERE, budget=Budget(1e-6))
    for other in ({"examples": EXAMPLES[1:]}, {"options": options(rank=5)}, {"options": options(alpha=1)}):
        given = {"examples": EXAMPLES, "options": options(), **other}
        with pytest.raises(ConflictError, match="another training"):
            finetune(tiny_decoder(), **given, folder=tmp_path, runtime=HERE)


def test_what_is_too_long_is_left_out_and_said(tmp_path: Path) -> None:
    several = [EXAMPLES[0], Example("a " * 300, "b"), Example("", ""), Example("", "b"), EXAMPLES[1]]
    found = finetune(tiny_decoder("gpt2"), several, options(), folder=tmp_path, runtime=HERE)
    assert [one.number for one in found.left_out] == [2, 3, 4]
    assert "of which 256 fit" in found.left_out[0].reason
    assert [one.reason for one in found.left_out[1:]] == ["an answer is empty", "the prompt is empty"]
    assert any("3 examples were left out" in note for note in found.record.notes)
    with pytest.raises(DataError, match="No example"):
        finetune(tiny_decoder(), several, options(longest=4), folder=tmp_path, runtime=HERE)


def test_examples_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Example 1 is no Preference"):
        finetune(tiny_decoder(), EXAMPLES, options(method="dpo"), folder=tmp_path, runtime=HERE)
    with pytest.raises(UsageError, match="no Example"):
        finetune(tiny_decoder(), PREFERENCES, options(), folder=tmp_path, runtime=HERE)


def test_a_token_that_is_there_already_is_not_added(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="are tokens already"):
        finetune(
            tiny_decoder(), EXAMPLES, options(added_tokens=("<|im_end|>",)), folder=tmp_path, runtime=HERE
        )


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        finetune(tiny_decoder(), EXAMPLES, options(), folder=tmp_path / "file" / "out", runtime=HERE)


def test_bf16_learns_too(tmp_path: Path) -> None:
    runtime = Runtime(threads=1, precision="bf16")
    chosen = options(epochs=20, learning_rate=5e-3)
    for method in ("lora", "full"):
        record = finetune(
            tiny_decoder(),
            EXAMPLES,
            chosen.model_copy(update={"method": method}),
            folder=tmp_path / method,
            runtime=runtime,
        ).record
        assert record.losses[-1] < 0.7 * record.losses[0]


def test_the_learning_rate_is_that_of_the_method() -> None:
    assert FineTuningOptions().learning_rate == 5e-4
    assert FineTuningOptions(method="full").learning_rate == 3e-5
    assert FineTuningOptions(method="dpo", learning_rate=1e-3).learning_rate == 1e-3
    with pytest.raises(ValueError, match="added_tokens"):
        FineTuningOptions(added_tokens=("a", "a"))
