"""How good, fast and forgiving the search rankers are on a real catalogue. Reads data that mercer does not include.

    .venv/bin/python benchmarks/search.py --icecat FOLDER [--quality] [--tuned] [--typos] [--latency]

--icecat: folder with products.parquet and ratings.csv of the Chorus electronics catalogue (Icecat): 19,406 products,
    135 queries judged 0 to 3. Without a part named, all are run.
--quality: every ranker with its documented options, each judged query scored by a model that has not seen it
    (5 folds by md5 of the query). --tuned: the same with options chosen inside each fold, by ndcg@10 of its own
    training queries (of the learned ranker by 4 inner folds), from the defaults and 8 random trials a model.
--typos: one random edit in the longest word of each query, with the speller and without. --latency: one query at a
    time, none asked before; and what encoding costs.
Full: whole catalogue, unjudged counts 0. Condensed: judged products only. MRR and recall count grades >= 2. 95 %
intervals by bootstrap over queries; differences are paired and tested by sign flips, Holm over the table.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mercer.brief import SearchTarget, Split
from mercer.contracts import Dataset, Holdout, Vocabulary, plugins, search_space
from mercer.data import split_search
from mercer.evaluation import RowInfo, Scored, adjust, compare_with, rows_for, score_ranking, unit_values
from mercer.language import MiniLm
from mercer.search import SearchLtr
from mercer.search.documents import passages

COLUMNS = {
    "id": "item", "title": "title", "short_description": "text", "supplier": "brand", "price": "price_minor",
    "ean": "ean", "attributes": "attributes",
}  # fmt: skip
BARE = {"bundle_encoder": False}
# Values of attributes as plain text make the one-field rankers worse; a field of small weight is where they help.
ROWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("bm25, attributes as text", "bm25", {}),
    ("bm25", "bm25", {"attributes": False}),
    ("bm25-fields", "bm25-fields", {}),
    ("minilm", "minilm", BARE),
    ("bm25-minilm, attributes as text", "bm25-minilm", BARE),
    ("bm25-minilm", "bm25-minilm", {**BARE, "attributes": False}),
    ("bm25-minilm, convex", "bm25-minilm", {**BARE, "attributes": False, "join": "convex"}),
    ("fields-minilm", "fields-minilm", BARE),
    ("fields-minilm, convex", "fields-minilm", {**BARE, "join": "convex"}),
    ("search-ltr, no trees", "search-ltr", {**BARE, "trees_weight": 0.0}),
    ("search-ltr", "search-ltr", BARE),
    ("search-ltr, trees alone", "search-ltr", {**BARE, "trees_weight": 4.0}),
)
TUNED = (
    ("bm25", {}), ("bm25-fields", {}), ("bm25-minilm", BARE), ("fields-minilm", BARE), ("search-ltr", BARE),
)  # fmt: skip
SEED = 1
TRIALS = 8
METRICS = ("ndcg@10", "condensed-ndcg@10", "judged@10")
RELEVANT = ("mrr@10", "recall@100")
"""Counted from grade 2 on."""


def icecat(folder: Path) -> tuple[Dataset, Holdout, Any]:
    """The catalogue, all judged queries, and their folds."""
    products = pd.read_parquet(folder / "products.parquet", columns=list(COLUMNS)).rename(columns=COLUMNS)
    blank = {"category": "", "currency": "", "available_from": 0, "available_until": 0, "min_age": 0}
    items = products.fillna("").assign(**blank)
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"docid": str})
    judgments = ratings.rename(columns={"docid": "item", "rating": "grade"})
    target = SearchTarget(task="search", split=Split(kind="folds", folds=5, by="query"))
    split = split_search(items, Vocabulary(items["item"].tolist()), judgments, target)
    return split.training(np.arange(len(split.test))), split.test, split


def new(name: str, options: dict[str, Any]) -> Any:
    cls = plugins.load(plugins.RANKERS, name)
    return cls(cls.Options(**options))


def score(ranker: Any, held: Holdout) -> Scored:
    codes = np.arange(len(held.requests.items), dtype=np.int32)
    return score_ranking(held, score=lambda block: ranker.score(block, codes))


def join(parts: Sequence[Scored]) -> Scored:
    lists = pd.concat([part.lists for part in parts], ignore_index=True)
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    return replace(parts[0], rows=rows, lists=lists)


class Indexed(SearchLtr):
    """search-ltr on an index built before, and what was computed for a query is kept: fits differ in judgments alone.

    base: whose options of words and meaning these are. kept: one dict for each set of options.
    """

    base: SearchLtr
    kept: dict[Any, Any]

    def build(self, train: Dataset, seconds: float, runtime: Any) -> None:  # noqa: ARG002
        self._matching, self._meaning = self.base._matching, self.base._meaning
        self._describer = self.base._describer

    def _find(self, query: str) -> Any:
        if query not in self.kept:
            self.kept[query] = super()._find(query)
        return self.kept[query]

    def _describe(self, found: Any, codes: Any) -> Any:
        key = (found.query, codes.tobytes())
        if key not in self.kept:
            self.kept[key] = super()._describe(found, codes)
        return self.kept[key]


def learned(base: SearchLtr, options: dict[str, Any], train: Dataset, kept: dict[Any, Any]) -> SearchLtr:
    ranker = Indexed(Indexed.Options(**options))
    ranker.base, ranker.kept = base, kept
    return ranker.fit(train, seed=SEED)


def learns(name: str) -> bool:
    return name == "search-ltr"


def quality(train: Dataset, held: Holdout, split: Any) -> dict[str, Scored]:
    scored = {}
    for title, name, options in ROWS:
        if learns(name):
            base = new(name, options).fit(replace(train, judgments=None))
            kept: dict[Any, Any] = {}
            fits = [split.part(fold) for fold in split.names()]
            parts = [score(learned(base, options, part.refit, kept), part.test) for part in fits]
            scored[title] = join(parts)
        else:
            scored[title] = score(new(name, options).fit(train), held)
        print(f"  {title} done", flush=True)
    return scored


def trials(name: str, fixed: dict[str, Any]) -> list[dict[str, Any]]:
    """The defaults, and random points of the searched options."""
    rng = random.Random(SEED)
    cls = plugins.load(plugins.RANKERS, name)
    # The learned ranker searches the join and the trees; its index stays, for it is the same in every trial.
    kept = set(search_space(plugins.load(plugins.RANKERS, "bm25-fields").Options)) if learns(name) else set()
    space = {key: span for key, span in search_space(cls.Options).items() if key not in kept}
    drawn = [dict(fixed)]
    for _ in range(TRIALS):
        point: dict[str, Any] = dict(fixed)
        for key, span in space.items():
            if span.choices:
                point[key] = rng.choice(span.choices)
            else:
                low, high = np.log([span.low, span.high]) if span.log else (span.low, span.high)
                value = float(np.exp(rng.uniform(low, high)) if span.log else rng.uniform(low, high))
                point[key] = round(value) if span.integer else round(value, 4)
        drawn.append(point)
    return drawn


def tuned(train: Dataset, held: Holdout, split: Any) -> dict[str, Scored]:
    scored = {}
    for name, fixed in TUNED:
        points = trials(name, fixed)
        find = learned_choice if learns(name) else plain_choice
        scored[f"{name}, tuned inside"] = find(name, points, train, held, split)
    return scored


def plain_choice(
    name: str, points: list[dict[str, Any]], train: Dataset, held: Holdout, split: Any
) -> Scored:
    """A ranker that learns nothing from queries: each trial is scored once, each fold picks by the other queries."""
    whole = [score(new(name, point).fit(train), held) for point in points]
    values = [unit_values(one, "ndcg@10") for one in whole]
    parts = []
    for fold in split.names():
        part = split.part(fold)
        means = [value.drop(list(part.test.units), errors="ignore").mean() for value in values]
        best = int(np.argmax(means))
        print(
            f"  {name} fold {fold.name}: trial {best} of {len(points)}, {means[best]:.4f} inside", flush=True
        )
        parts.append(_only(whole[best], part.test.units))
    return join(parts)


def learned_choice(
    name: str, points: list[dict[str, Any]], train: Dataset, held: Holdout, split: Any
) -> Scored:
    """A ranker that learns: each fold picks by inner folds of its own training queries, then fits on all of them."""
    base = new(name, points[0]).fit(replace(train, judgments=None))
    kept: list[dict[Any, Any]] = [{} for _ in points]

    def fit(at: int, rows: Any) -> SearchLtr:
        return learned(base, points[at], split.training(rows), kept[at])

    number, parts = split.number[0], []
    for at in range(split.folds):
        inside = [other for other in range(split.folds) if other != at]
        means = []
        for point in range(len(points)):
            inner = []
            for other in inside:
                ranker = fit(point, np.flatnonzero((number != at) & (number != other)))
                inner.append(score(ranker, held.take(np.flatnonzero(number == other))))
            means.append(unit_values(join(inner), "ndcg@10").mean())
        best = int(np.argmax(means))
        print(f"  {name} fold {at + 1}: trial {best} of {len(points)}, {means[best]:.4f} inside", flush=True)
        ranker = fit(best, np.flatnonzero(number != at))
        parts.append(score(ranker, held.take(np.flatnonzero(number == at))))
    return join(parts)


def _only(scored: Scored, units: Sequence[str]) -> Scored:
    rows, lists = scored.rows, scored.lists
    assert lists is not None
    return replace(
        scored,
        rows=rows[rows["unit"].isin(units)].reset_index(drop=True),
        lists=lists[lists["unit"].isin(units)].reset_index(drop=True),
    )


def judged_only(scored: Scored) -> Scored:
    """Queries with a grade of 1 or more: the others can't be ranked well or badly."""
    best = scored.rows.groupby("unit")["grade"].max()
    return _only(scored, best.index[best >= 1].tolist())


