from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mercer.contracts import Budget, Runtime
from mercer.errors import DataError, DivergedError, TooLargeError, UnsupportedError, UsageError
from mercer.training import train
from mercer.training.learner import Learner, _check_memory
from mercer.training.place import Place, entered
from mercer.training.trainee import Rows
from training.small import FACTS, NextItem, equal, here, options, same, trained, weights


def test_it_learns_what_there_is_to_learn() -> None:
    _, record = trained(epochs=15)
    assert record.losses[-1] < 0.6 * record.losses[0]
    assert record.best is not None
    assert record.best.value > 2 * record.validations[0].value
    assert record.stopped_because == "epochs"
    assert record.epochs == 15


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not() -> None:
    one, first = trained(seed=3)
    two, second = trained(seed=3)
    three, third = trained(seed=4)
    assert equal(first.losses, second.losses)
    assert same(weights(one), weights(two))
    assert third.losses != first.losses
    assert not same(weights(one), weights(three))


def test_chance_outside_changes_nothing_and_is_not_changed() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    _, one = trained()
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(12)
    _, two = trained()
    assert equal(one.losses, two.losses)


def test_threads_and_determinism_are_put_back() -> None:
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    trained(runtime=here(), epochs=1)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def gradient(batches: list[Rows]) -> dict[str, torch.Tensor]:
    """The weights after one step, from the same start: what the step's gradient did."""
    trainee = NextItem(dropout=0.0)
    trainee.loss = with_fixed_negatives(trainee)  # type: ignore[method-assign]
    with entered(here()) as place:
        learner = Learner(trainee, options(clip=0.0), seed=1, place=place)
        learner.step(batches, step=0, rate=0.01)
    return weights(trainee)


def with_fixed_negatives(trainee: NextItem) -> Any:
    loss = trainee.loss
    return lambda rows, generator: loss(rows, generator.manual_seed(5))


def test_gradients_of_several_batches_are_those_of_one_large_batch() -> None:
    rows = np.arange(30, dtype=np.int64)
    whole, parts = gradient([rows]), gradient([rows[:7], rows[7:22], rows[22:]])
    for name in whole:
        if name != "seen":
            torch.testing.assert_close(whole[name], parts[name], rtol=1e-5, atol=1e-7)


def test_accumulation_takes_fewer_steps() -> None:
    _, one = trained()
    _, three = trained(accumulate=3)
    assert three.epochs == one.epochs
    assert three.tokens == one.tokens
    assert one.steps / 3 <= three.steps < one.steps / 2


def test_the_learning_rates_are_those_of_the_schedule() -> None:
    _, record = trained(warmup=0.25, decay="linear", epochs=8)
    peak = int(np.argmax(record.learning_rates))
    assert np.all(np.diff(record.learning_rates[: peak + 1]) > 0)
    assert np.all(np.diff(record.learning_rates[peak:]) < 0)
    assert peak == pytest.approx(record.steps / 4, abs=2)


def test_a_long_gradient_is_cut() -> None:
    """AdamW divides by the gradient's size, so a cut shows in what it remembers."""
    rows = np.arange(20, dtype=np.int64)
    lengths = []
    for clip in (0.0, 0.01):
        trainee = NextItem()
        with entered(here()) as place:
            learner = Learner(trainee, options(clip=clip), seed=1, place=place)
            stepped = learner.step([rows], step=0, rate=0.01)
            moments = [
                one for name, one in learner.tensors()["optimizer"].items() if name.startswith("exp_avg.")
            ]
        lengths.append(float(torch.sqrt(sum(((one / 0.1) ** 2).sum() for one in moments))))
        assert stepped.norm > 0.01
    assert lengths[0] == pytest.approx(stepped.norm, rel=1e-4)
    assert lengths[1] == pytest.approx(0.01, rel=1e-3)


