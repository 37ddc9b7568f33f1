"""Does a language model that is only prompted order a search better? `prompted-search` on a real catalogue.

    .venv/bin/python benchmarks/prompted_search.py --icecat FOLDER [--only NAME ...] [--precision bf16] [--candidates N]

--icecat: folder with products.parquet and ratings.csv of the Chorus electronics catalogue (Icecat). Queries whose md5
begins with 0 to 7 are what the rankers may see (weight, scale, examples); the others are scored, each once.
Rows: the base (fields-minilm); three wordings of both prompts, zero-shot; two examples drawn and two nearest; the twin
with random weights. Differences from the base are paired by query, tested by sign flips, Holm over the table.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from search import icecat, score

from mercer.contracts import Dataset, Holdout
from mercer.environment import price_per_hour
from mercer.evaluation import Scored, adjust, compare, value
from mercer.language.prompts.spread import spread_of
from mercer.search import FieldsMinilm
from mercer.search.prompted import PromptedSearch

METRICS = ("condensed-ndcg@10", "ndcg@10")
BASE: dict[str, Any] = {"base": {"fields-minilm": {"bundle_encoder": False}}}
ROWS: dict[str, dict[str, Any]] = {
    **{
        f"{prompt}, wording {wording}": {"prompt": prompt, "wording": wording}
        for prompt in ("search-likelihood", "search-title")
        for wording in (0, 1, 2)
    },
    "search-likelihood, 2 examples drawn": {"shots": 2},
    "search-likelihood, 2 nearest examples": {"shots": 2, "shots_by": "nearest"},
    "search-likelihood, random weights": {"weights": "random"},
    "search-title, random weights": {"prompt": "search-title", "weights": "random"},
    "search-listed, 10 candidates, 2 orders": {"prompt": "search-listed", "candidates": 10},
}


def seen(query: str) -> bool:
    """Whether the rankers may see a query's judgments."""
    return hashlib.md5(query.encode(), usedforsecurity=False).hexdigest()[0] < "8"


def divided(train: Dataset, held: Holdout) -> tuple[Dataset, Holdout]:
    """The catalogue with the judgments that may be seen, and the queries that are scored."""
    assert train.judgments is not None
    known = train.judgments["query"].map(seen)
    rows = np.flatnonzero([not seen(query) for query in held.units])
    return replace(train, judgments=train.judgments.loc[known].reset_index(drop=True)), held.take(rows)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icecat", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--candidates", type=int, default=20, help="first items that are put in a new order")
    parser.add_argument("--validation", type=int, default=60, help="queries that choose the weight")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    train, held = divided(*icecat(given.icecat)[:2])
    assert train.judgments is not None
    print(f"{train.judgments['query'].nunique()} queries seen, {len(held)} scored", flush=True)
    base = score(FieldsMinilm(FieldsMinilm.Options(bundle_encoder=False)).fit(train), held)
    print("base", *(f"{metric} {value(base, metric):.4f}" for metric in METRICS), flush=True)
    scored: dict[str, Scored] = {}
    for name in given.only:
        options = PromptedSearch.Options(
            **{
                **BASE,
                "precision": given.precision,
                "candidates": given.candidates,
                "validation_rows": given.validation,
                **ROWS[name],
            }
        )
        ranker = PromptedSearch(options).fit(train, seed=1)
        began = time.perf_counter()
        scored[name] = score(ranker, held)
        ms = 1000 * (time.perf_counter() - began) / len(held)
        price = price_per_hour()
        cost = "" if price is None else f" {ms / 3600 * price:.4g} for 1,000"
        found = " ".join(f"{metric} {value(scored[name], metric):.4f}" for metric in METRICS)
        print(f"{name}: {found} weight {ranker._whole.weight:g} {ms:.0f} ms a query{cost}", flush=True)
    for metric in METRICS:
        found = [
            compare(one, base, metric, names=(name, "base"), task="search", target="icecat")
            for name, one in scored.items()
        ]
        for one in adjust(found):
            print(f"{metric} {one.a}: {one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}] {one.verdict}")
        for prompt in ("search-likelihood", "search-title"):
            wordings = {name: one for name, one in scored.items() if name.startswith(f"{prompt}, wording")}
            if wordings:
                print(metric, prompt, spread_of(wordings, metric).said())


if __name__ == "__main__":
    main()