def relevant(scored: Scored) -> Scored:
    """Grades under 2 as 0."""
    grade = scored.rows["grade"]
    return replace(scored, rows=scored.rows.assign(grade=grade.where(grade >= 2, 0.0)))


def table(title: str, scored: dict[str, Scored], subject: str) -> None:
    scored = {name: judged_only(one) for name, one in scored.items()}
    print(f"\n{title}")
    print("| model | full ndcg@10 | condensed | judged@10 | mrr@10 | recall@100 |\n|---|---|---|---|---|---|")
    for name, one in scored.items():
        info = RowInfo(task="search", target="icecat", model=name, split="test")
        rows = rows_for(one, info, metrics=METRICS, slice_metrics=())
        rows += rows_for(relevant(one), info, metrics=RELEVANT, slice_metrics=())
        cells = " | ".join(f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in rows)
        print(f"| {name} | {cells} |", flush=True)
    print(f"\n{subject} less each, paired over {len(scored[subject].units)} queries; p after Holm")
    print("| less | full | p | condensed | p |\n|---|---|---|---|---|")
    found = [compare_with(subject, scored, metric, task="search", target="icecat") for metric in METRICS[:2]]
    half = len(found[0])
    adjusted = adjust(found[0] + found[1])
    for full, condensed in zip(adjusted[:half], adjusted[half:], strict=True):
        cells = [
            f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}] | {c.p_adjusted:.4f}"
            for c in (full, condensed)
        ]
        print(f"| {full.b} | {cells[0]} | {cells[1]} |")