def test_the_best_weights_are_left_in_the_module() -> None:
    trainee, record = trained(seed=2, epochs=8, learning_rate=0.3, decay="constant")
    best = record.best
    assert best is not None
    assert record.best_step == best.step
    assert best.step < record.steps, "the last weights were the best: this test shows nothing"
    with torch.no_grad():
        assert trainee.validate() == best.value
    assert not trainee.module.training


def test_without_validation_the_last_weights_are_left() -> None:
    trainee, record = trained(NextItem(validates=False))
    assert record.validations == ()
    assert record.best_step is None
    again, _ = trained(NextItem(validates=True))
    assert not same(weights(trainee), weights(NextItem()))
    assert record.stopped_because == "epochs"
    assert again.validate() is not None


def test_no_gain_for_a_while_ends_it() -> None:
    _, record = trained(seed=2, epochs=60, learning_rate=0.3, decay="constant", patience=3)
    assert record.stopped_because == "patience"
    assert record.epochs < 60
    best = record.best
    assert best is not None
    assert sum(one.step > best.step for one in record.validations) == 3


@pytest.mark.parametrize(("every", "evaluations"), [(1.0, 4), (2.0, 2), (3.0, 2), (0.5, 8)])
def test_it_is_evaluated_as_often_as_asked_and_at_the_end(every: float, evaluations: int) -> None:
    _, record = trained(evaluate_every=every)
    assert len(record.validations) == evaluations
    assert record.validations[-1].step == record.steps


def test_the_running_average_is_validated_and_left() -> None:
    plain, _ = trained(epochs=6)
    averaged, record = trained(epochs=6, average=0.9)
    assert not same(weights(plain), weights(averaged))
    with torch.no_grad():
        assert record.best is not None
        assert averaged.validate() == record.best.value


def test_the_budget_ends_it_and_it_says_so() -> None:
    trainee = NextItem()
    record = train(trainee, options(epochs=10_000), seed=1, facts=FACTS, runtime=here(), budget=Budget(0.5))
    assert record.stopped_because == "budget"
    assert record.notes == (f"The time limit of 0.5 s ended it after {record.epochs:.2f} epochs.",)
    assert record.steps >= 1
    assert record.validations[-1].step == record.steps


def test_one_step_is_taken_whatever_the_budget() -> None:
    record = train(NextItem(), options(), seed=1, facts=FACTS, runtime=here(), budget=Budget(0.0))
    assert record.steps == 1


class Broken(NextItem):
    """Its loss is not a number from some call on."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        self.left -= 1
        total, terms = super().loss(rows, generator)
        return total * (float("nan") if self.left < 0 else 1.0), terms


def test_a_loss_that_is_no_number_stops_before_the_weights_are_spoilt() -> None:
    trainee = Broken(after=5)
    with pytest.raises(DivergedError, match="loss of step 5 is nan") as told:
        trained(trainee)
    assert "learning_rate" in told.value.remedy
    assert all(torch.isfinite(one).all() for one in weights(trainee).values())


def test_a_metric_that_is_no_number_is_refused() -> None:
    trainee = NextItem()
    trainee.validate = lambda: float("nan")  # type: ignore[method-assign]
    with pytest.raises(DivergedError, match="validation metric"):
        trained(trainee)


def test_a_learning_rate_that_is_far_too_high_is_told_or_survived() -> None:
    """AdamW's steps are bounded: what diverges here is the product of two large vectors."""
    with pytest.raises(DivergedError, match="learning rate"):
        trained(learning_rate=1e30, clip=0.0, warmup=0.0, epochs=40)


def test_batches_without_a_term_are_refused() -> None:
    trainee = NextItem()
    trainee.loss = lambda rows, generator: (trainee.module.layer.weight.sum() * 0, 0.0)  # type: ignore[method-assign]
    with pytest.raises(DataError, match="no term to learn from"):
        trained(trainee)


def test_a_module_without_weights_to_train_is_refused() -> None:
    trainee = NextItem()
    trainee.module.requires_grad_(False)
    with pytest.raises(DataError, match="no weight to train"):
        trained(trainee)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "mps", "meta"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises((UsageError, UnsupportedError), match=device):
        trained(runtime=Runtime(device=device))


