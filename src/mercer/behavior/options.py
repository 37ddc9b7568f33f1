"""What every predictor of this room can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mercer.contracts import Options

Kind = Literal["probability", "amount"]


class PredictorOptions(Options):
    """Base of the predictors' `Options`."""

    kind: Literal["auto", "probability", "amount"] = Field(
        "auto", description="what is predicted; auto: a probability where every outcome is 0 or 1"
    )
