"""What a person may choose about the two-tower ranker; the defaults follow what was measured (docs)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from mercer.contracts import searched
from mercer.errors import nearest
from mercer.recommend.sequence.options import KINDS
from mercer.recommend.with_keras import TrainedOptions

Rate = Annotated[float, Field(gt=0, lt=1)]


class TwoTowerOptions(TrainedOptions):
    """What is read of items: `content`, `text_width`. The towers: `width` … `temperature`. The rest is training."""

    content: tuple[str, ...] = Field(
        ("title", "brand", "category"), description="what is read of an item besides its ID"
    )
    text_width: int = Field(128, ge=1, le=4_096, description="principal directions kept of title vectors")
    width: int = searched(
        64, low=32, high=256, log=True, ge=2, le=4_096, description="numbers of a user and of an item"
    )
    hidden: int = searched(
        128, low=32, high=512, log=True, ge=1, le=16_384, description="width of the user tower's layer"
    )
    rates: tuple[Rate, ...] = Field(
        (0.3, 0.7, 0.95),
        min_length=1,
        description="what an event keeps of its weight per step of age; where learning starts",
    )
    dropout: float = searched(
        0.3, low=0.0, high=0.6, ge=0, lt=1, description="share dropped in the user tower"
    )
    id_dropout: float = searched(
        0.1,
        low=0.0,
        high=0.5,
        ge=0,
        lt=1,
        description="share of items whose ID is hidden, so that content speaks",
    )
    temperature: float = searched(
        0.07,
        low=0.02,
        high=0.3,
        log=True,
        gt=0,
        le=10,
        description="cosines are divided by it; where learning starts",
    )
    negatives: int = searched(
        1024,
        low=128,
        high=4096,
        log=True,
        ge=0,
        description="items drawn evenly for all questions of a step, besides",
    )

    @model_validator(mode="after")
    def _content_is_known(self) -> TwoTowerOptions:
        for name in self.content:
            if name not in KINDS:
                raise ValueError(f"content {name!r} is not among {', '.join(KINDS)}. {nearest(name, KINDS)}")
        return self
