"""One loop for every neural model: reproducible to the bit, interrupted anywhere, priced beforehand.

    options.py      how to train: TrainingOptions
    trainee.py      what is trained: the protocol Trainee
    loop.py         `train`: the loop, in one screen
    sampler.py      which rows are in which batch: a function of (seed, epoch)
    schedule.py     the learning rate: a function of how much is done
    learner.py      one step: gradients, clipping, AdamW, averaged weights
    state.py        where a training is, as JSON
    checkpoints.py  folders that are whole or not there
    estimates.py    `estimate`: what a training will take, measured in a few steps
    record.py       what a training was and took: TrainingRecord, `training.json`
    inner.py        a ranker inside another: named, made, kept, read
    place.py        device, precision, threads, and the other processes

PyTorch is imported inside functions: it comes with `pip install 'mercer[encoder]'`.
Stability: experimental.
"""

from mercer.training.estimates import TrainingEstimate, estimate
from mercer.training.loop import train
from mercer.training.options import TrainingOptions
from mercer.training.record import RECORD_FILE, TrainingRecord, Validation
from mercer.training.trainee import Trainee

__all__ = [
    "RECORD_FILE",
    "Trainee",
    "TrainingEstimate",
    "TrainingOptions",
    "TrainingRecord",
    "Validation",
    "estimate",
    "train",
]
