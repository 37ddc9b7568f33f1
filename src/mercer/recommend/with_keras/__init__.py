"""Rankers that Keras trains on TensorFlow, and the way to bring one of your own.

backend.py    TensorFlow and Keras, imported where they are used, deterministic
windows.py    histories as rows of equal width
questions.py  what a log asks: after this history, this item was next
course.py     epochs, learning rate, validation, time limit
trained.py    TrainedRanker: what rankers share that Keras trains
adapter.py    KerasRanker: any Keras model that scores items after a padded history
"""

from mercer.recommend.with_keras.adapter import KerasRanker
from mercer.recommend.with_keras.backend import KerasBackend
from mercer.recommend.with_keras.course import Course, Epoch, Lesson, Measured
from mercer.recommend.with_keras.questions import Questions
from mercer.recommend.with_keras.trained import TrainedOptions, TrainedRanker
from mercer.recommend.with_keras.windows import PADDING, Windows

__all__ = [
    "PADDING",
    "Course",
    "Epoch",
    "KerasBackend",
    "KerasRanker",
    "Lesson",
    "Measured",
    "Questions",
    "TrainedOptions",
    "TrainedRanker",
    "Windows",
]
