"""Rankers for the task recommend: a user's history in, an ordered catalogue out. One ranker a file.

scoring.py        ScoringRanker: what every ranker shares that scores the whole catalogue in blocks
weights_file.py   weights as safetensors, options as YAML, and the checks when they are read
signals.py        which events speak, and how loudly
steps.py          the order of a history: baskets and instants are one step
tail.py           popularity as the order of what a ranker knows nothing about
popular.py        most-popular and most-popular-recent
buy_again.py      buy-again: frequency and recency of the person's own purchases
cooccurrence.py   directed, decayed counts of what follows what
history.py        the histories of requests as a sparse matrix, faded by age
neighbours.py     a matrix of items by items as the arrays that a ranker keeps
item_knn.py       item-knn: neighbours of the history's items
user_knn.py       user-knn: neighbours of the person; it keeps people, so it is never released
ease.py           ease: linear weights in closed form
matrix_factorisation.py  ials: factors of items by alternating least squares
two_stage/        two-stage: candidates from many sources, ordered by trees
sequence/         sasrec and ligr: a network reads the events in their order
generative/       generative: a decoder writes the next item token by token, inside the rules of the request
neural.py         what rankers share that `mercer.training` trains
prompted.py       prompted-recommend: the first of a base, reordered by what a language model says of titles

Rankers see a person through `requests.visible_history` alone: ScoringRanker blanks the rest before a ranker
is asked, so an answer without profiling can't depend on a history.
"""

from mercer.recommend.buy_again import BuyAgain
from mercer.recommend.ease import Ease
from mercer.recommend.item_knn import ItemKnn
from mercer.recommend.matrix_factorisation import Ials
from mercer.recommend.popular import MostPopular, MostPopularRecent
from mercer.recommend.scoring import ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.tail import popularity, with_tail
from mercer.recommend.user_knn import UserKnn

DEFAULTS = ("most-popular", "most-popular-recent", "buy-again", "item-knn")
"""Models that compete when a target says `models: auto`, simplest first."""

__all__ = [
    "DEFAULTS",
    "BuyAgain",
    "Ease",
    "Ials",
    "ItemKnn",
    "MostPopular",
    "MostPopularRecent",
    "ScoringRanker",
    "SignalOptions",
    "UserKnn",
    "popularity",
    "signals",
    "with_tail",
]
