"""What a person may choose about the sequence rankers; the defaults follow what was measured (docs)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mercer.contracts import searched
from mercer.errors import nearest
from mercer.recommend.signals import SignalOptions
from mercer.training import TrainingOptions

KINDS = ("title", "brand", "category", "price")
"""What can be read of an item."""


class SequenceOptions(SignalOptions, TrainingOptions):
    """What is read: `kinds`, `answers`, `asked`, `window`, `content`. The network: `width` … `id_dropout`. The loss.

    How it is trained is said by the options of every neural model (mercer.training.TrainingOptions).
    """

    epochs: int = searched(8, low=3, high=30, log=True, ge=1, description="passes over the training rows")
    batch_tokens: int = Field(
        1500,
        ge=1,
        description="events a batch, padding counted: rows times the longest; one row at least",
    )
    learning_rate: float = searched(
        2e-3, low=3e-4, high=1e-2, log=True, gt=0, description="the highest learning rate"
    )
    patience: int = Field(3, ge=0, description="evaluations without a gain that end the training; 0: never")
    answers: tuple[str, ...] = Field(
        ("purchase",), min_length=1, description="kinds of events that are to be foretold"
    )
    asked: Literal["event", "step"] = Field(
        "step", description="what is foretold: the next event, or all of the next basket"
    )
    window: int = Field(50, ge=1, le=2_000, description="events of a history that are read, the last ones")
    content: tuple[str, ...] = Field(
        ("title", "brand", "category"), description="what is read of an item besides its ID"
    )
    text_width: int = Field(128, ge=1, le=4_096, description="principal directions kept of title vectors")
    width: int = searched(
        128, low=32, high=256, log=True, ge=4, le=4_096, description="numbers of an item and of a state"
    )
    blocks: int = searched(2, low=1, high=4, ge=1, le=48, description="blocks of the encoder")
    heads: int = Field(2, ge=1, le=64, description="heads of attention; width is a multiple of it")
    inner: float = Field(2.0, gt=0, le=16, description="width inside a block, relative to `width`")
    dropout: float = searched(0.3, low=0.0, high=0.6, ge=0, lt=1, description="share dropped inside blocks")
    embedding_dropout: float = searched(
        0.3, low=0.0, high=0.6, ge=0, lt=1, description="share dropped of what enters the encoder"
    )
    id_dropout: float = searched(
        0.0,
        low=0.0,
        high=0.5,
        ge=0,
        lt=1,
        description="share of items whose ID is hidden, so that content speaks",
    )
    neighbours: float = searched(
        2.4, low=0.0, high=6.0, ge=0, le=20, description="weight of what others bought next, counted; 0: off"
    )
    factor: float | None = Field(
        None,
        gt=0,
        le=100,
        description="what `neighbours` is multiplied with in answers; None: validation chooses, 1 without it",
    )
    loss: Literal["sampled-softmax", "softmax", "bce"] = Field(
        "sampled-softmax", description="what is minimised"
    )
    negatives: int = searched(
        1024, low=128, high=4096, log=True, ge=1, description="items drawn for all questions of a batch"
    )
    calibration: float = Field(
        0.75, ge=0, le=1, description="bce alone: how far the sampling's overconfidence is undone"
    )
    half_life_days: float | None = Field(
        60.0, gt=0, description="days after which a question weighs half, in logs with a clock; None: never"
    )
    validation_rows: int = Field(3_000, ge=1, description="held-out requests that stop the training, at most")

    @model_validator(mode="after")
    def _they_fit_together(self) -> SequenceOptions:
        for name in self.content:
            if name not in KINDS:
                raise ValueError(f"content {name!r} is not among {', '.join(KINDS)}. {nearest(name, KINDS)}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        missing = [kind for kind in self.answers if kind not in self.kinds]
        if missing:
            raise ValueError(
                f"answers names {missing[0]!r}, which is not in kinds. {nearest(missing[0], self.kinds)}"
            )
        return self
