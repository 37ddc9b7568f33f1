from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch

from mercer.errors import DamagedError
from mercer.training import TrainingEstimate, TrainingRecord, estimate
from mercer.training.trainee import Rows
from training.small import NextItem, equal, here, options, same, trained, weights


def test_measuring_leaves_the_weights_as_they_were(tmp_path: Path) -> None:
    trainee = NextItem()
    before = weights(trainee)
    estimate(trainee, options(average=0.9), runtime=here(checkpoint_folder=tmp_path))
    assert same(weights(trainee), before)
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_is_priced_first_is_the_same_training(tmp_path: Path) -> None:
    plain, one = trained(average=0.9, learning_rate=0.1)
    priced, two = trained(average=0.9, learning_rate=0.1, estimate_steps=6)
    assert equal(one.losses, two.losses)
    assert same(weights(plain), weights(priced))
    assert one.estimate is None
    assert two.estimate is not None


def test_it_counts_epochs_evaluations_and_checkpoints(tmp_path: Path) -> None:
    runtime = here(checkpoint_folder=tmp_path, price_per_hour=3.6)
    found = estimate(NextItem(), options(epochs=6, evaluate_every=2.0, checkpoint_every=5), runtime=runtime)
    assert (found.epochs, found.evaluations) == (6, 3)
    _, record = trained(epochs=6, evaluate_every=2.0, checkpoint_every=5, runtime=runtime)
    assert 0 <= found.checkpoints - record.checkpoints <= 4, "every evaluation may be a best one"
    parts = found.start + 6 * found.epoch + 3 * found.evaluation + found.checkpoints * found.checkpoint
    assert found.seconds == pytest.approx(parts)
    assert found.money == pytest.approx(found.seconds * 0.001)
    assert min(found.epoch, found.evaluation, found.checkpoint) > 0
    assert found.peak_mib > 10


def test_what_is_not_there_costs_nothing() -> None:
    found = estimate(NextItem(validates=False), options(), runtime=here())
    assert (found.evaluation, found.evaluations, found.checkpoint, found.checkpoints) == (0, 0, 0, 0)
    assert found.money is None


class Sleeper(NextItem):
    """A batch takes as long as its longest row says, which is known beforehand."""

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        time.sleep(0.002 * float(self.costs()[rows].max()))
        return super().loss(rows, generator)


def test_the_estimate_knows_that_batches_differ() -> None:
    """The sleep is what a step takes at least, on a machine of whatever load."""
    trainee = Sleeper()
    steps = trained(NextItem(), epochs=1)[1].steps
    found = estimate(trainee, options(), runtime=here(), steps=steps)
    from mercer.training.sampler import Sampler

    sampler = Sampler(trainee.costs(), 60, seed=1)
    least = sum(0.002 * sampler.longest(batch) for batch in sampler.batches(0))
    assert found.epoch >= least


def test_the_record_tells_what_it_took_and_the_error() -> None:
    _, record = trained(estimate_steps=6, runtime=here(price_per_hour=10.0))
    assert record.seconds > 0
    assert record.money == pytest.approx(record.seconds / 360)
    assert record.expected_seconds is not None
    assert record.estimate_error == pytest.approx(record.expected_seconds / record.seconds - 1)


def test_an_early_end_is_measured_against_what_was_done() -> None:
    made = TrainingEstimate(
        seconds=100.0, peak_mib=1.0, start=2.0, epoch=9.0, evaluation=0.5, checkpoint=0.3,
        epochs=10, evaluations=10, checkpoints=10,
    )  # fmt: skip
    assert made.seconds_for(epochs=10, evaluations=10, checkpoints=10) == 100.0
    assert made.seconds_for(epochs=3, evaluations=3, checkpoints=0) == 2.0 + 27.0 + 1.5


def test_a_record_comes_back_from_its_file(tmp_path: Path) -> None:
    _, record = trained(estimate_steps=3, runtime=here(checkpoint_folder=tmp_path / "saved"))
    assert TrainingRecord.load(record.save(tmp_path)) == record
    content = json.loads((tmp_path / "training.json").read_text("utf-8"))
    assert content["steps"] == len(content["losses"])
    assert content["schema"] == 1
    assert content["tokens_per_second"] > 0
    assert record.versions["torch"] == torch.__version__
    assert record.rows == 120
    assert record.weights == 41 * 12 + 12 * 12 + 12
    assert record.hardware["processors"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "seed": 3}'])
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "training.json").write_text(text)
    with pytest.raises(DamagedError):
        TrainingRecord.load(tmp_path / "training.json")
