"""A small messy file of labelled visits with a brief, walked once from data to release."""

from __future__ import annotations

import csv
import fcntl
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import mercer
from flow.house import cache_at

N = 420
TROUBLE = {"missing-label": 3, "unknown-label": 2, "empty-example": 1, "unreadable-cell": 4}
"""Rows that each rule acts on."""
ACCEPTED = ("gdpr-consent", "gdpr-object", "gdpr-dpia", "edpb-model", "aia-5", "pci-data")
MONTHS = ("Feb", "May", "Nov")


def visits(order: int = 0) -> str:
    """CSV text: the odds of a purchase rise with the pages seen and in November; `paid` is the leak, `sex` protected.

    order: seed of a shuffle of the rows, 0 for none.
    """
    rng = np.random.default_rng(7)
    pages, month = rng.poisson(8, N), rng.integers(0, 3, N)
    weekend = rng.random(N) < 0.3
    odds = -2.2 + 0.2 * pages + 1.0 * (month == 2)
    bought = rng.random(N) < 1 / (1 + np.exp(-odds))
    rows = [
        [
            f"{pages[i]},5",
            MONTHS[month[i]],
            "TRUE" if weekend[i] else "FALSE",
            str(int(bought[i]) * 30 + int(rng.integers(0, 5))),
            "fm"[int(rng.random() < 0.5)],
            "Good" if bought[i] else "bad",
        ]
        for i in range(N)
    ]
    for i in range(4):
        rows[i][0] = "many"
    rows[10][1] = "?"
    rows[11][2] = ""
    rows += [["3,5", "May", "TRUE", "1", "f", label] for label in ("", "", "", "maybe", "perhaps")]
    rows.append(["", "", "?", "", "", "bad"])
    if order:
        rows = [rows[at] for at in np.random.default_rng(order).permutation(len(rows))]
    written = io.StringIO()
    lines = csv.writer(written, delimiter=";", lineterminator="\n")
    lines.writerow(["pages", "month", "weekend", "paid", "sex", "outcome"])
    lines.writerows(rows)
    return written.getvalue()


def brief_text(**target: Any) -> str:
    """The brief. target: keys of its target to replace."""
    content = {
        "schema": 1,
        "name": "visits",
        "question": "Which visits end in a purchase?",
        "decision": {
            "date": "2026-06-30",
            "target": "buys",
            "metric": "auc",
            "against": "base-rate",
            "least_gain": {"absolute": 0.01},
        },
        "data": {
            "examples": {
                "source": "visits.csv",
                "delimiter": ";",
                "decimal": ",",
                "label": "outcome",
                "positive": "good",
            }
        },
        "columns": {"sex": {"protected": True}, "pages": {"means": "pages seen in the visit"}},
        "purposes": ["analytics"],
        "packs_date": "2026-11-24",
        "governance": {"owner_role": "growth", "validator_role": "model-risk"},
        "targets": {
            "buys": {
                "task": "behavior",
                "label": "examples",
                "exclude_columns": ["paid"],
                "split": {"kind": "folds", "folds": 4, "repeats": 2},
                "models": ["base-rate", "lightgbm", "logistic-regression"],
                "options": {"lightgbm": {"rounds": 40, "folds": 2}},
                **target,
            }
        },
        "accept": [
            {"rule": rule, "role": "model-risk", "reason": "a test", "until": "2027-06-30"}
            for rule in ACCEPTED
        ],
    }
    return yaml.safe_dump(content, sort_keys=False)


@dataclass(frozen=True)
class Flat:
    """A finished run on the visits, its brief as a file beside the data, and the cache that it filled."""

    brief_file: Path
    folder: Path
    cache: Path

    @property
    def run(self) -> mercer.Run:
        return mercer.Run(self.folder)


def write_visits(folder: Path, order: int = 0, **target: Any) -> Path:
    """The file and the brief in a folder; the brief's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "visits.csv").write_text(visits(order), "utf-8")
    brief = folder / "visits.yaml"
    brief.write_text(brief_text(**target), "utf-8")
    return brief


def make_flat(folder: Path) -> Flat:
    """Run the brief once; processes that ask at the same time wait for the first."""
    folder.mkdir(exist_ok=True)
    flat = Flat(folder / "source" / "visits.yaml", folder / "run", folder / "cache")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            write_visits(folder / "source")
            with cache_at(flat.cache):
                mercer.run(flat.brief_file, flat.folder)
            (folder / "done").touch()
    return flat
