"""A training of an event decoder that is killed goes on and ends as if nothing had happened, to the last bit."""

from __future__ import annotations

import signal
from pathlib import Path

from language.events.process import killed, work
from mercer.training import TrainingRecord


def test_killed_inside_a_saving_it_ends_the_same(tmp_path: Path) -> None:
    work(tmp_path / "whole")
    ended = killed(tmp_path / "killed", 3)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert list((tmp_path / "killed" / "checkpoints").glob(".writing-*")), "it did not die inside a saving"
    work(tmp_path / "killed")

    one, other = (TrainingRecord.load(tmp_path / name / "training.json") for name in ("whole", "killed"))
    assert other.resumed_from
    assert other.losses == one.losses
    assert [v.value for v in other.validations] == [v.value for v in one.validations]
    assert one.estimate is not None
    assert one.estimate.seconds > 0
    mine, theirs = (
        (tmp_path / name / "decoder" / "model.safetensors").read_bytes() for name in ("whole", "killed")
    )
    assert mine == theirs
