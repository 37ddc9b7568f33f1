"""The contract every trainee must pass: what the training loop trains.

    class TestMyTrainee(TraineeContract):
        def make(self) -> Trainee:
            return MyTrainee(a_small_shop())

`make` builds the same trainee on every call, with the same first weights, of some dozens of rows. Each test states one
promise that a checkpoint, a second process or a repeated run relies on. Needs pytest and PyTorch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from mercer.contracts import Runtime
from mercer.training import Trainee, TrainingOptions, TrainingRecord, train

if TYPE_CHECKING:
    import torch


class TraineeContract:
    """Inherit in a pytest class and override `make`.

    splits: whether the losses of parts of a batch add up to the loss of the whole, as they do where negatives are
    drawn once a batch; only then do two processes give the losses of one. tolerance: how far they may be apart.
    Stability: callers stable; new promises may be added with a minor version.
    """

    splits: ClassVar[bool] = True
    tolerance: ClassVar[float] = 1e-4

    def make(self) -> Trainee:
        """A new trainee; twice the same."""
        raise NotImplementedError("Override `make`.")

    def options(self) -> TrainingOptions:
        """Those of the short trainings of this contract: about three batches an epoch."""
        costs = self.make().costs()
        tokens = max(int(costs.max()), int(costs.sum()) // 3)
        return TrainingOptions(epochs=2, batch_tokens=tokens, estimate_steps=0, checkpoint_every=1)

    def test_two_of_a_kind_begin_alike(self) -> None:
        """`make` gives the same first weights, or nothing here means anything."""
        assert _same(self.make(), self.make()), "make() gives other first weights on every call"

    def test_costs_have_the_declared_form(self) -> None:
        """int64, one a row, 1 or more, the same on every call."""
        trainee = self.make()
        costs = trainee.costs()
        assert costs.dtype == np.int64
        assert costs.ndim == 1
        assert len(costs) >= 6, "a contract over fewer rows shows nothing"
        assert costs.min() >= 1
        assert np.array_equal(costs, trainee.costs())

    def test_the_loss_is_a_sum_over_terms(self) -> None:
        """A finite scalar with a gradient, and a count above 0."""
        loss, terms = _loss(self.make(), self._rows())
        assert loss.ndim == 0
        assert loss.requires_grad
        assert np.isfinite(float(loss.detach()))
        assert terms > 0

    def test_a_loss_remembers_nothing(self) -> None:
        """The same rows and the same chance give the same loss, whatever was asked before."""
        trainee, rows = self.make(), self._rows()
        first = _loss(trainee, rows, seed=3)
        _loss(trainee, rows[:2], seed=4)
        again = _loss(trainee, rows, seed=3)
        assert float(first[0].detach()) == float(again[0].detach()), (
            "the loss depends on what was asked before"
        )
        assert first[1] == again[1]

    def test_every_weight_learns(self) -> None:
        """A gradient reaches each weight that wants one."""
        trainee = self.make()
        loss, _ = _loss(trainee, np.arange(len(trainee.costs())))
        loss.backward()  # type: ignore[no-untyped-call]
        idle = [n for n, w in trainee.module.named_parameters() if w.requires_grad and w.grad is None]
        assert not idle, f"no gradient reaches {', '.join(idle)}"

    def test_parts_of_a_batch_add_up(self) -> None:
        """Two processes, each with a part of a batch, have the loss of one: a row's loss reads no other row."""
        if not self.splits:
            pytest.skip("declared: the losses of parts do not add up")
        trainee, rows = self.make(), self._rows()
        trainee.module.eval()
        whole, terms = _loss(trainee, rows)
        parts = [_loss(trainee, rows[rank::2]) for rank in (0, 1)]
        assert sum(count for _, count in parts) == pytest.approx(terms)
        assert sum(float(loss.detach()) for loss, _ in parts) == pytest.approx(
            float(whole.detach()), rel=self.tolerance
        )

    def test_validation_only_looks(self) -> None:
        """A number that is finite, or None; the same when asked again; no weight changes."""
        import torch

        trainee = self.make()
        trainee.module.eval()
        with torch.no_grad():
            value = trainee.validate()
            assert value is None or np.isfinite(value)
            assert trainee.validate() == value
        assert _same(trainee, self.make())

    def test_a_training_repeats_itself(self) -> None:
        """The same seed gives the same losses and the same weights, to the bit."""
        one, other = self.make(), self.make()
        assert self._train(one).losses == self._train(other).losses
        assert _same(one, other), "the same seed gave other weights"

    def test_an_interrupted_training_ends_the_same(self, tmp_path: Path) -> None:
        """Stopped after a step and gone on from its checkpoint, it has the losses and weights of the unbroken one."""
        whole, broken = self.make(), self.make()
        record = self._train(whole)
        with pytest.raises(_Stop):
            self._train(broken, Runtime(threads=1, checkpoint_folder=tmp_path, progress=_StopAfter(2)))
        resumed = self.make()
        again = self._train(resumed, Runtime(threads=1, checkpoint_folder=tmp_path))
        assert again.resumed_from == (2,)
        assert again.losses == record.losses
        assert _same(whole, resumed), "the resumed training ended with other weights"

    def _rows(self) -> Any:
        return np.arange(min(8, len(self.make().costs())))

    def _train(self, trainee: Trainee, runtime: Runtime | None = None) -> TrainingRecord:
        return train(trainee, self.options(), seed=1, facts={}, runtime=runtime or Runtime(threads=1))


class _Stop(Exception):  # noqa: N818 - no error, an interruption
    pass


class _StopAfter:
    """A Progress that interrupts after some steps."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def advance(self, done: int, total: int, note: str = "") -> None:  # noqa: ARG002
        """Raise when so many steps are done."""
        if done == self._steps:
            raise _Stop


def _loss(trainee: Trainee, rows: Any, *, seed: int = 1) -> tuple[torch.Tensor, float]:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return trainee.loss(rows, torch.Generator().manual_seed(seed))


def _same(one: Trainee, other: Trainee) -> bool:
    import torch

    a, b = one.module.state_dict(), other.module.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
