"""The contracts: value types that the rooms pass to each other, and the protocols that plug-ins implement.

vocabulary.py    ids and their codes
ragged.py        rows of unequal length in flat arrays
interactions.py  the event log in memory
requests.py      a batch of requests with its context and rules
rankings.py      ranked answers
columns.py       the columns of flat examples
datasets.py      what fit receives, what is held out, snapshots, labels, predictions
tables.py        the twelve canonical tables at rest
protocols.py     Ranker, Policy, Predictor, Encoder, Gate, Erasable, ...
search_space.py  which options `tune` searches, declared on the options
plugins.py       loading plug-ins by entry point
"""

from mercer.contracts.columns import ColumnType, FlatColumn, frequent
from mercer.contracts.datasets import (
    ITEM_COLUMNS,
    Dataset,
    Holdout,
    Labelled,
    Predictions,
    Reason,
    Snapshots,
)
from mercer.contracts.interactions import NEVER, Interactions, Times, same_interactions
from mercer.contracts.protocols import (
    Budget,
    Candidate,
    Encoder,
    Erasable,
    Estimate,
    Finding,
    Gate,
    Generation,
    ListScorer,
    Metric,
    Options,
    Policy,
    Predictor,
    Progress,
    Ranker,
    Runtime,
    Silent,
    Status,
    TextGenerator,
    TokenScorer,
    UpliftPredictor,
)
from mercer.contracts.ragged import Ragged, gather
from mercer.contracts.rankings import NO_ITEM, Floats32, Rankings
from mercer.contracts.requests import UNKNOWN_AGE, Context, Requests
from mercer.contracts.search_space import Range, search_space, searched
from mercer.contracts.tables import TABLES, Column, TableSchema
from mercer.contracts.vocabulary import Codes, Vocabulary

__all__ = [
    "ITEM_COLUMNS",
    "NEVER",
    "NO_ITEM",
    "TABLES",
    "UNKNOWN_AGE",
    "Budget",
    "Candidate",
    "Codes",
    "Column",
    "ColumnType",
    "Context",
    "Dataset",
    "Encoder",
    "Erasable",
    "Estimate",
    "Finding",
    "FlatColumn",
    "Floats32",
    "Gate",
    "Generation",
    "Holdout",
    "Interactions",
    "Labelled",
    "ListScorer",
    "Metric",
    "Options",
    "Policy",
    "Predictions",
    "Predictor",
    "Progress",
    "Ragged",
    "Range",
    "Ranker",
    "Rankings",
    "Reason",
    "Requests",
    "Runtime",
    "Silent",
    "Snapshots",
    "Status",
    "TableSchema",
    "TextGenerator",
    "Times",
    "TokenScorer",
    "UpliftPredictor",
    "Vocabulary",
    "frequent",
    "gather",
    "same_interactions",
    "search_space",
    "searched",
]
