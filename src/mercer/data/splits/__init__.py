"""Splits: what trains, what selects, what tests. Cuts are on `known_at`.

recommend.py  temporal (the first basket after a cut) and leave-last-out
behavior.py   cut-offs with a horizon: repurchase and spend
folds.py      K folds, R times, without a clock: search and examples
search.py     folds by query
examples.py   stratified folds over flat labelled examples
days.py       days and microseconds
"""

from mercer.data.splits.behavior import BehaviorSplit, split_behavior
from mercer.data.splits.examples import flat_columns, snapshots_of_columns, split_examples
from mercer.data.splits.folds import Fold, FoldPart, FoldSplit, folds_of
from mercer.data.splits.recommend import RecommendSplit, split_recommend
from mercer.data.splits.search import split_search

Split = RecommendSplit | BehaviorSplit | FoldSplit

__all__ = [
    "BehaviorSplit",
    "Fold",
    "FoldPart",
    "FoldSplit",
    "RecommendSplit",
    "Split",
    "flat_columns",
    "folds_of",
    "snapshots_of_columns",
    "split_behavior",
    "split_examples",
    "split_recommend",
    "split_search",
]
