"""beam_search: the k most probable permitted items of each request, over a tree of paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.language.beams.permitted import Permitted
from mercer.language.beams.prefixes import Prefixes
from mercer.language.beams.steps import StepModel

Int32s = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """items: int32, shape (n, k), best first, -1 where fewer were found.

    log_probability: float32, shape (n, k), of the item's whole path after the prompt; -inf there.
    """

    items: Int32s
    log_probability: Floats32


def beam_search(
    model: StepModel,
    prompts: Sequence[Int32s],
    prefixes: Prefixes,
    *,
    width: int,
    k: int,
    permitted: Permitted | None = None,
    memory: int = 256 * 2**20,
) -> Found:
    """Decode the paths of items after each prompt.

    prompts: n arrays of vocabulary tokens, of any lengths. width: beams kept at each step; from k on the list is full
    where enough is permitted. permitted: rules of the n requests; None permits the catalogue. memory: bytes that
    prompts and beams may take at once; requests are decoded in blocks of similar length that fit, at least one.
    Fails closed: where nothing is permitted the row is all -1. Ties go to the smaller item code.
    Raises UsageError for k above width, rules of another number of requests or of another tree.
    """
    raise NotImplementedError
