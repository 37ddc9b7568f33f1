"""What each ingredient of a sequence ranker brings: the defaults, and the defaults with one thing changed.

    .venv/bin/python benchmarks/ingredients.py --beauty FOLDER --retail FOLDER --demo --keep FOLDER
    … --only NAME …        some of the variants (see VARIANTS)
    … --against NAME       what the others are paired with, the defaults if left out
    … --seeds 1 2 3        several seeds: each is fitted, and then stands with the others as one, averaged by user
    … --parts test         which rows are scored: each scoring of test rows is written into the ledger of test looks

Everything is fitted on train alone and stopped by validation. Mid-ranks over the full catalogue, history masked where
the target has no repeats; 95 % intervals, bootstrap over users; differences are paired, user by user. What was scored
is kept in FOLDER, so that variants may be run in several processes: one that is there is not run again. Beauty and
Online Retail are no part of mercer.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommend_quality import METRICS, add_shops, difference, make, scored, shops, values

from mercer.contracts import Budget, Runtime
from mercer.data.splits import RecommendSplit
from mercer.environment import threads
from mercer.evaluation import Scored, TestLooks, join_seeds

DEFAULTS = "defaults"
NOTHING_COUNTED: dict[str, Any] = {"neighbours": 0.0}
SEEN: dict[str, Any] = {"kinds": ["view", "cart", "purchase"]}
"""For logs that hold more than purchases."""

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    DEFAULTS: ("sasrec", {}),
    "item-knn": ("item-knn", {}),
    "two stages": ("two-stage", {}),
    "two stages, the sequence heard": ("two-stage-sequence", {}),
    "two towers (Keras)": ("two-tower", {}),
    "gated layers": ("ligr", {}),
    "full softmax": ("sasrec", {"loss": "softmax"}),
    "generalised BCE": ("sasrec", {"loss": "bce"}),
    "256 negatives": ("sasrec", {"negatives": 256}),
    "4,096 negatives": ("sasrec", {"negatives": 4096}),
    "width 64": ("sasrec", {"width": 64}),
    "width 256": ("sasrec", {"width": 256}),
    "dropout .1": ("sasrec", {"dropout": 0.1, "embedding_dropout": 0.1}),
    "dropout .5": ("sasrec", {"dropout": 0.5, "embedding_dropout": 0.5}),
    "one block": ("sasrec", {"blocks": 1}),
    "four blocks": ("sasrec", {"blocks": 4}),
    "ID dropout .2": ("sasrec", {"id_dropout": 0.2}),
    "weight decay": ("sasrec", {"weight_decay": 0.05}),
    "twelve epochs": ("sasrec", {"epochs": 12}),
    "views and carts read": ("sasrec", SEEN),
    "views and carts read, gated layers": ("ligr", SEEN),
    "every question alike": ("sasrec", {"half_life_days": None}),
    "nothing counted": ("sasrec", NOTHING_COUNTED),
    "nothing counted, ID and title": ("sasrec", NOTHING_COUNTED | {"content": ["title"]}),
    "nothing counted, ID and catalogue": ("sasrec", NOTHING_COUNTED | {"content": ["brand", "category"]}),
    "nothing counted, ID alone": ("sasrec", NOTHING_COUNTED | {"content": []}),
}
"""Name of a variant: the ranker, and the options that are not its defaults."""


class Bench:
    """Fits variants on one split, prints a line for each, and keeps what was scored."""

    def __init__(
        self, target: str, split: RecommendSplit, keep: Path, parts: list[str], against: str
    ) -> None:
        self.target, self.split, self.parts, self.against = target, split, parts, against
        self.folder = keep / target.replace("/", "-")
        print(f"\n{target}: {split.train.interactions.n_events} training events, {len(split.train.vocabulary)} items, "
              f"{len(split.validation)} validation and {len(split.test)} test rows", flush=True)  # fmt: skip

    def run(self, name: str, seeds: list[int]) -> None:
        """One variant with each seed, and with all of them as one."""
        for seed in seeds:
            seconds = self.fit(name, seed)
            for part in self.parts:
                self.line(name, f"seed {seed}", self.kept(name, [seed], part), part, seconds, [seed])
        if len(seeds) > 1:
            for part in self.parts:
                self.line(name, "all seeds", self.kept(name, seeds, part), part, float("nan"), seeds)

    def fit(self, name: str, seed: int) -> float:
        """Fit and score it; seconds of the fit, nan where it was scored before."""
        model, options = VARIANTS[name]
        wanted = {part: self.file(name, seed, part) for part in self.parts}
        if all(file.is_file() for file in wanted.values()):
            return float("nan")
        begun = time.perf_counter()
        ranker = make(model, options)
        ranker.fit(
            self.split.train, validation=self.split.validation, budget=Budget(7200.0), seed=seed,
            runtime=Runtime(threads=threads()),
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        for part, file in wanted.items():
            if part == "test":
                TestLooks().add(f"benchmark:{self.target}", at=datetime.now(UTC), model=f"{model} {options}")
            file.parent.mkdir(parents=True, exist_ok=True)
            scored(ranker, getattr(self.split, part)).save(file)
        return seconds

    def file(self, name: str, seed: int, part: str) -> Path:
        return self.folder / f"seed {seed}" / f"{name}.{part}.parquet"

    def kept(self, name: str, seeds: list[int], part: str) -> Scored:
        found = {seed: Scored.load(self.file(name, seed, part)) for seed in seeds}
        return found[seeds[0]] if len(seeds) == 1 else join_seeds(found)

    def line(self, name: str, which: str, found: Scored, part: str, seconds: float, seeds: list[int]) -> None:
        label = f"{name}, {which}"
        paired = ""
        if name != self.against and all(self.file(self.against, seed, part).is_file() for seed in seeds):
            first = self.kept(self.against, seeds, part)
            paired = "  ".join(difference(found, first, metric, self.target) for metric in METRICS)
        print(f"{label:44} {part:10} {values(found, self.target)}  {seconds:5.0f} s  {paired}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_shops(parser)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--against", default=DEFAULTS, choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", default=["validation"], choices=["validation", "test"])
    chosen = parser.parse_args()
    splits = shops(chosen)
    if not splits:
        parser.error("give --beauty, --retail or --demo")
    for target, split in splits.items():
        bench = Bench(target, split, chosen.keep, chosen.parts, chosen.against)
        for name in chosen.only:
            bench.run(name, chosen.seeds)


if __name__ == "__main__":
    main()
