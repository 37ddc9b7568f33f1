"""The two-stage ranker: a few hundred candidates from many sources, put in order by boosted trees.

options.py      what can be chosen
histories.py    what a batch of requests says, as arrays: the one place where a person is read
catalogue.py    brand, category path and price of items
titles.py       what titles mean: small whole vectors, and the nearest titles
facts.py        what the log says of items as of a time: neighbours, sales, trends, repeats
knowledge.py    the three above put together, and how they are kept
sparse.py       sums over rows of neighbours that no batch can change
spreads.py      scores that spread from histories over the catalogue
candidates.py   the first stage: which items are worth scoring
asked.py        all that a feature may read
neighbourly.py, matching.py, personal.py, sequential.py    the features, by group
features.py     the features in order, as a matrix
labels.py       held-out positions inside train, and what was known then
lists.py        lists to learn from
boosting.py     LambdaMART, by LightGBM
ranker.py       TwoStage, the ranker `two-stage`
sequenced.py    TwoStageSequence, the ranker `two-stage-sequence`: a sequence ranker inside
"""

from mercer.recommend.two_stage.options import GROUPS, SOURCES, TwoStageOptions
from mercer.recommend.two_stage.ranker import TwoStage
from mercer.recommend.two_stage.sequenced import TwoStageSequence

__all__ = ["GROUPS", "SOURCES", "TwoStage", "TwoStageOptions", "TwoStageSequence"]
