"""What a loop trains. A model brings its module, the cost of its rows and a loss; the loop does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Rows = npt.NDArray[np.int64]


class Trainee(Protocol):
    """A module and what it learns from. `mercer.testing.trainees.TraineeContract` checks one.

    module: its trainable parameters and persistent buffers are saved in checkpoints; frozen parameters and
    buffers that are not persistent are the trainee's to bring again.
    """

    module: torch.nn.Module

    def costs(self) -> Rows:
        """Cost of each training row in tokens or the like, int64, shape (n,), 1 or more; the same on every call."""
        ...

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        """Sum of the losses of some rows (a scalar with a gradient), and how many terms were added, above 0.

        rows: int64, shape (b,), of similar cost. All chance comes from `generator`, which is on the module's
        device and in the same state on every process, or from torch's own (dropout), which is not: nothing may
        be remembered from one call to the next.
        """
        ...

    def validate(self) -> float | None:
        """A ranking metric on validation, higher is better; None where there is no validation.

        Called with the module in evaluation mode and without gradients.
        """
        ...
