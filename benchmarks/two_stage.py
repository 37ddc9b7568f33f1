"""How good, how quick and how honest the two-stage ranker is. Beauty and Online Retail are not part of mercer.

    .venv/bin/python benchmarks/two_stage.py --beauty FOLDER --retail FOLDER --demo     defaults against item-knn
    … --seeds 3            two-stage with several seeds
    … --ablate             without each source of candidates and each group of features (validation)
    … --control            trees that learned from labels permuted inside every list
    … --order              Beauty with the order shuffled inside ascending runs; and by the order of the last pair
    … --users N            score N users only (validation still stops the boosting with them)
    … --test               score the test rows, too: each scoring is written into the ledger of test looks
    .venv/bin/python benchmarks/two_stage.py --latency [--items 100000] [--keep FOLDER]  one request at a time
                           --items 0: the catalogue as it is. --keep: the fitted ranker stays there, and is not fitted
                           again when it is there already. --quick: fit on 2,000 lists and grow
                           all 400 trees, so that a fit takes minutes and an answer as long as any

Everything is fitted on train alone; validation stops the boosting. Mid-ranks over the full catalogue, history masked
where the target has no repeats; 95 % intervals, bootstrap over users; differences are paired (mercer.evaluation).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from recommend_quality import METRICS, add_shops, difference, load, scored, shops, values

from mercer.contracts import Dataset, Holdout, Interactions, Requests, Runtime, Vocabulary
from mercer.data.splits import RecommendSplit
from mercer.environment import threads
from mercer.evaluation import Scored, TestLooks, value
from mercer.recommend import ItemKnn, ScoringRanker
from mercer.recommend.two_stage import GROUPS, SOURCES, TwoStage
from mercer.recommend.two_stage.lists import Lists

CONTENT = ("titles", "brand", "category")


class Permuted(TwoStage):
    """The control: in every list the purchases go to candidates drawn by chance before trees are grown."""

    def _listed(self, *args: Any, **more: Any) -> Lists:
        lists = super()._listed(*args, **more)
        rng = np.random.default_rng(0)
        bought = lists.bought.copy()
        for stop, size in zip(np.cumsum(lists.sizes), lists.sizes, strict=True):
            rng.shuffle(bought[stop - size : stop])
        return replace(lists, bought=bought)


class Bench:
    """Fits rankers on one split, prints a line for each, and keeps scored rows for paired comparisons."""

    def __init__(self, target: str, split: RecommendSplit, *, test: bool, users: int | None = None) -> None:
        """users: score so many, drawn by chance; None scores all."""
        split = few(split, users) if users else split
        self.target, self.split, self.parts = (
            target,
            split,
            ("validation", "test") if test else ("validation",),
        )
        self.kept: dict[tuple[str, str], Scored] = {}
        log = split.train.interactions
        print(f"\n{target}: {log.n_events} training events, {len(split.train.vocabulary)} items, "
              f"{len(split.validation)} validation and {len(split.test)} test users")  # fmt: skip
        print(
            f"{'model':34} {'part':10} {'recall@10':24} {'ndcg@10':24} fit s  ms/user  against the first",
            flush=True,
        )

    def line(
        self, name: str, ranker: ScoringRanker, seed: int = 1, against: str | None = None
    ) -> ScoringRanker:
        begun = time.perf_counter()
        ranker.fit(
            self.split.train, validation=self.split.validation, seed=seed, runtime=Runtime(threads=threads())
        )
        fit_seconds = time.perf_counter() - begun
        for part in self.parts:
            self.score(name, ranker, part, getattr(self.split, part), fit_seconds, against)
        if isinstance(ranker, TwoStage) and ranker._trees is not None:
            print(f"{'':34} trees {ranker._trees.rounds} {' '.join(ranker.notes)}", flush=True)
        return ranker

    def score(
        self,
        name: str,
        ranker: ScoringRanker,
        part: str,
        held: Holdout,
        fit_seconds: float,
        against: str | None,
    ) -> None:
        if part == "test":
            TestLooks().add(f"benchmark:{self.target}", at=datetime.now(UTC), model=name)
        begun = time.perf_counter()
        found = scored(ranker, held)
        ms = 1000 * (time.perf_counter() - begun) / len(held)
        self.kept[name, part] = found
        first = next(model for model, of in self.kept if of == part) if against is None else against
        paired = "" if first == name else difference(found, self.kept[first, part], "ndcg@10", self.target)
        print(
            f"{name:34} {part:10} {values(found, self.target)}  {fit_seconds:5.0f}  {ms:7.2f}  {paired}",
            flush=True,
        )


def quality(target: str, split: RecommendSplit, seeds: int, *, test: bool, users: int | None) -> None:
    bench = Bench(target, split, test=test, users=users)
    bench.line("item-knn", ItemKnn())
    for seed in range(1, seeds + 1):
        bench.line(f"two-stage, seed {seed}", TwoStage(), seed)


def ablations() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "all", {}
    for source in SOURCES:
        yield f"no candidates: {source}", {"sources": tuple(s for s in SOURCES if s != source)}
    yield "candidates: neighbours alone", {"sources": ("neighbours",)}
    for group in GROUPS:
        yield f"no features: {group}", {"groups": tuple(g for g in GROUPS if g != group)}
    yield "no features of content", {"groups": tuple(g for g in GROUPS if g not in CONTENT)}
    yield (
        "nothing of content",
        {
            "groups": tuple(g for g in GROUPS if g not in CONTENT),
            "sources": tuple(s for s in SOURCES if s not in CONTENT),
            "text": False,
        },
    )


def ablate(target: str, split: RecommendSplit, only: list[str], *, test: bool, users: int | None) -> None:
    bench = Bench(target, split, test=test, users=users)
    for name, changes in ablations():
        if name == "all" or not only or name in only:
            bench.line(name, TwoStage(TwoStage.Options(**changes)))


def control(target: str, split: RecommendSplit, *, test: bool, users: int | None) -> None:
    bench = Bench(target, split, test=test, users=users)
    bench.line("item-knn", ItemKnn())
    bench.line("two-stage, labels permuted", Permuted())


def order(target: str, split: RecommendSplit, *, test: bool, users: int | None) -> None:
    """What the order of ids is worth: same-day items of this log were sorted by id before anybody got it."""
    bench = Bench(target, split, test=test, users=users)
    models = {"item-knn": bench.line("item-knn", ItemKnn()), "two-stage": bench.line("two-stage", TwoStage())}
    for part in bench.parts:
        held = getattr(bench.split, part)
        log = held.requests.history
        last = log.item[log.indptr[1:] - 1]
        rises = held.relevant.values > last
        for name, rows in (("ascending", np.flatnonzero(rises)), ("descending", np.flatnonzero(~rises))):
            for model, ranker in models.items():
                found = scored(ranker, held.take(rows))
                cells = "  ".join(f"{m} {value(found, m):.4f}" for m in METRICS)
                print(
                    f"{model:20} {part:10} last pair {name:10} {len(rows):6} ({len(rows) / len(held):.2f})  {cells}"
                )
    shuffled = Bench(f"{target}, shuffled inside ascending runs", in_no_order(split), test=test, users=users)
    shuffled.line("item-knn", ItemKnn())
    shuffled.line("two-stage", TwoStage())


def in_no_order(split: RecommendSplit, seed: int = 1) -> RecommendSplit:
    """The split anew after every ascending run of ids in a history was shuffled: every same-day group is in one."""
    history, answers = split.test.requests.history, split.test.relevant
    rows = [np.append(history.item_rows[at], answers[at]) for at in range(len(answers))]
    rng = np.random.default_rng(seed)
    mixed = [_shuffled_runs(row, rng) for row in rows]
    train_log = _log(history, [row[:-2] for row in mixed])
    past = _log(history, [row[:-1] for row in mixed])
    return replace(
        split,
        train=replace(split.train, interactions=train_log),
        validation=_held(split.validation, train_log, [row[-2] for row in mixed]),
        test=_held(split.test, past, [row[-1] for row in mixed]),
        before_test=lambda: replace(split.train, interactions=past),
    )


def _shuffled_runs(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    cuts = np.flatnonzero(np.diff(row) < 0) + 1
    return np.concatenate([rng.permutation(run) for run in np.split(row, cuts)])


def _log(like: Interactions, rows: list[np.ndarray]) -> Interactions:
    """The events of `like` cut to the lengths of the rows, with the rows' items."""
    kept = np.concatenate(
        [np.arange(len(row)) + start for row, start in zip(rows, like.indptr[:-1], strict=True)]
    )
    keep = np.zeros(like.n_events, bool)
    keep[kept] = True
    return replace(like.where(keep), item=np.concatenate(rows).astype(np.int32))


