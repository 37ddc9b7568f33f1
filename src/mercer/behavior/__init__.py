"""Predictors of what an entity will do: a probability or an amount, with its interval and its reasons.

base_rate.py    `base-rate`: one number for everybody
naive.py        `past-rate`: what recency, frequency and past spend alone say; the opponent to beat
single.py       `past-spend`, `past-frequency`, `recency`: what one number alone says
bg_nbd.py       `bg-nbd`: buy till you die, with the value of a purchase day
members.py      what predictors share that are a few members
logistic.py     `logistic-regression`
forest.py       `random-forest`
boosted.py      `lightgbm`: boosted trees on point-in-time features
scaled.py       a number that orders amounts, scaled
rates.py        rates by recency and frequency, behind `past-rate`
spending.py     past spend scaled to the horizon, behind `past-rate`
probabilities.py, amounts.py   from raw scores of trees to probabilities and amounts
options.py      what every predictor of this room can be told
labels.py       the checks on labelled rows, and their canonical order
folds.py        folds that keep an entity together
matrix.py       feature frames as matrices
trees.py        fitting, storing and reading an ensemble of boosted trees
calibration.py  scores as probabilities, with intervals
bands.py        intervals of amounts
reasons.py      contributions as reasons
storage.py      the JSON part of a model folder

Predictors register as entry points of the group `mercer.predictors`; `mercer.testing.predictors` holds the
contract that each must pass. LightGBM and SciPy are imported when a predictor needs them.
"""

from mercer.behavior.base_rate import BaseRate
from mercer.behavior.bg_nbd import BgNbdPredictor
from mercer.behavior.boosted import LightGbm
from mercer.behavior.forest import RandomForest
from mercer.behavior.logistic import LogisticRegression
from mercer.behavior.naive import PastRate
from mercer.behavior.single import PastFrequency, PastSpend, Recency

DEFAULTS = ("past-rate", "past-spend", "bg-nbd", "logistic-regression", "lightgbm")
"""The predictors that compete when a target says `models: auto`; those of them that serve its kind."""

FLAT_DEFAULTS = ("base-rate", "logistic-regression", "lightgbm")
"""The same for a target from flat examples, which have no past to read."""

__all__ = [
    "DEFAULTS",
    "FLAT_DEFAULTS",
    "BaseRate",
    "BgNbdPredictor",
    "LightGbm",
    "LogisticRegression",
    "PastFrequency",
    "PastRate",
    "PastSpend",
    "RandomForest",
    "Recency",
]
