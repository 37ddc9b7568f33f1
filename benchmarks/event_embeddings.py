"""Histories as vectors of an event decoder, beside aggregates: who buys again on Online Retail, and for how much.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/event_embeddings.py --retail FOLDER [--seed 1] [--epochs 6]

FOLDER holds online_retail.parquet (briefs/data does). The cut-offs were fixed beforehand:
- The decoder (`generative`, a small LLaMA) is fitted on what was known at the end of 2011-03-14, the first training
  cut-off, and on no item that appeared later. Later items get their paths, and what is read of them, from their titles.
- LightGBM learns from customers as of 2011-03-15, 04-14, 05-14 and 06-13, labels of 90 days, all known before the test.
  Its options are chosen with the first of these cut-offs, whose labels end there, for the last one: those with the best
  mean over the five sets of features (log loss; MAE), so they are the same for all sets.
- The test is 2011-09-11, 90 days to the last of the log. No event after a row's cut-off is in its features, and none of
  the last six months before the test is in the decoder.
So no row's answer was read by the decoder that made its vector. Titles are those of the whole file.

Targets, cleaning and aggregates are those of briefs/online-retail.yaml; aggregates are mercer.features, the model is
mercer's `lightgbm` on either, on both, or on vectors alone: then histories are blank, and a spend starts from the mean
and not from the customer's own past. 95 % intervals: bootstrap over customers, 2,000 resamples, seed 0, the same draws
for all sets, so differences are paired. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.behavior import LightGbm
from mercer.brief import BehaviorTarget, Brief
from mercer.contracts import Budget, Dataset, Interactions, Labelled, Predictions, Runtime, Vocabulary
from mercer.data import (
    BehaviorSplit,
    Tables,
    build_interactions,
    ingest,
    item_frame,
    split_behavior,
    training_rows,
)
from mercer.environment import cache_folder
from mercer.evaluation import Scored, measure, score_predictions
from mercer.evaluation.bootstrap import interval, replicates
from mercer.evaluation.measure import Floats, Measure, Pooled
from mercer.evaluation.ordered import Descending
from mercer.features import compute
from mercer.recommend.generative import Generative

FIRST = int(datetime(2011, 3, 15, tzinfo=UTC).timestamp()) * 1_000_000 - 1
"""The first training cut-off, and the end of what the decoder has read."""

WINDOW = 64
"""Lines of orders that the decoder reads, the newest ones."""

DECODER = {
    "kinds": ("purchase", "return"),
    "events": {"fields": ("kind", "gap", "amount"), "window": WINDOW},
    "shape": {"family": "llama", "width": 64, "layers": 2, "heads": 2, "dropout": 0.1, "meaning": "vectors"},
    "tasks": {"other_fields": 1.0},
    "neighbours": 0.0,
    "estimate_steps": 0,
}
"""Fields weigh as much as items, since they say when and for how much; nothing is counted beside the decoder. Without
the calendar: the decoder ends in March and would read months that it never saw."""

SETS: Mapping[str, tuple[bool, tuple[str, ...]]] = {
    "aggregates": (True, ()),
    "aggregates + embeddings": (True, ("last", "mean")),
    "embeddings, last token": (False, ("last",)),
    "embeddings, mean": (False, ("mean",)),
    "embeddings, both": (False, ("last", "mean")),
}
"""Whether aggregates are read, and which vectors."""

BASE = "aggregates"
GRID = [{"leaves": leaves, "feature_share": share} for leaves, share in product((7, 15), (0.2, 0.4))]
METRICS = {
    "repurchase": ("average-precision", "auc", "log loss"),
    "spend": ("mae", "spearman", "spend-gini"),
}
CHOOSES = {"repurchase": "log loss", "spend": "mae"}
KINDS = {"repurchase": "probability", "spend": "amount"}
RESAMPLES = 2_000
RUNTIME = Runtime(threads=1, cache_folder=cache_folder())


@dataclass(frozen=True)
class Rows:
    """Labelled rows with the vectors of their histories, a row each."""

    labelled: Labelled
    vectors: pd.DataFrame

    def labelled_as(self, labelled: Labelled, as_of: int | None) -> Rows:
        """The rows of one cut-off, with labels as `labelled` has them: as they were known earlier.

        as_of: None for the only cut-off of `labelled`.
        """
        cuts = labelled.snapshots.as_of
        own = labelled.take(np.flatnonzero(cuts == (cuts[0] if as_of is None else as_of)))
        rows = np.flatnonzero(self.labelled.snapshots.as_of == own.snapshots.as_of[0])
        assert own.snapshots.entities == self.labelled.snapshots.take(rows).entities
        return Rows(own, self.vectors.iloc[rows].reset_index(drop=True))

    def read(self, name: str) -> Labelled:
        """As a set of features has them."""
        aggregates, poolings = SETS[name]
        seen = self.labelled.snapshots
        columns = self.vectors[[one for one in self.vectors if one.split("_")[0] in poolings]]
        history = seen.history if aggregates else seen.history.where(np.zeros(seen.history.n_events, bool))
        return replace(self.labelled, snapshots=replace(seen, history=history, columns=columns))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--retail", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=6)
    args = parser.parse_args()
    brief, log, items = read(args.retail)
    ranker = fitted(log, items, seed=args.seed, epochs=args.epochs)
    vectors: dict[str, pd.DataFrame] = {}
    for name in METRICS:
        target = brief.targets[name]
        assert isinstance(target, BehaviorTarget)
        split = split_behavior(log, target, brief.decision.day)
        later = np.flatnonzero(split.refit.snapshots.as_of >= FIRST)
        parts = {"train": split.refit.take(later), "test": split.test}
        # Both targets ask the same customers at the same times.
        vectors = vectors or embedded(ranker, parts)
        compared(name, split, {part: Rows(rows, vectors[part]) for part, rows in parts.items()}, args.seed)


def read(folder: Path) -> tuple[Brief, Interactions, pd.DataFrame]:
    """The brief, its log, and its catalogue: items known at FIRST lead, so that a ranker can grow from them."""
    brief = Brief.load(Path("briefs/online-retail.yaml"))
    with tempfile.TemporaryDirectory() as place:
        ingest(brief, data_folders=(folder,), out=Path(place))
        tables = Tables.load(Path(place))
        log = build_interactions(tables, brief, mask=training_rows(tables, brief))
        known = np.zeros(len(log.items), bool)
        known[log.as_of(FIRST).item] = True
        order = np.argsort(~known, kind="stable")
        new = np.empty(len(order), np.int32)
        new[order] = np.arange(len(order), dtype=np.int32)
        vocabulary = Vocabulary([log.items.ids[code] for code in order])
        return brief, replace(log, items=vocabulary, item=new[log.item]), item_frame(tables, vocabulary)


def fitted(log: Interactions, items: pd.DataFrame, *, seed: int, epochs: int) -> Generative:
    """The ranker of what was known at FIRST, taken to the whole catalogue."""
    seen = log.as_of(FIRST)
    n_known = int(seen.item.max()) + 1
    vocabulary = Vocabulary(log.items.ids[:n_known])
    known = Dataset(
        vocabulary=vocabulary,
        items=items.iloc[:n_known],
        as_of=FIRST,
        interactions=replace(seen, items=vocabulary),
    )
    begun = time.process_time()
    ranker = Generative(Generative.Options(**DECODER, epochs=epochs)).fit(known, seed=seed, runtime=RUNTIME)
    took = time.process_time() - begun
    assert ranker.training is not None
    print(f"decoder: {seen.n_events:,} events of {n_known:,} items by 2011-03-14; {took:.0f} s")
    losses = ranker.training.losses
    print(f"  {ranker.training.tokens:,} tokens in {epochs} epochs, {ranker.training.weights:,} weights; mean loss "
          f"a token {np.mean(losses[:20]):.3f} in the first 20 steps, {np.mean(losses[-20:]):.3f} in the last",
          *ranker.notes, sep="\n  ")  # fmt: skip
    print(f"  {len(items) - n_known:,} later items are named by their titles")
    return ranker.grown(items, log.items, runtime=RUNTIME)


def embedded(ranker: Generative, parts: Mapping[str, Labelled]) -> dict[str, pd.DataFrame]:
    """The vectors of all rows, and what the tables weigh."""
    found = {}
    for part, rows in parts.items():
        seen, begun = rows.snapshots, time.process_time()
        table = ranker.embeddings(seen.history, seen.as_of).drop(columns=["user", "as_of"])
        took = time.process_time() - begun
        days = sorted({str(pd.Timestamp(one + 1, unit="us").date()) for one in seen.as_of.tolist()})
        n_aggregates, size = len(compute(seen).columns), table.memory_usage(index=False).sum() / 2**20
        print(
            f"{part}: {len(seen):,} rows as of {', '.join(days)}; {table.shape[1]} numbers beside {n_aggregates} "
            f"aggregates, {size:.1f} MiB of float32; {took:.0f} s"
        )
        print(f"  {(seen.history.lengths > WINDOW).mean():.0%} of the histories are longer than the window")
        found[part] = table
    return found


def compared(name: str, split: BehaviorSplit, parts: Mapping[str, Rows], seed: int) -> None:
    """Choose options, fit every set, score the test, print."""
    train, test = parts["train"], parts["test"]
    inner, held = train.labelled_as(split.train, FIRST), train.labelled_as(split.validation, None)
    chooses, means = MEASURES[CHOOSES[name]], []
    for options in GRID:
        found = [chooses(run(inner, held, one, name, options, seed)[0]).value for one in SETS]
        means.append(float(np.mean(found)))
    options = GRID[int(np.argmin(means))]
    print(f"\n## {name}: {len(test.labelled):,} customers, mean outcome {test.labelled.outcome.mean():.4g}")
    print(f"{options}; mean {CHOOSES[name]} of each options: {', '.join(f'{mean:.4g}' for mean in means)}\n")
    fits = {one: run(train, test, one, name, options, seed) for one in SETS}
    cells = {metric: told({one: fit[0] for one, fit in fits.items()}, metric) for metric in METRICS[name]}
    print("| features | " + " | ".join(METRICS[name]) + " | fit, s |\n" + "|---" * 5 + "|")
    for one, (_, seconds) in fits.items():
        print(
            f"| {one} | "
            + " | ".join(cells[metric][one][0] for metric in METRICS[name])
            + f" | {seconds:.0f} |"
        )
    print(f"\nless {BASE}:\n\n| features | " + " | ".join(METRICS[name]) + " |\n" + "|---" * 4 + "|")
    for one in list(SETS)[1:]:
        print(f"| {one} | " + " | ".join(cells[metric][one][1] for metric in METRICS[name]) + " |")


def run(
    train: Rows, held: Rows, features: str, name: str, options: Mapping[str, float], seed: int
) -> tuple[Scored, float]:
    """A model of a set of features on held-out rows, and the seconds of its fit."""
    begun = time.process_time()
    model = LightGbm(LightGbm.Options(kind=KINDS[name], **options)).fit(
        train.read(features), budget=Budget(600), seed=seed, runtime=RUNTIME
    )
    took = time.process_time() - begun
    rows = held.read(features)
    found: Predictions = model.predict(rows.snapshots)
    return score_predictions(rows, found, kind=KINDS[name]), took


def told(scored: Mapping[str, Scored], metric: str) -> dict[str, tuple[str, str]]:
    """For each set the metric and its difference to BASE, with intervals."""
    measures = {name: MEASURES[metric](one) for name, one in scored.items()}
    drawn = dict(zip(measures, replicates(list(measures.values()), n=RESAMPLES).T, strict=True))
    unit = 100 if metric == "mae" else 1

    def said(found: float, samples: Floats, sign: str = "") -> str:
        ends = interval(samples, found, centred=False)
        assert ends.low is not None
        assert ends.high is not None
        shape = f"{sign}.0f" if metric == "mae" else f"{sign}.3f"
        low, high = (format(end / unit, shape) for end in (ends.low, ends.high))
        return f"{format(found / unit, shape)} [{low}, {high}]"

    return {
        name: (
            said(one.value, drawn[name]),
            said(one.value - measures[BASE].value, drawn[name] - drawn[BASE], "+"),
        )
        for name, one in measures.items()
    }


def log_loss(scored: Scored) -> Measure:
    """Mean of -log of the probability of what happened, cut at 1e-6."""
    base = measure(scored, "brier")
    rows = scored.rows.set_index(["unit", "as_of"]).loc[base.keys]
    said = np.where(rows["outcome"] > 0, rows["value"], 1 - rows["value"])
    return replace(base, values=-np.log(np.clip(said, 1e-6, 1)))


def spearman(scored: Scored) -> Measure:
    """Correlation of the mid-ranks of predicted and true amounts."""
    base = measure(scored, "mae")
    rows = scored.rows.set_index(["unit", "as_of"]).loc[base.keys]
    return replace(
        base, values=None, pooled=rank_correlation(rows["value"].to_numpy(), rows["outcome"].to_numpy())
    )


def rank_correlation(value: npt.NDArray[np.float64], outcome: npt.NDArray[np.float64]) -> Pooled:
    """Spearman's rho as a function of weights, shape (b, n); ranks are counted anew in every resample."""
    ordered = [Descending(value), Descending(outcome)]

    def ranks(one: Descending, weights: Floats) -> Floats:
        groups = one.grouped(one.put(weights))
        middle = np.cumsum(groups, axis=1) - groups / 2
        sizes = np.diff(np.append(one.starts, weights.shape[1]))
        out = np.empty_like(weights)
        out[:, one.order] = np.repeat(middle, sizes, axis=1)
        return out - ((weights * out).sum(axis=1) / weights.sum(axis=1))[:, None]

    def at(weights: Floats) -> Floats:
        x, y = (ranks(one, weights) for one in ordered)
        both, own_x, own_y = ((weights * part).sum(axis=1) for part in (x * y, x * x, y * y))
        return np.asarray(both / np.sqrt(own_x * own_y))

    return at


MEASURES: Mapping[str, Callable[[Scored], Measure]] = {
    **{
        name: lambda one, name=name: measure(one, name)
        for name in ("average-precision", "auc", "mae", "spend-gini")
    },
    "log loss": log_loss,
    "spearman": spearman,
}


if __name__ == "__main__":
    main()
