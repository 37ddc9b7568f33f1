"""Point-in-time features of a history, one definition for training and for serving.

definitions.py   name, meaning, unit and missing value of every feature
timeline.py      events cut at each snapshot's time, with reductions by row
orders.py        purchase lines as orders, less returns
groups.py        recency, frequency, money, rhythm and browsing
columns.py       columns of flat examples as features
compute.py       all of it as one frame
fingerprint.py   the hash that a release carries

The room reads `Snapshots` and knows no model.
"""

from mercer.features.compute import compute
from mercer.features.definitions import DECLARED as FEATURES
from mercer.features.definitions import Feature
from mercer.features.fingerprint import definitions_hash

__all__ = ["FEATURES", "Feature", "compute", "definitions_hash"]