def _held(held: Holdout, history: Interactions, answers: list[int]) -> Holdout:
    relevant = replace(held.relevant, values=np.array(answers, np.int32))
    return replace(held, requests=replace(held.requests, history=history), relevant=relevant)


def latency(
    target: str,
    split: RecommendSplit,
    n_items: int,
    keep: Path | None = None,
    *,
    quick: bool = False,
    requests: int = 500,
) -> None:
    """One request after the other through a ranker that was saved and loaded, on one thread."""
    times = max(1, n_items // len(split.train.vocabulary)) if n_items else 1
    train, held = (split.train, split.test) if times == 1 else tiled(split, times)
    with TemporaryDirectory() as scratch:
        folder = (
            Path(scratch) if keep is None else keep / f"{target.replace('/', '-')}-{len(train.vocabulary)}"
        )
        fit = "kept" if folder.is_dir() and any(folder.iterdir()) else fitted_into(folder, train, quick)
        mib = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
        ranker = TwoStage.load(folder)
    asked = held.requests.blocks(1)[: requests + 20]
    took = np.array([milliseconds(ranker, one) for one in asked])[20:]
    sizes = ranker._asked(held.requests.take(np.arange(min(20, len(held)))), ranker._known).pool.sizes
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    print(
        f"{target}: {len(train.vocabulary)} items, {train.interactions.n_events} events, "
        f"trees {ranker._trees.rounds}, {sizes.mean():.0f} candidates; fit {fit}, {mib:.0f} MiB saved; "
        f"{len(took)} requests, each p50 {p50:.2f} ms, p95 {p95:.2f} ms, p99 {p99:.2f} ms",
        flush=True,
    )


def fitted_into(folder: Path, train: Dataset, quick: bool) -> str:
    """Fit with the defaults (quick: on few lists, never stopping early), save, and say how long the fit took."""
    options = TwoStage.Options()
    if quick:
        options = TwoStage.Options(lists=2_000, patience=options.rounds)
    begun = time.perf_counter()
    ranker = TwoStage(options).fit(train, seed=1, runtime=Runtime(threads=threads()))
    seconds = time.perf_counter() - begun
    folder.mkdir(parents=True, exist_ok=True)
    ranker.save(folder)
    return f"{seconds:.0f} s"


def milliseconds(ranker: TwoStage, request: Requests) -> float:
    """CPU time of this thread: what others do on the machine is not counted."""
    begun = time.thread_time()
    ranker.rank(request, 10)
    return 1000 * (time.thread_time() - begun)


def tiled(split: RecommendSplit, times: int) -> tuple[Dataset, Holdout]:
    """The catalogue `times` over, and the people too: those of copy k buy the items of copy k."""
    train = split.train
    n_items = len(train.vocabulary)
    items = Vocabulary([f"{one}/{k}" for k in range(times) for one in train.vocabulary.ids])
    frame = train.items.loc[np.tile(np.arange(n_items), times)].reset_index(drop=True)
    frame["item"] = items.ids
    log = train.interactions
    people = max(1, min(times, 2_000_000 // max(1, log.n_events)))
    rows = np.tile(np.arange(log.n_users), people)
    users = Vocabulary([f"{user}/{k}" for k in range(people) for user in log.users.ids])
    many = replace(log.take(rows), users=users)
    copy = np.repeat(np.arange(people), log.n_events).astype(np.int32) * (times // people)
    many = replace(many, items=items, item=many.item + copy * np.int32(n_items))
    held = split.test
    shift = np.random.default_rng(0).integers(0, people, len(held)).astype(np.int32) * (times // people)
    history = held.requests.history
    moved = history.item + np.repeat(shift, history.lengths) * np.int32(n_items)
    asked = replace(held.requests, history=replace(history, items=items, item=moved))
    return (
        replace(train, vocabulary=items, items=frame, interactions=many),
        replace(held, requests=asked),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_shops(parser)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="names of ablations")
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--order", action="store_true")
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="folder for the fitted ranker of --latency")
    parser.add_argument("--quick", action="store_true", help="few lists and all trees, for --latency")
    parser.add_argument("--users", type=int, help="score so many users, drawn by chance, instead of all")
    parser.add_argument("--test", action="store_true")
    chosen = parser.parse_args()
    splits = shops(chosen)
    if chosen.latency and not splits:
        splits = load("demo")
    if not splits:
        parser.error("give --beauty, --retail, --demo or --latency")
    walk(splits, chosen)


def few(split: RecommendSplit, users: int) -> RecommendSplit:
    """The split with so many held-out users only; training is untouched."""
    rng = np.random.default_rng(0)
    drawn = {
        part: held.take(np.sort(rng.permutation(len(held))[:users]))
        for part, held in (("validation", split.validation), ("test", split.test))
    }
    return replace(split, **drawn)


def walk(splits: Mapping[str, RecommendSplit], chosen: argparse.Namespace) -> None:
    for target, split in splits.items():
        if chosen.latency:
            latency(target, split, chosen.items, chosen.keep, quick=chosen.quick)
        elif chosen.ablate:
            ablate(target, split, chosen.only, test=chosen.test, users=chosen.users)
        elif chosen.control:
            control(target, split, test=chosen.test, users=chosen.users)
        elif chosen.order:
            order(target, split, test=chosen.test, users=chosen.users)
        else:
            quality(target, split, chosen.seeds, test=chosen.test, users=chosen.users)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
