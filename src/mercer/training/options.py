"""How to train: the options that every neural model shares. A model's own `Options` inherit from them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mercer.contracts import Options, searched

UNRELATED = frozenset({"checkpoint_every", "estimate_steps"})
"""Options that change no result: a training may go on under other values of them."""


class TrainingOptions(Options):
    """What decides the course of a training. A cost unit is what the trainee counts, as a rule a token or an event."""

    epochs: int = Field(20, ge=1, description="passes over the training rows")
    batch_tokens: int = Field(
        8192,
        ge=1,
        description="cost units a batch, padding counted: rows times the cost of the costliest; one row at least",
    )
    accumulate: int = Field(1, ge=1, description="batches whose gradients are added before a step")
    learning_rate: float = searched(
        1e-3, low=1e-4, high=1e-2, log=True, gt=0, description="the highest learning rate"
    )
    weight_decay: float = Field(0.0, ge=0, description="decay of matrices a step (AdamW), per learning rate")
    beta2: float = Field(0.98, gt=0, lt=1, description="how long AdamW remembers squared gradients")
    warmup: float = Field(
        0.05, ge=0, lt=1, description="share of the steps in which the learning rate rises from 0"
    )
    decay: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="how the learning rate then falls, to 0 at the end; constant: it does not"
    )
    clip: float = Field(
        1.0, ge=0, description="longest gradient (Euclidean norm); longer ones are cut; 0: off"
    )
    average: float = Field(
        0.0, ge=0, lt=1, description="weight that the running average of the weights keeps a step; 0: off"
    )
    evaluate_every: float = Field(1.0, gt=0, description="epochs between two evaluations on validation")
    patience: int = Field(5, ge=0, description="evaluations without a gain that end the training; 0: never")
    checkpoint_every: int = Field(500, ge=1, description="steps between two checkpoints")
    estimate_steps: int = Field(
        6, ge=0, description="steps measured before the training, to say what it will take; 0: none"
    )
    compile: bool = Field(False, description="compile the module (torch.compile); pays in long trainings")
