"""How well queries are understood, and what it brings: hand-written wordings that no training code reads.

    .venv/bin/python benchmarks/understanding.py --keep FOLDER [--icecat FOLDER] [--makers NAME ...] [--seeds 1]

Wordings of benchmarks/held_out, their gold and grades as benchmarks/wordings.py makes them. For each maker:

    exact       share of wordings whose filters are all right and no more; intent: share whose intent is right
    ndcg@10     of the search with it over the whole catalogue, and of the plain query
    harm        ndcg@10 on queries that were not made to be understood: the simulated shop's own judged ones, and with
                --icecat the 135 human-judged ones of the electronics catalogue
    ms          understand() alone, one query at a time, none asked before: median and 99th percentile
    cost        of 1,000 queries at CPU_HOUR for an hour of one core

Differences are from the rule parser and from the plain query: paired, sign flips, Holm over the makers; 95 % intervals
by bootstrap over queries. What was fitted is kept in --keep and read again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from wordings import Gold, gold, icecat_items, icecat_judgments, shop, shop_judgments

from mercer.brief import SearchTarget, Split
from mercer.contracts import Dataset, Holdout, Runtime, Vocabulary, plugins
from mercer.data import split_search
from mercer.evaluation import score_ranking, unit_values
from mercer.evaluation.significance import holm, sign_flip_p
from mercer.simulate.judgments import judge
from mercer.simulate.options import stream
from mercer.simulate.tables import items_table, judgments_table

CPU_HOUR = 0.05
"""Price of an hour of one core, in the unit of money that the table is read in."""

PLAIN = "plain query"
RULES = "rules"
MAKERS: dict[str, tuple[str, dict[str, Any]]] = {
    PLAIN: ("fields-minilm", {"bundle_encoder": False}),
    RULES: ("understood-rules", {}),
    "tagger": ("understood-tagger", {}),
    "decoder zero-shot": ("understood-decoder", {"way": "zero-shot"}),
    "decoder few-shot": ("understood-decoder", {"way": "few-shot"}),
    "decoder few-shot, all but amounts": (
        "understood-decoder",
        {"way": "few-shot", "reads": "all but amounts"},
    ),
    "tagger alone": ("understood-tagger", {"with_rules": False}),
    "decoder LoRA": ("understood-decoder", {}),
    "decoder few-shot, names": ("understood-decoder", {"way": "few-shot", "reads": "names"}),
    "decoder LoRA, names": ("understood-decoder", {"reads": "names"}),
    "decoder LoRA, all but amounts": ("understood-decoder", {"reads": "all but amounts"}),
}
FROM_RUN = (PLAIN, RULES, "tagger", "decoder LoRA")
BLANK = {"category": "", "currency": "", "available_from": 0, "available_until": 0, "min_age": 0}


def dataset(items: pd.DataFrame, judgments: pd.DataFrame) -> tuple[Dataset, Holdout]:
    """A catalogue, and its judged queries as one held-out part."""
    filled = items.assign(**{name: value for name, value in BLANK.items() if name not in items.columns})
    for name in ("title", "text", "category", "brand", "currency", "attributes"):
        filled[name] = filled[name].fillna("")
    target = SearchTarget(task="search", split=Split(kind="folds", folds=5, by="query"))
    split = split_search(filled, Vocabulary(filled["item"].tolist()), judgments, target)
    return split.training(np.arange(len(split.test))), split.test


def fitted(label: str, train: Dataset, keep: Path, given: Any) -> Any:
    """The ranker of a maker, fitted here, before, or by a run."""
    name, options = MAKERS[label]
    cls, seed = plugins.load(plugins.RANKERS, name), given.seed
    if given.run and label in FROM_RUN:
        return cls.load(given.run / "models" / "find" / name)
    if name.startswith("understood-"):
        options = {"base_options": {"bundle_encoder": False}, **options}
    folder = keep / f"{label.replace(' ', '-').replace(',', '')}-{seed}"
    if not folder.exists():
        begun = time.perf_counter()
        ranker = cls(cls.Options(**options)).fit(train, seed=seed, runtime=Runtime(threads=1))
        print(f"  {label}: fitted in {time.perf_counter() - begun:.0f} s", flush=True)
        work = folder.with_name(f".{folder.name}")
        work.mkdir(parents=True, exist_ok=True)
        ranker.save(work)
        work.rename(folder)
    return cls.load(folder)


def exact(ranker: Any, wanted: Sequence[Gold]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Any]]:
    """Whether filters and intent are right, 0 or 1, seconds, and what was understood, one a wording."""
    filters, intents, seconds, understood = [], [], [], []
    for one in wanted:
        begun = time.perf_counter()
        found = ranker.maker.understand(one.text)
        seconds.append(time.perf_counter() - begun)
        filters.append(found.filters.to_json() == one.filters.to_json())
        intents.append(found.intent == one.intent)
        understood.append(found)
    return np.array(filters, float), np.array(intents, float), np.array(seconds), understood


def ndcg(ranker: Any, held: Holdout) -> np.ndarray:
    """ndcg@10 of each query, shape (n,)."""
    codes = np.arange(len(held.requests.items), dtype=np.int32)
    scored = score_ranking(held, score=lambda block: ranker.score(block, codes))
    return unit_values(scored, "ndcg@10").to_numpy()


def interval(values: np.ndarray, sign: str = "") -> str:
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (4000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def table(title: str, found: dict[str, np.ndarray], against: str) -> None:
    """A line a maker, and its difference from one of them."""
    print(f"\n{title}, n {len(next(iter(found.values())))}; difference from {against}")
    others = [label for label in found if label != against]
    p = holm([sign_flip_p(found[label] - found[against]) for label in others])
    for label, values in found.items():
        gap = ""
        if label != against:
            gap = f"{interval(values - found[against], '+')}  p {p[others.index(label)]:.4f}"
        print(f"  {label:28} {interval(values)}   {gap}", flush=True)


def wordings(
    name: str, items: pd.DataFrame, judgments: pd.DataFrame, given: Any, harmless: Any = None
) -> None:
    """All tables of one catalogue."""
    wanted = gold(name)
    train, held = dataset(items, judgments)
    keep = given.keep / name
    keep.mkdir(parents=True, exist_ok=True)
    filters, intents, ranked, harm = {}, {}, {}, {}
    for label in given.makers:
        ranker = fitted(label, train, keep, given)
        ranked[label] = ndcg(ranker, held)
        if harmless is not None:
            harm[label] = ndcg(ranker, harmless)
        if label == PLAIN:
            continue
        ranker.maker.understand("a first query")
        filters[label], intents[label], seconds, found = exact(ranker, wanted)
        ms = 1000 * seconds
        print(
            f"  {label}: {np.median(ms):.1f} ms, p99 {np.quantile(ms, 0.99):.1f} ms, "
            f"{seconds.mean() * 1000 / 3600 * CPU_HOUR:.4f} for 1,000 queries",
            flush=True,
        )
        told = [{"text": one.text, **what.to_json()} for one, what in zip(wanted, found, strict=True)]
        (keep / f"{label.replace(' ', '-')}.json").write_text(json.dumps(told, indent=1), "utf-8")
    if RULES in filters:
        table(f"{name}: filters exactly right", filters, RULES)
        table(f"{name}: intent right", intents, RULES)
        table(f"{name}: ndcg@10", ranked, RULES)
    table(f"{name}: ndcg@10", ranked, PLAIN)
    if harm:
        table(f"{name}: harm, ndcg@10 on plain judged queries", harm, PLAIN)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--icecat", type=Path)
    parser.add_argument("--makers", nargs="+", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-shop", action="store_true")
    parser.add_argument("--run", type=Path, help="a run of briefs/wordings.yaml, for what it has fitted")
    given = parser.parse_args()
    if not given.no_shop:
        world = shop()
        items = items_table(world.catalogue, world.calendar).to_pandas()
        if given.run:
            order = Vocabulary.load(given.run / "release" / "catalogue" / "vocabulary.parquet").ids
            items = items.set_index("item").loc[list(order)].reset_index()
        own = judgments_table(judge(world.catalogue, 300, stream(7, "harmless")), world.catalogue).to_pandas()
        _, harmless = dataset(items, own)
        wordings("shop", items, shop_judgments(world, gold("shop")), given, harmless)
    if given.icecat:
        items = icecat_items(given.icecat)
        rated = pd.read_csv(given.icecat / "ratings.csv", dtype={"docid": str})
        rated = rated.rename(columns={"docid": "item", "rating": "grade"})
        _, harmless = dataset(items, rated)
        wordings("icecat", items, icecat_judgments(items, gold("icecat")), given, harmless)


if __name__ == "__main__":
    main()