def misspelt(query: str, rng: random.Random) -> str:
    """One letter of the longest word lost, added, exchanged or swapped with the one before; the first one stays."""
    words = query.split()
    at = max(range(len(words)), key=lambda n: len(words[n]))
    word = words[at]
    if len(word) < 3:
        return query
    place, letter = rng.randrange(1, len(word)), rng.choice("abcdefghijklmnopqrstuvwxyz")
    edits = (
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place:],
        word[:place] + letter + word[place + 1 :],
        word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :],
    )
    words[at] = rng.choice(edits)
    return " ".join(words)


def typos(train: Dataset, held: Holdout) -> None:
    rng = random.Random(SEED)
    queries = held.requests.query or ()
    bad = replace(
        held, requests=replace(held.requests, query=tuple(misspelt(query, rng) for query in queries))
    )
    print("\nMisspelt queries, full ndcg@10 (condensed)")
    print("| model | speller | as judged | misspelt |\n|---|---|---|---|")
    rows = (("bm25", {"attributes": False}), ("bm25-fields", {}), ("bm25-minilm", {**BARE, "attributes": False}),
            ("fields-minilm", BARE), ("minilm", BARE))  # fmt: skip
    for name, options in rows:
        for spelling in (False, True) if name != "minilm" else (None,):
            chosen = options if spelling is None else {**options, "spelling": spelling}
            ranker = new(name, chosen).fit(train)
            cells = []
            for asked in (held, bad):
                one = judged_only(score(ranker, asked))
                full, condensed = (unit_values(one, metric).mean() for metric in METRICS[:2])
                cells.append(f"{full:.3f} ({condensed:.3f})")
            print(f"| {name} | {'-' if spelling is None else spelling} | {' | '.join(cells)} |", flush=True)


