"""What a person may choose about a fine-tuning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from mercer.contracts import searched
from mercer.training import TrainingOptions

Method = Literal["lora", "full", "dpo"]

RATES: dict[str, float] = {"lora": 5e-4, "full": 3e-5, "dpo": 5e-5}
"""The learning rate of a method where none is given: few new numbers bear more than all the old ones."""


class FineTuningOptions(TrainingOptions):
    """What is trained: `method`, `rank` … `added_tokens`. How rows are made: `longest`, `row_tokens`, `pack`.

    method: lora, small matrices beside the frozen ones (Hu et al. 2021); full, every weight; dpo, preferences
    (Rafailov et al. 2023), with small matrices too. A cost unit of `batch_tokens` is a token.
    How it is trained is said by the options of every neural model (mercer.training.TrainingOptions).
    """

    method: Method = Field("lora", description="lora, full, or dpo for preferences")
    epochs: int = searched(3, low=1, high=10, ge=1, description="passes over the training rows")
    batch_tokens: int = Field(
        1024, ge=1, description="tokens a batch, padding counted: rows times the longest; one row at least"
    )
    learning_rate: float = searched(
        RATES["lora"],
        low=1e-5,
        high=2e-3,
        log=True,
        gt=0,
        description="the highest learning rate; left out: lora 5e-4, full 3e-5, dpo 5e-5",
    )
    beta2: float = Field(0.999, gt=0, lt=1, description="how long AdamW remembers squared gradients")
    patience: int = Field(3, ge=0, description="evaluations without a gain that end the training; 0: never")
    checkpoint_every: int = Field(50, ge=1, description="steps between two checkpoints")
    estimate_steps: int = Field(
        2, ge=0, description="steps measured before the training, to say what it will take; 0: none"
    )
    rank: int = searched(
        16, low=4, high=64, log=True, ge=1, le=1024, description="width of the small matrices"
    )
    alpha: float = Field(32.0, gt=0, description="what they add is multiplied by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="share dropped of what enters the small matrices")
    added_tokens: tuple[str, ...] = Field(
        (), description="texts that become tokens of their own, whose embeddings are trained"
    )
    longest: int | None = Field(
        None,
        ge=2,
        description="tokens of an example at most, longer ones are left out; None: the model's window",
    )
    pack: bool = Field(False, description="pack several examples into a row; false: a row holds one")
    row_tokens: int = Field(
        256,
        ge=2,
        description="tokens up to which examples are packed into one row; a longer one is a row alone",
    )
    beta: float = searched(
        0.1,
        low=0.01,
        high=1.0,
        log=True,
        gt=0,
        description="dpo: how dear it is to leave the model as it was",
    )

    @model_validator(mode="before")
    @classmethod
    def _rate_of_the_method(cls, given: Any) -> Any:
        if isinstance(given, dict) and "learning_rate" not in given:
            return {**given, "learning_rate": RATES.get(given.get("method", "lora"), RATES["lora"])}
        return given

    @model_validator(mode="after")
    def _tokens_are_texts(self) -> FineTuningOptions:
        if len(set(self.added_tokens)) < len(self.added_tokens) or "" in self.added_tokens:
            raise ValueError("added_tokens holds a text twice, or an empty one")
        return self
