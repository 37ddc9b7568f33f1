"""StepModel: what a beam search asks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]


class StepModel(Protocol):
    """Log-probabilities of the next token of a path, for many beams of many requests.

    A state belongs to the model; the search only hands it back. Position t of a path has its own tokens, 0 to
    sizes[t] - 1, and its log-probabilities are normalised over these.

    Stability: experimental.
    """

    def begin(self, prompts: Sequence[Int32s], *, width: int, steps: int) -> tuple[Any, Floats32]:
        """Read n prompts. Returns a state with room for `width` beams of `steps` tokens; float32 (n, 1, sizes[0])."""
        ...

    def step(self, state: Any, parents: Int32s, tokens: Int32s, nodes: Int32s) -> Floats32:
        """Put one more token on each beam. parents, tokens, nodes: int32, shape (n, beams).

        parents: the beam of the step before that each goes on from. nodes: of the tree, where each then stands.
        Returns float32 (n, beams, sizes[t]) for the position t that follows, as many as tokens were given so far.
        Changes the state.
        """
        ...

    def bytes_a_request(self, tokens: int, *, width: int, steps: int) -> int:
        """Memory that a request with a prompt of so many tokens takes while it is decoded."""
        ...
