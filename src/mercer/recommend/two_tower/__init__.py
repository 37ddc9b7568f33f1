"""A two-tower retrieval model, trained with Keras on TensorFlow and served by NumPy.

options.py   what can be chosen
batches.py   questions dealt into batches, with the items that compete to answer them
towers.py    the towers in Keras, and one step of their training
served.py    the towers in NumPy
ranker.py    TwoTower, the ranker `two-tower`
"""

from mercer.recommend.two_tower.options import TwoTowerOptions
from mercer.recommend.two_tower.ranker import TwoTower

__all__ = ["TwoTower", "TwoTowerOptions"]
