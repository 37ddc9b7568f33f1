from __future__ import annotations

from language.events.small import EVERY, ITEMS_ALONE, trainee
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee


class TestItemsAlone(TraineeContract):
    def make(self) -> Trainee:
        return trainee(ITEMS_ALONE, dropout=0.2)


class TestEveryField(TraineeContract):
    def make(self) -> Trainee:
        return trainee(EVERY)


class TestLlama(TraineeContract):
    def make(self) -> Trainee:
        return trainee(family="llama")


class TestMistral(TraineeContract):
    def make(self) -> Trainee:
        return trainee(family="mistral", sliding=7, dropout=0.1)
