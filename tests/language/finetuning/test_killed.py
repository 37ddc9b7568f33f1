"""A fine-tuning that is killed goes on and ends as if nothing had happened, to the last bit."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from language.finetuning.process import killed, work
from language.finetuning.small import saved
from mercer.training import TrainingRecord


@pytest.mark.parametrize("method", ["lora", "full", pytest.param("dpo", marks=pytest.mark.slow)])
def test_killed_inside_a_saving_it_ends_the_same(method: str, tmp_path: Path) -> None:
    base = saved("llama", tmp_path / "base")
    work(base, tmp_path / "whole", method)
    ended = killed(base, tmp_path / "killed", method, 3)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert list((tmp_path / "killed" / "checkpoints").glob(".writing-*")), "it did not die inside a saving"
    work(base, tmp_path / "killed", method)

    one, other = (TrainingRecord.load(tmp_path / name / "training.json") for name in ("whole", "killed"))
    assert other.resumed_from
    assert other.losses == one.losses
    assert [v.value for v in other.validations] == [v.value for v in one.validations]
    file = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    mine, theirs = (load_file(tmp_path / name / file) for name in ("whole", "killed"))
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert not (tmp_path / "killed" / "checkpoints").exists()
