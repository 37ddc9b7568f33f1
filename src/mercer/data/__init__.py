"""Data: from files to clean canonical tables, to interactions in memory, to what trains and what tests.

engine.py        DuckDB or Spark through Ibis; nothing else imports them
sources.py       where a table comes from, and its raw rows
  files.py         a file in the data folders
  csv_files.py     CSV as it comes; encodings.py tells in which encoding
  databases.py     what a query finds in SQLite or PostgreSQL, copied once
public_sets.py   public data sets; download.py brings them by checksum
mapping.py       own columns to canonical ones
marks.py         which mark stands before decimals and which between thousands
examples.py      labels and columns of flat examples
casts.py         text, numbers and flags, read with guards
moments.py       times; zones.py turns local ones into UTC, money.py knows the decimals of currencies
cleaning/        named rules, a file a group
ingest.py        read, map, clean, account
accounting.py    kept + quarantined + merged = read
profile/         the page an analyst would look at first
guess.py         what a file's columns could mean
tables.py        the canonical tables of a folder
training.py      which events may train: consent, objection, age
interactions.py  the event log in memory; the catalogue beside it
splits/          what trains, what selects, what tests
audit.py         nothing known after a cut trains before it
suppression.py   who was forgotten
folder_store.py  finding and erasing a person in folders of files
"""

from mercer.data.accounting import Accounting, RuleCount, TableCount
from mercer.data.audit import audit_leakage
from mercer.data.folder_store import Change, FolderStore
from mercer.data.guess import Guess, guess_mapping
from mercer.data.ingest import ingest
from mercer.data.interactions import build_interactions, catalogue, item_frame
from mercer.data.profile import profile_file, write_profile
from mercer.data.sources import find_source, read_frame
from mercer.data.splits import (
    BehaviorSplit,
    Fold,
    FoldSplit,
    RecommendSplit,
    flat_columns,
    folds_of,
    snapshots_of_columns,
    split_behavior,
    split_examples,
    split_recommend,
    split_search,
)
from mercer.data.suppression import SuppressionList
from mercer.data.tables import Tables
from mercer.data.training import end_of, training_rows

__all__ = [
    "Accounting",
    "BehaviorSplit",
    "Change",
    "Fold",
    "FoldSplit",
    "FolderStore",
    "Guess",
    "RecommendSplit",
    "RuleCount",
    "SuppressionList",
    "TableCount",
    "Tables",
    "audit_leakage",
    "build_interactions",
    "catalogue",
    "end_of",
    "find_source",
    "flat_columns",
    "folds_of",
    "guess_mapping",
    "ingest",
    "item_frame",
    "profile_file",
    "read_frame",
    "snapshots_of_columns",
    "split_behavior",
    "split_examples",
    "split_recommend",
    "split_search",
    "training_rows",
    "write_profile",
]
