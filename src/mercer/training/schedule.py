"""The learning rate as a function of the share of the training that is done: no count of steps is needed."""

from __future__ import annotations

import math

from mercer.training.options import TrainingOptions


def learning_rate(options: TrainingOptions, done: float) -> float:
    """The rate at a share `done` of the training, 0 to 1: a linear rise over `warmup`, then the chosen decay."""
    if done < options.warmup:
        return options.learning_rate * done / options.warmup
    left = (1.0 - done) / (1.0 - options.warmup)
    fall = {"constant": 1.0, "linear": left, "cosine": 0.5 * (1.0 - math.cos(math.pi * left))}
    return options.learning_rate * fall[options.decay]
