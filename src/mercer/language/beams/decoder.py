"""DecoderSteps: a causal language model of Transformers as the search's model.

The beams of a request lie side by side in one row of the batch. A new token attends to the prompt and to its own
ancestors, by a mask; so a prompt is read once for all beams, its keys and values are held once, and when beams are
dropped nothing is copied or reordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]


class DecoderSteps:
    """StepModel of a GPT-2, LLaMA or Mistral.

    model: in evaluation mode, with sdpa or eager attention. rows: for each position of a path, the rows
    `start:stop` of the vocabulary that its tokens are; token c of position t is row `start + c`, and probabilities are
    normalised over these rows. None: tokens are the vocabulary's own at every position, normalised over all of it.

    Stability: experimental.
    """

    def __init__(self, model: Any, rows: Sequence[tuple[int, int]] | None = None) -> None:
        self.model = model
        self.rows = None if rows is None else tuple((int(start), int(stop)) for start, stop in rows)

    def begin(self, prompts: Sequence[Int32s], *, width: int, steps: int) -> tuple[Any, Floats32]:
        """As StepModel says. Raises UsageError for an empty prompt and where prompt and path pass the window."""
        raise NotImplementedError

    def step(self, state: Any, parents: Int32s, tokens: Int32s) -> Floats32:
        """As StepModel says."""
        raise NotImplementedError

    def bytes_a_request(self, tokens: int, *, width: int, steps: int) -> int:
        """As StepModel says."""
        raise NotImplementedError
