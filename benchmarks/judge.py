"""Can the judge be trusted? Intervals, tests and the promise of `mercer check`, held against what is true.

    .venv/bin/python benchmarks/judge.py --seeds 30

For every seed a shop is simulated, its models are fitted and scored by `mercer run` on its real test rows. These rows
are then the whole population: what a model is worth in it is known exactly. Samples of it are drawn with replacement,
each draw a unit of its own, and handed to the judge, who knows nothing of the rest.

coverage   how often the 95 % interval of a sample holds the value in the population (promised: 95 %)
false      how often two equal models are called different at alpha 0.05. The twins of two models: for each unit a
           coin decides which of the two gets whose answer, so neither can be better
power      how often a model that is better by exactly the least difference that `mercer check` declares for a test
           of that size is found (promised: 80 %). Two twins as above, so that they disagree as two models of a shop
           do, and on a share of the units, drawn by chance, one of them has the answer of the better model; of
           somebody who knows the outcome for amounts, where no fitted model beats the median by mean absolute error
Intervals of the shares are Wilson's over all samples, as if these were independent.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml
from scipy.stats import binomtest

import mercer
from mercer.brief import Brief
from mercer.evaluation import RowInfo, Scored, compare, least_detectable, rows_for, unit_values
from mercer.evaluation.metrics import value
from mercer.simulate import demo_brief

ALPHA = 0.05


@dataclass(frozen=True)
class Question:
    """A pair of models of a target, the weaker first, the metrics they are judged on, and how large the samples are."""

    target: str
    weaker: str
    stronger: str
    fit_on: str
    metrics: tuple[str, ...]
    decides: str
    n: int


QUESTIONS = (
    Question(
        "next-item", "most-popular", "item-knn", "train", ("ndcg@10", "recall@10", "mrr@10"), "ndcg@10", 700
    ),
    Question(
        "repurchase",
        "past-rate",
        "lightgbm",
        "train+validation",
        ("auc", "brier", "average-precision"),
        "brier",
        700,
    ),
    Question("spend", "past-rate", "lightgbm", "train+validation", ("spend-gini", "mae"), "mae", 700),
)
TASKS = {"next-item": "recommend", "repurchase": "behavior", "spend": "behavior"}


def brief_of(seed: int, users: int) -> Brief:
    """The demo's shop with another seed, and the models that the questions ask about."""
    content = yaml.safe_load(demo_brief().read_text("utf-8"))
    content["data"]["simulate"] |= {"seed": seed, "users": users, "items": 800, "faults": False}
    targets = {name: content["targets"][name] for name in TASKS}
    for question in QUESTIONS:
        targets[question.target]["models"] = [question.weaker, question.stronger]
    return Brief.model_validate({**content, "name": f"judge-{seed}", "targets": targets})


def population(run: Path, question: Question, model: str, part: str, fit_on: str) -> Scored:
    """The scored rows of a model."""
    name = f"{model}.{part}.{fit_on.replace('+', '-')}.parquet"
    return Scored.load(run / "scores" / question.target / name)


def renamed(scored: Scored, units: npt.NDArray[np.object_]) -> Scored:
    """The rows of `units`, each entry a unit and a cluster of its own, numbered; a unit drawn twice is there twice."""
    names = [f"{place:07d}" for place in range(len(units))]

    def drawn(frame: pd.DataFrame) -> pd.DataFrame:
        places = frame.groupby("unit").indices
        rows = [places.get(unit, np.empty(0, np.int64)) for unit in units]
        found = frame.iloc[np.concatenate(rows)].copy()
        found["unit"] = np.repeat(names, [len(one) for one in rows])
        if "cluster" in found:
            found["cluster"] = found["unit"]
        return found

    return replace(
        scored, rows=drawn(scored.rows), lists=None if scored.lists is None else drawn(scored.lists)
    )


