"""What a person may choose about the two-tower ranker; the defaults follow what was measured (docs)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from mercer.contracts import searched
from mercer.errors import nearest
from mercer.recommend.signals import SignalOptions

CONTENT = ("title", "brand", "category", "price")

Rate = Annotated[float, Field(gt=0, lt=1)]


class TwoTowerOptions(SignalOptions):
    """What is read: `window`, `content`, `text_width`. The towers: `width` … `id_dropout`. The training: the rest."""

    window: int = Field(50, ge=1, le=2_000, description="events of a history that are read, the last ones")
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
    epochs: int = Field(20, ge=1, le=10_000, description="passes over the questions, at most")
    batch: int = Field(
        1024, ge=2, le=1_000_000, description="questions of a step; their answers are negatives of each other"
    )
    negatives: int = searched(
        1024,
        low=128,
        high=4096,
        log=True,
        ge=0,
        description="items drawn evenly for all questions of a step, besides",
    )
    learning_rate: float = searched(
        1e-3, low=3e-4, high=5e-3, log=True, gt=0, le=1, description="of AdamW, at its highest"
    )
    weight_decay: float = searched(0.01, low=1e-4, high=0.3, log=True, ge=0, le=10, description="of AdamW")
    patience: int = Field(4, ge=1, description="epochs without a better held-out ndcg@10 before stopping")
    validation_rows: int = Field(3_000, ge=1, description="held-out requests that stop the training, at most")

    @model_validator(mode="after")
    def _content_is_known(self) -> TwoTowerOptions:
        for name in self.content:
            if name not in CONTENT:
                raise ValueError(
                    f"content {name!r} is not among {', '.join(CONTENT)}. {nearest(name, CONTENT)}"
                )
        return self
