"""Splits: what trains, what selects, what tests. Cuts are on `known_at`.

recommend.py  temporal (the first basket after a cut) and leave-last-out
behavior.py   cut-offs with a horizon: repurchase and spend
search.py     folds by query
days.py       days and microseconds
"""

from mercer.data.splits.behavior import BehaviorSplit, split_behavior
from mercer.data.splits.recommend import RecommendSplit, split_recommend
from mercer.data.splits.search import SearchSplit, split_search

Split = RecommendSplit | BehaviorSplit | SearchSplit

__all__ = [
    "BehaviorSplit",
    "RecommendSplit",
    "SearchSplit",
    "Split",
    "split_behavior",
    "split_recommend",
    "split_search",
]
