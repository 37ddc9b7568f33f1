"""Language models as judges of relevance. What they say counts only where `evaluation.accept_judge` accepts them.

pair.py       Pair: a query and an item as a judge reads them; the name that a model judge signs with
pointwise.py  PointwiseJudge: a grade for a pair, over both orders of the scale
pairwise.py   PairwiseJudge: which of two items is better, asked in both orders
"""

from mercer.language.judging.pair import Item, Pair, signature
from mercer.language.judging.pairwise import PairwiseJudge
from mercer.language.judging.pointwise import Grade, PointwiseJudge

__all__ = ["Grade", "Item", "Pair", "PairwiseJudge", "PointwiseJudge", "signature"]
