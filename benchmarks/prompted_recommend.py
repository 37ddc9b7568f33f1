"""Does a language model that is only prompted order recommendations better? Amazon Beauty is not part of mercer.

    .venv/bin/python benchmarks/prompted_recommend.py --beauty FOLDER [--only NAME ...] [--users N]

Leave-last-out as briefs/beauty.yaml has it. The first --users by the md5 of their ids are judged. Of the others, evenly
spread over the order of their ids, --validation choose the weight; the two-stage ranker stops by all of them.
Rows: three wordings of `recommend-title` zero-shot, two examples drawn and two nearest, and the twin with random
weights, each over item-knn with the brief's tuned options; one wording over the two-stage ranker. Differences from the
row's own base are paired by user and tested by sign flips, Holm over each metric's table. Milliseconds are of the
processor, one request at a time, one thread; cost: 1,000 requests at PRICE for an hour of one core.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from recommend_quality import BRIEFS, load, make

from mercer.brief import Brief
from mercer.contracts import Floats32, Holdout, Ranker, Requests
from mercer.evaluation import Comparison, Scored, adjust, compare, score_ranking, value
from mercer.language.prompts.spread import spread_of
from mercer.recommend.prompted import PromptedRecommend

TEST, VALIDATION = 300, 60
CANDIDATES = 12
METRICS = ("ndcg@10", "recall@10")
PRICE = 0.05
SEED = 1
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"wording {wording}": ("item-knn", {"wording": wording}) for wording in (0, 1, 2)},
    "2 examples drawn": ("item-knn", {"shots": 2}),
    "2 nearest examples": ("item-knn", {"shots": 2, "shots_by": "nearest"}),
    "random weights": ("item-knn", {"weights": "random"}),
    "over two-stage": ("two-stage", {}),
}


def by_hash(held: Holdout) -> np.ndarray:
    """Rows in the order of the md5 of their users' ids."""
    return np.argsort([hashlib.md5(unit.encode(), usedforsecurity=False).hexdigest() for unit in held.units])


def timed(ranker: Ranker, held: Holdout) -> tuple[Scored, np.ndarray]:
    """The rows scored one by one, and the processor's milliseconds of each."""
    codes = np.arange(len(held.requests.items), dtype=np.int32)
    spent: list[float] = []

    def score(block: Requests) -> Floats32:
        rows = []
        for row in range(len(block)):
            began = time.process_time()
            rows.append(ranker.score(block.take([row]), codes)[0])
            spent.append(1000 * (time.process_time() - began))
        return np.stack(rows)

    return score_ranking(held, score=score), np.array(spent)


def said(name: str, found: Scored, ms: np.ndarray) -> str:
    """One line: quality, time, money."""
    values = " ".join(f"{metric} {value(found, metric):.4f}" for metric in METRICS)
    p50, p99 = np.percentile(ms, [50, 99])
    return f"{name}: {values} ms {p50:.0f} / {p99:.0f}, {ms.mean() / 3600 * PRICE:.3g} for 1,000"


def report(scored: Mapping[str, Scored], bases: Mapping[str, Scored]) -> None:
    """Differences from the bases and from the twin, and what hangs on the wording."""

    def gap(a: Scored, b: Scored, metric: str, names: tuple[str, str]) -> Comparison:
        return compare(a, b, metric, names=names, task="recommend", target="beauty")

    for metric in METRICS:
        found = adjust(
            [gap(one, bases[ROWS[row][0]], metric, (row, ROWS[row][0])) for row, one in scored.items()]
        )
        if {"wording 0", "random weights"} <= set(scored):
            found.append(
                gap(scored["wording 0"], scored["random weights"], metric, ("wording 0", "its twin"))
            )
        for one in found:
            interval = f"{one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
            adjusted = "" if one.p_adjusted is None else f", adjusted {one.p_adjusted:.4f}"
            print(f"{metric} {one.a} over {one.b}: {interval} p {one.p:.4f}{adjusted}")
        wordings = {name: one for name, one in scored.items() if name.startswith("wording")}
        if wordings:
            print(metric, spread_of(wordings, metric).said())


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beauty", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--users", type=int, default=TEST)
    parser.add_argument("--validation", type=int, default=VALIDATION)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    [split] = load("beauty", given.beauty).values()
    test = split.test.take(np.sort(by_hash(split.test)[: given.users]))
    judged = set(test.units)
    others = [row for row, unit in enumerate(split.validation.units) if unit not in judged]
    held = split.validation.take(np.array(others))
    tuned = Brief.load(BRIEFS / "beauty.yaml").targets["next-item"].options
    bases: dict[str, Scored] = {}
    for name in sorted({ROWS[row][0] for row in given.only}):
        ranker = make(name, tuned.get(name, {})).fit(split.train, validation=held, seed=SEED)
        bases[name], ms = timed(ranker, test)
        print(said(name, bases[name], ms), flush=True)
    scored: dict[str, Scored] = {}
    for name in given.only:
        base, options = ROWS[name]
        chosen = {
            "base": {base: tuned.get(base, {})},
            "precision": given.precision,
            "candidates": given.candidates,
            "validation_rows": given.validation,
        }
        fitted = make(PromptedRecommend.name, {**chosen, **options}).fit(
            split.train, validation=held, seed=SEED
        )
        scored[name], ms = timed(fitted, test)
        print(f"{said(name, scored[name], ms)}, weight {fitted._whole.weight:g}", flush=True)
    report(scored, bases)


if __name__ == "__main__":
    main()
