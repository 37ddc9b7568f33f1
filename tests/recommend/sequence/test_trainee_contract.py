"""What the training loop is promised: costs, losses that add up, no memory between calls, an exact resume."""

from __future__ import annotations

from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee
from tests.recommend.sequence.networks import options, trainee

QUIET = {"dropout": 0.0, "embedding_dropout": 0.0, "id_dropout": 0.0}


class TestSampledSoftmax(TraineeContract):
    """The batch's own answers are rivals, too: a process that has a part of the batch has fewer."""

    splits = False

    def make(self) -> Trainee:
        return trainee("sasrec", options(**QUIET))


class TestFullSoftmax(TraineeContract):
    def make(self) -> Trainee:
        return trainee("ligr", options(loss="softmax", blocks=2, **QUIET))


class TestWithDropout(TraineeContract):
    """What is dropped differs between processes, so their losses are those of one only in the mean."""

    splits = False

    def make(self) -> Trainee:
        return trainee("ligr", options(loss="bce", blocks=2))
