"""Sequence rankers: a network reads a person's events in their order and says what comes next.

    options.py    what a person may choose
    content.py    what the catalogue says of items: title vectors, brand, category path, price
    events.py     histories as flat events and spans over them, in training and in serving alike
    lessons.py    what a log teaches: after these events, this item was next
    network.py    the network in PyTorch: item vectors, and the encoders of `sasrec` and `ligr`
    neighbourhood.py  what others bought next, counted: a term of every logit
    losses.py     sampled softmax with log-q correction, full softmax, generalised BCE
    chunked.py    the softmax loss in blocks that never hold all logits
    trainee.py    what the training loop asks: the loss of some rows
    forward.py    the network in NumPy: what serves
    memory.py     whether a fit has room
    ranker.py     SequenceRanker, Sasrec, Ligr

PyTorch trains and is imported inside `fit` alone (`pip install 'mercer[encoder]'`); answers need NumPy.
Stability: experimental.
"""

from mercer.recommend.sequence.options import SequenceOptions
from mercer.recommend.sequence.ranker import Ligr, Sasrec, SequenceRanker

__all__ = ["Ligr", "Sasrec", "SequenceOptions", "SequenceRanker"]