def mixed(a: Scored, b: Scored, from_b: npt.NDArray[np.bool_]) -> Scored:
    """The answers of `a`, and of `b` for the units (numbered as `renamed` does) where `from_b` is true."""

    def mix(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
        of_left, of_right = (~from_b[left["unit"].astype(int)], from_b[right["unit"].astype(int)])
        return pd.concat([left[of_left], right[of_right]]).sort_values(
            "unit", kind="stable", ignore_index=True
        )

    lists = None if a.lists is None or b.lists is None else mix(a.lists, b.lists)
    return replace(a, rows=mix(a.rows, b.rows), lists=lists)


def examine(run: Path, question: Question, samples: int, seed: int) -> Iterator[tuple[str, str, bool]]:
    """(what, metric, whether it was so) for every sample of one shop."""
    weak, strong = (
        population(run, question, model, "test", question.fit_on)
        for model in (question.weaker, question.stronger)
    )
    units = np.array(sorted(set(weak.rows["unit"])), object)
    task = TASKS[question.target]
    rival = weak if task == "recommend" else constant(weak, question.decides)
    winner = informed(weak) if question.decides == "mae" else strong
    share = share_of(run, question, (rival, strong), winner)
    rng = np.random.default_rng([seed, len(units)])
    info = RowInfo(task=task, target=question.target, model="sample", split="test", fit_on=question.fit_on)
    for _ in range(samples):
        picked = units[rng.integers(0, len(units), question.n)]
        a, b = renamed(weak, picked), renamed(strong, picked)
        for row in rows_for(b, info, metrics=list(question.metrics)):
            if row.slice == "all" and row.origin == "all":
                true = value(strong, row.metric)
                yield "coverage", row.metric, bool(row.low is not None and row.low <= true <= row.high)
        coin = rng.random(question.n) < 0.5
        twins = mixed(a, b, coin), mixed(a, b, ~coin)
        for metric in question.metrics:
            verdict = compare(
                *twins, metric, names=("one", "other"), task=task, target=question.target
            ).verdict
            yield "false", metric, verdict in ("better", "worse")
        if share is not None:
            coin, helped = rng.random(question.n) < 0.5, rng.random(question.n) < share
            one, other = renamed(rival, picked), b
            better = mixed(mixed(one, other, coin), renamed(winner, picked), helped)
            old = mixed(one, other, ~coin)
            found = compare(
                better, old, question.decides, names=("new", "old"), task=task, target=question.target
            )
            yield "power", question.decides, found.verdict == "better"


def constant(scored: Scored, metric: str) -> Scored:
    """The answers of whoever says the same of everybody: what `mercer check` compares its pilot with."""
    outcome = scored.rows["outcome"]
    return replace(
        scored, rows=scored.rows.assign(value=outcome.mean() if metric == "brier" else outcome.median())
    )


def informed(scored: Scored) -> Scored:
    """The answers of whoever knows the outcome."""
    return replace(scored, rows=scored.rows.assign(value=scored.rows["outcome"]))


def share_of(run: Path, question: Question, twins: tuple[Scored, Scored], winner: Scored) -> float | None:
    """Share of units answered by the winner that makes a twin of two models better by the declared least difference;
    None where even the winner alone is not that much better."""
    gap = value(winner, question.decides) - float(np.mean([value(twin, question.decides) for twin in twins]))
    gap = gap if question.decides == "ndcg@10" else -gap  # of errors, less is better
    pilot = population(run, question, question.weaker, "validation", "train")
    if question.target == "next-item":
        declared = least_detectable(
            n=question.n, sd=float(unit_values(pilot, question.decides).std(ddof=1)), mean=0.0
        )
    else:
        # As `mercer check`: the errors of the pilot less those of a constant.
        said, outcome = (pilot.rows[name].to_numpy(np.float64) for name in ("value", "outcome"))
        if question.decides == "brier":
            paired = (said - outcome) ** 2 - (outcome.mean() - outcome) ** 2
        else:
            paired = np.abs(said - outcome) - np.abs(np.median(outcome) - outcome)
        declared = least_detectable(n=question.n, sd=float(paired.std(ddof=1)), paired=True)
    return declared.absolute / gap if declared.absolute <= gap else None


def table(found: dict[tuple[str, str, str], list[bool]]) -> list[dict[str, Any]]:
    """A row for each thing examined, with Wilson's 95 % interval of the share."""
    rows = []
    for (target, what, metric), seen in sorted(found.items()):
        ends = binomtest(sum(seen), len(seen)).proportion_ci(method="wilson")
        rows.append(
            {
                "target": target, "what": what, "metric": metric, "samples": len(seen),
                "share": round(sum(seen) / len(seen), 4), "low": round(ends.low, 4), "high": round(ends.high, 4),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Run the shops and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=30, help="shops; their seeds are 101, 102, ...")
    parser.add_argument("--samples", type=int, default=20, help="samples drawn from each shop")
    parser.add_argument("--users", type=int, default=5000, help="customers of a shop")
    parser.add_argument(
        "--json", type=Path, help="write the table and each outcome here, too, after each shop"
    )
    asked = parser.parse_args()
    found: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    skipped: dict[str, int] = defaultdict(int)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(101, 101 + asked.seeds):
            run = mercer.run(brief_of(seed, asked.users), Path(folder) / str(seed), until="evaluate")
            for question in QUESTIONS:
                powered = False
                for what, metric, so in examine(run.path, question, asked.samples, seed):
                    found[question.target, what, metric].append(so)
                    powered |= what == "power"
                skipped[question.target] += not powered
            if asked.json:
                keep(asked.json, found, skipped)
            print(f"seed {seed} done", file=sys.stderr, flush=True)
    rows = table(found)
    print(pd.DataFrame(rows).to_string(index=False))
    for target, count in skipped.items():
        print(f"power of {target}: {count} of {asked.seeds} shops had no two models so far apart")


def keep(file: Path, found: dict[tuple[str, str, str], list[bool]], skipped: dict[str, int]) -> None:
    """Write the table so far, the outcomes of each of its lines in order, and how many shops had no power asked."""
    seen = {" ".join(line): "".join("01"[so] for so in outcomes) for line, outcomes in sorted(found.items())}
    file.write_text(json.dumps({"rows": table(found), "seen": seen, "skipped": skipped}, indent=1), "utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