def latency(train: Dataset, held: Holdout) -> None:
    rng = random.Random(SEED)
    texts = passages(train.items)[:256]
    encoder = MiniLm()
    encoder.encode(texts[:4])
    start = time.perf_counter()
    encoder.encode(texts)
    print(f"\nEncoding: {len(texts) / (time.perf_counter() - start):.0f} texts a second, one thread")
    asked = [query for query in held.requests.query or () for _ in range(4)]
    queries = list(dict.fromkeys(asked[::4] + [misspelt(query, rng) for query in asked]))
    print(f"{len(queries)} different queries, one at a time, vectors of the catalogue at hand")
    print("| model | fit s | saved MB | p50 ms | p99 ms |\n|---|---|---|---|---|")
    for name in ("bm25", "bm25-fields", "minilm", "bm25-minilm", "fields-minilm", "search-ltr"):
        ranker = new(name, {} if name.startswith("bm25") and "minilm" not in name else BARE)
        start = time.perf_counter()
        ranker.fit(train, seed=SEED)
        fitted = time.perf_counter() - start
        size = _saved(ranker)
        took = []
        for query in queries:
            one = replace(held.take(np.zeros(1, np.int64)).requests, query=(query,))
            start = time.perf_counter()
            ranker.rank(one, 10)
            took.append(1000 * (time.perf_counter() - start))
        p50, p99 = np.percentile(took[5:], [50, 99])
        print(f"| {name} | {fitted:.1f} | {size:.1f} | {p50:.1f} | {p99:.1f} |", flush=True)


def _saved(ranker: Any) -> float:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ranker.save(Path(folder))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--icecat", type=Path, required=True)
    for part in ("quality", "tuned", "typos", "latency"):
        parser.add_argument(f"--{part}", action="store_true")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    every = not (chosen.quality or chosen.tuned or chosen.typos or chosen.latency)
    train, held, split = icecat(chosen.icecat)
    print(f"{len(train.vocabulary)} products, {len(held)} queries, {len(held.grades)} judged pairs")
    if chosen.quality or every:
        table("Documented options, out of fold", quality(train, held, split), "search-ltr")
    if chosen.tuned or every:
        table("Options chosen inside each fold", tuned(train, held, split), "search-ltr, tuned inside")
    if chosen.typos or every:
        typos(train, held)
    if chosen.latency or every:
        latency(train, held)


if __name__ == "__main__":
    main()
