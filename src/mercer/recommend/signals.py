"""Which events of a log speak for a taste, and how loudly."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from mercer.contracts import Dataset, Interactions, Options, Vocabulary
from mercer.errors import nearest

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SignalOptions(Options):
    """Options of rankers that read events by kind.

    kinds: event kinds that count; others are not read.
    kind_weights: weight of one event of a kind; 1 where not named.
    """

    kinds: tuple[str, ...] = Field(("purchase",), min_length=1, description="event kinds that count")
    kind_weights: dict[str, PositiveFloat] = Field({}, description="weight by kind; left out: 1")

    @model_validator(mode="after")
    def _weights_name_kinds(self) -> SignalOptions:
        for kind in self.kind_weights:
            if kind not in self.kinds:
                raise ValueError(
                    f"kind_weights names {kind!r}, which is not in kinds. {nearest(kind, self.kinds)}"
                )
        return self


def log_of(train: Dataset) -> Interactions:
    """The training log; one without people where there is none."""
    if train.interactions is not None:
        return train.interactions
    return Interactions.empty(Vocabulary(()), train.vocabulary)


def signals(log: Interactions, options: SignalOptions) -> tuple[Interactions, npt.NDArray[np.float64]]:
    """The events that count, and their weights, float64, shape (N,). Users stay, if without events."""
    loudness = np.array(
        [options.kind_weights.get(kind, 1.0) if kind in options.kinds else 0.0 for kind in log.kinds] or [0.0]
    )
    weights = loudness[log.kind]
    heard = weights > 0
    if heard.all():
        return log, weights
    return log.where(heard), weights[heard]