def test_auto_takes_what_there_is() -> None:
    _, record = trained(runtime=Runtime(device="auto", threads=1), epochs=1)
    assert record.device == ("cuda:0" if torch.cuda.is_available() else "cpu")


def test_processes_that_were_not_started_are_refused() -> None:
    with pytest.raises(UsageError, match="asks for 2 processes; 1 were started") as told:
        trained(runtime=Runtime(world_size=2))
    assert "torchrun --nproc_per_node 2" in told.value.remedy


def test_bfloat16_learns_nearly_the_same() -> None:
    _, full = trained(epochs=6)
    trainee, half = trained(runtime=here(precision="bf16"), epochs=6)
    assert half.precision == "bf16"
    assert half.losses != full.losses
    np.testing.assert_allclose(half.losses, full.losses, rtol=0.15)
    assert trainee.module.layer.weight.dtype == torch.float32


def test_compiling_without_a_compiler_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsupportedError, match="C\\+\\+ compiler") as told:
        trained(compile=True, runtime=Runtime(threads=1))
    assert "compile to false" in told.value.remedy


def test_more_weights_than_memory_are_refused_before_the_first_batch() -> None:
    """Tensors on the device `meta` have a size and take no memory."""
    huge = {"table": torch.empty(10**9, 512, device="meta")}
    with pytest.raises(TooLargeError, match="MiB before the first batch") as told:
        _check_memory(huge, Place(torch.device("cpu"), "fp32"), copies=4)
    assert "smaller" in told.value.remedy


def test_a_batch_that_does_not_fit_names_the_option_to_change() -> None:
    trainee = NextItem()

    def too_large(rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        return torch.ones(2**60) @ torch.ones(2**60), 1.0

    trainee.loss = too_large  # type: ignore[method-assign]
    with pytest.raises(TooLargeError, match="60 cost units") as told:
        trained(trainee, runtime=Runtime(threads=1))
    assert told.value.remedy.startswith("Set batch_tokens to 30 and accumulate to 2")


@pytest.mark.slow
def test_a_compiled_module_learns_the_same() -> None:
    _, plain = trained(NextItem(dropout=0.0))
    _, compiled = trained(NextItem(dropout=0.0), compile=True)
    np.testing.assert_allclose(compiled.losses, plain.losses, rtol=1e-3)


def test_progress_tells_steps_loss_speed_and_time_left() -> None:
    class Heard:
        said: list[tuple[int, int, str]] = []  # noqa: RUF012

        def advance(self, done: int, total: int, note: str = "") -> None:
            self.said.append((done, total, note))

    heard = Heard()
    _, record = trained(runtime=here(progress=heard))
    assert [done for done, _, _ in heard.said] == list(range(1, record.steps + 1))
    assert all(done <= total for done, total, _ in heard.said)
    assert heard.said[-1][0] == heard.said[-1][1]
    for part in ("epoch 4/4", "loss ", "best ", "tokens/s", "s left"):
        assert part in heard.said[-1][2]


def test_frozen_weights_stay_and_are_not_saved() -> None:
    trainee = NextItem()
    trainee.module.layer.requires_grad_(False)
    before = trainee.module.layer.weight.clone()
    with entered(here()) as place:
        learner = Learner(trainee, options(weight_decay=0.1), seed=1, place=place)
        learner.step([np.arange(9)], step=0, rate=0.1)
    assert torch.equal(trainee.module.layer.weight, before)
    assert set(learner.tensors()["weights"]) == {"items.weight"}


def test_a_place_of_one_process_has_the_whole_batch() -> None:
    place = Place(torch.device("cpu"), "fp32")
    assert place.part(np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    shares = [Place(torch.device("cpu"), "fp32", rank, 3).part(np.arange(5)).tolist() for rank in range(3)]
    assert shares == [[0, 3], [1, 4], [2]]
