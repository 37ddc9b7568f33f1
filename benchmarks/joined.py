"""What joining rankers brings over its parts: fusion by rank, and the two-stage ranker that hears a sequence ranker.

    .venv/bin/python benchmarks/joined.py --beauty FOLDER --retail FOLDER --demo       each part and each joint, paired
    … --sequence '{"sasrec": {"epochs": 8}}'    the sequence ranker and its options; left out, sasrec with its defaults
    … --seeds 1 2 3        so many seeds, each fitted anew
    … --keep FOLDER        keep fits there, and take them from there if they are
    … --fits 1 5           two-stage-sequence with so many fits of the sequence ranker for its lessons
    … --ablate             it without its source, without its features, and hearing the fit that knows the labels
    … --sample N           N people alone, in training and held out
    … --test               score the test rows, too: each scoring is written into the ledger of test looks

Everything is fitted on train alone; validation stops trainings and boosting and chooses shares, so what it says of
fusions flatters them a little. Mid-ranks over the full catalogue, history masked where the target has no repeats; 95 %
intervals, bootstrap over users; differences are paired (mercer.evaluation). Beauty and Online Retail are no part of
mercer.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from recommend_quality import METRICS, add_shops, difference, make, scored, shops, values

from mercer.contracts import Budget, Holdout, Ranker, Runtime
from mercer.data.splits import RecommendSplit
from mercer.environment import threads
from mercer.evaluation import Scored, TestLooks
from mercer.recommend.fusion import Fusion
from mercer.recommend.two_stage import GROUPS, SOURCES, TwoStageSequence
from mercer.recommend.two_stage.knowledge import Knowledge

HOUR = Budget(3600.0)


class Leaking(TwoStageSequence):
    """The wrong way: lessons hear the sequence ranker that was fitted on all of train, their labels included."""

    name = "two-stage-sequence-leaking"

    def _known_then(self, *args: Any) -> Knowledge:
        return replace(super()._known_then(*args), sequence=self._known.sequence)


class Bench:
    """Fits rankers on one split with one seed, prints a line for each and for each difference asked."""

    def __init__(
        self, target: str, split: RecommendSplit, seed: int, keep: Path | None, *, test: bool
    ) -> None:
        self.target, self.split, self.seed, self.keep = target, split, seed, keep
        self.parts = ("validation", "test") if test else ("validation",)
        self.kept: dict[tuple[str, str], Scored] = {}
        sizes = (
            split.train.interactions.n_events,
            len(split.train.vocabulary),
            len(split.validation),
            len(split.test),
        )
        print(
            "\n{}, seed {}: {} training events, {} items, {} validation and {} test rows".format(
                target, seed, *sizes
            )
        )
        head = "  ".join(f"{metric:24}" for metric in METRICS)
        print(f"{'model':36} {'part':10} {head}  fit s  ms/row", flush=True)

    def fitted(self, label: str, ranker: Ranker, *against: str) -> Ranker:
        """The ranker fitted, or found fitted, and scored."""
        folder = None if self.keep is None else self.keep / _plain(f"{self.target} {label} {self.seed}")
        seconds = float("nan")
        if folder is not None and (folder / "options.yaml").is_file():
            ranker = type(ranker).load(folder)
        else:
            begun = time.perf_counter()
            ranker.fit(
                self.split.train, validation=self.split.validation, budget=HOUR, seed=self.seed,
                runtime=Runtime(threads=threads()),
            )  # fmt: skip
            seconds = time.perf_counter() - begun
            if folder is not None:
                folder.mkdir(parents=True)
                ranker.save(folder)
        self.scored(label, ranker, *against, seconds=seconds)
        for note in getattr(ranker, "notes", ()):
            print(f"{'':36} {note}", flush=True)
        return ranker

    def joined(self, label: str, members: Mapping[str, Ranker], **options: Any) -> None:
        """A fusion of rankers that are fitted already: its shares alone are chosen."""
        ranker = Fusion(Fusion.Options(members=tuple(members), **options))
        begun = time.perf_counter()
        ranker.members, ranker._catalogue = dict(members), self.split.train.vocabulary.fingerprint
        ranker.state = {"shares": ranker._shares(self.split.validation, self.seed)}
        self.scored(label, ranker, *members, seconds=time.perf_counter() - begun)
        print(f"{'':36} shares {dict(zip(members, ranker.state['shares'].round(2).tolist(), strict=True))}")

    def scored(self, label: str, ranker: Ranker, *against: str, seconds: float) -> None:
        for part in self.parts:
            held: Holdout = getattr(self.split, part)
            if part == "test":
                TestLooks().add(f"benchmark:{self.target}", at=datetime.now(UTC), model=label)
            begun = time.perf_counter()
            found = scored(ranker, held)
            ms = 1000 * (time.perf_counter() - begun) / len(held)
            self.kept[label, part] = found
            print(f"{label:36} {part:10} {values(found, self.target)}  {seconds:5.0f}  {ms:6.2f}", flush=True)
            for other in against:
                cells = "  ".join(
                    f"{metric} {difference(found, self.kept[other, part], metric, self.target)}"
                    for metric in METRICS
                )
                print(f"{'':36} {part:10} over {other}: {cells}", flush=True)


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)


def joints(bench: Bench, sequence: Mapping[str, Any]) -> None:
    """Each part, both fusions of it, and the two-stage ranker that hears it."""
    [(heard, options)] = sequence.items()
    knn = bench.fitted("item-knn", make("item-knn", {}))
    network = bench.fitted(heard, make(heard, options), "item-knn")
    two_stage = bench.fitted("two-stage", make("two-stage", {}), "item-knn", heard)
    for join in ("reciprocal", "convex"):
        bench.joined(f"fusion of item-knn, {join}", {"item-knn": knn, heard: network}, join=join)
        bench.joined(f"fusion of two-stage, {join}", {"two-stage": two_stage, heard: network}, join=join)
    bench.fitted(
        "two-stage-sequence", hearing(sequence), "two-stage", heard, "item-knn",
        "fusion of item-knn, reciprocal", "fusion of two-stage, reciprocal",
    )  # fmt: skip


def fits(bench: Bench, sequence: Mapping[str, Any], counts: list[int]) -> None:
    """More fits for the lessons: each knows more of what its lessons know."""
    bench.fitted("two-stage", make("two-stage", {}))
    for count in counts:
        label = "two-stage-sequence" if count == 1 else f"two-stage-sequence, {count} fits"
        first = [model for model, part in bench.kept if part == "validation"]
        bench.fitted(label, hearing(sequence, lesson_fits=count), *first)


def ablate(bench: Bench, sequence: Mapping[str, Any]) -> None:
    """Without the source, without the features; and what it would be worth with labels shown."""
    bench.fitted("two-stage-sequence", hearing(sequence))
    bench.fitted("no source", hearing(sequence, sources=SOURCES), "two-stage-sequence")
    bench.fitted("no features", hearing(sequence, groups=GROUPS), "two-stage-sequence")
    bench.fitted("leaking", Leaking(hearing(sequence).options), "two-stage-sequence")


def hearing(sequence: Mapping[str, Any], **options: Any) -> TwoStageSequence:
    return TwoStageSequence(TwoStageSequence.Options(sequence=dict(sequence), **options))


def smaller(split: RecommendSplit, n: int) -> RecommendSplit:
    """The split with n people alone."""
    log = split.train.interactions
    rows = np.sort(np.random.default_rng(0).permutation(log.n_users)[:n])
    some = log.take(rows)
    people = set(some.users.ids)
    held = {
        part: (whole := getattr(split, part)).take(
            np.array([at for at, user in enumerate(whole.requests.users) if user in people], np.int64)
        )
        for part in ("validation", "test")
    }
    return replace(split, train=replace(split.train, interactions=some), **held)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_shops(parser)
    parser.add_argument("--sequence", type=json.loads, default={"sasrec": {}})
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--fits", type=int, nargs="+")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--test", action="store_true")
    chosen = parser.parse_args()
    splits = shops(chosen)
    if not splits:
        parser.error("give --beauty, --retail, --demo or several")
    work: Callable[[Bench], None] = lambda bench: joints(bench, chosen.sequence)  # noqa: E731
    if chosen.fits:
        work = lambda bench: fits(bench, chosen.sequence, chosen.fits)  # noqa: E731
    elif chosen.ablate:
        work = lambda bench: ablate(bench, chosen.sequence)  # noqa: E731
    for target, split in splits.items():
        used = smaller(split, chosen.sample) if chosen.sample else split
        for seed in chosen.seeds:
            work(Bench(target, used, seed, chosen.keep, test=chosen.test))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
