"""One token chosen among scores: the likeliest, or one drawn at a temperature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError


def choose(
    scores: npt.NDArray[np.float64], temperature: float, rng: np.random.Generator
) -> tuple[int, float]:
    """The place chosen and its log-probability at temperature 1; of equal scores, the first.

    Raises UsageError for a temperature below 0 or not finite.
    """
    if not 0 <= temperature < float("inf"):
        raise UsageError(f"The temperature is {temperature}.", remedy="Use 0 or a positive number.")
    logs = scores - scores.max()
    logs -= np.log(np.exp(logs).sum())
    if temperature == 0:
        place = int(np.argmax(scores))
    else:
        warm = np.exp((scores - scores.max()) / temperature)
        place = min(
            int(np.searchsorted(np.cumsum(warm), rng.random() * warm.sum(), "right")), len(scores) - 1
        )
    return place, float(logs[place])
