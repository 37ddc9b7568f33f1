"""How good the rankers are on three shops: their documented defaults, and what tuning finds for each.

    .venv/bin/python benchmarks/recommend_quality.py --beauty FOLDER --retail FOLDER --demo [--models NAME ...]
    … --tune --trials 30 --seconds 240 --out tuned.json      search each model on each target, and on all together
    … --options tuned.json                                   the tuned options in place of the defaults
    … --test                                                 score the test rows, too
    … --refit                                                and again fitted on train + validation

--beauty: folder of Amazon Beauty 2014 (briefs/beauty.yaml): leave-last-out, history masked. --retail: folder of UCI
Online Retail (briefs/online-retail.yaml): the next basket, of new items and with repeats, temporal. --demo: the
simulated shop (briefs/demo.yaml), temporal. Data that mercer does not include; splits are those of the briefs.

Everything is fitted on train alone unless said; mid-ranks over the full catalogue; 95 % intervals, bootstrap over
users. Search: the defaults are trial 0, then a tree-structured Parzen estimator on ndcg@10 of validation rows; for each
model and target the same number of trials and of CPU seconds, whichever ends first; no test row is touched.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mercer import recommend
from mercer.brief import Brief
from mercer.contracts import Dataset, Holdout, plugins, search_space
from mercer.data.splits import RecommendSplit
from mercer.evaluation import RowInfo, Scored, compare, rows_for, score_ranking, value
from mercer.pipeline.flow import Flow
from mercer.pipeline.ingest import clean_data, raw_data
from mercer.pipeline.material import Material
from mercer.pipeline.search import Search

BRIEFS = Path(__file__).resolve().parent.parent / "briefs"
METRICS = ("recall@10", "ndcg@10")
"""What the lines of these benchmarks show."""

TOGETHER = "together"
"""Name of the search for options that serve all targets."""

SEED = 1


def load(brief: str, folder: Path | None = None) -> dict[str, RecommendSplit]:
    """The recommend targets of one of the briefs, cleaned and split as `mercer run` does it."""
    flow = Flow(
        brief=Brief.load(BRIEFS / f"{brief}.yaml"),
        out=Path(),
        data_folders=() if folder is None else (folder,),
    )
    material = Material(clean_data(flow, raw_data(flow)).folder, flow.brief)
    return {
        f"{brief}/{name}": material.split(name)
        for name, target in flow.brief.targets.items()
        if target.task == "recommend"
    }


def add_shops(parser: argparse.ArgumentParser) -> None:
    """The arguments that name data: `shops` reads them."""
    parser.add_argument("--beauty", type=Path)
    parser.add_argument("--retail", type=Path)
    parser.add_argument("--demo", action="store_true")


def shops(chosen: argparse.Namespace) -> dict[str, RecommendSplit]:
    """The targets of the data that were named."""
    splits: dict[str, RecommendSplit] = {}
    if chosen.beauty is not None:
        splits |= load("beauty", chosen.beauty)
    if chosen.retail is not None:
        splits |= load("online-retail", chosen.retail)
    if chosen.demo:
        splits |= load("demo")
    return splits


def make(model: str, options: Mapping[str, Any]) -> Any:
    cls = plugins.load(plugins.RANKERS, model)
    return cls(cls.Options(**options))


def scored(ranker: Any, holdout: Holdout) -> Any:
    codes = np.arange(len(holdout.requests.items), dtype=np.int32)
    return score_ranking(holdout, score=lambda block: ranker.score(block, codes))


def values(found: Scored, target: str) -> str:
    """METRICS of scored rows with their intervals, for a line."""
    info = RowInfo(task="recommend", target=target, model="", split="")
    rows = {row.metric: row for row in rows_for(found, info) if row.slice == "all" and row.origin == "all"}
    return "  ".join(f"{rows[m].value:.4f} [{rows[m].low:.4f}, {rows[m].high:.4f}]" for m in METRICS)


def difference(a: Scored, b: Scored, metric: str, target: str) -> str:
    """The metric of a less that of b, paired by unit, with its interval and p, for a line."""
    found = compare(a, b, metric, names=("a", "b"), task="recommend", target=target)
    return f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}] p {found.p:.4f}"


def some(holdout: Holdout, n: int) -> Holdout:
    """At most n rows, drawn once."""
    if len(holdout) <= n:
        return holdout
    return holdout.take(np.sort(np.random.default_rng(SEED).choice(len(holdout), n, replace=False)))


def report(splits: Mapping[str, RecommendSplit], models: Sequence[str], tuned: Any, parts: list[str]) -> None:
    for target, split in splits.items():
        train: Dataset = split.train
        assert train.interactions is not None
        print(f"\n{target}: {train.interactions.n_events} training events, {len(train.vocabulary)} items")
        both = f"{'recall@10':24} {'ndcg@10':24}"
        print(f"{'model':20} {'part':16} {'n':>6}  {both} coverage  fit s  ms/user")
        for model in models:
            options = tuned.get(target, {}).get(model, {}).get("options", {})
            for part in parts:
                data = split.refit if part == "test, refit" else train
                start = time.perf_counter()
                ranker = make(model, options).fit(data, seed=SEED)
                fit_seconds = time.perf_counter() - start
                print(line(ranker, target, split, part, fit_seconds), flush=True)


def line(ranker: Any, target: str, split: RecommendSplit, part: str, fit_seconds: float) -> str:
    holdout = split.validation if part == "validation" else split.test
    start = time.perf_counter()
    result = scored(ranker, holdout)
    ms = 1000 * (time.perf_counter() - start) / len(holdout)
    coverage = value(result, "coverage@10")
    cells = values(result, target)
    return f"{ranker.name:20} {part:16} {len(holdout):6}  {cells}  {coverage:8.3f}  {fit_seconds:5.1f}  {ms:7.2f}"


Judge = Callable[[Mapping[str, Any]], float]


def judge_of(model: str, splits: Sequence[RecommendSplit], n_rows: int) -> Judge:
    """Mean over the targets of log ndcg@10 of validation rows; for one target that is its order."""
    held = [(split.train, some(split.validation, n_rows)) for split in splits]

    def judge(options: Mapping[str, Any]) -> float:
        found = [
            value(scored(make(model, options).fit(train, seed=SEED), rows), "ndcg@10") for train, rows in held
        ]
        return float(np.mean(np.log(np.maximum(found, 1e-6))))

    return judge


def tune(model: str, judge: Judge, *, trials: int, seconds: float) -> dict[str, Any]:
    cls = plugins.load(plugins.RANKERS, model)
    space = search_space(cls.Options)
    defaults = {name: getattr(cls.Options(), name) for name in space}
    search = Search(space, higher_is_better=True, seed=SEED, first=[defaults])
    begun = time.process_time()
    seen: list[tuple[float, dict[str, Any]]] = []
    for options in search:
        found = judge(options)
        search.tell(found)
        seen.append((found, options))
        print(f"  {len(seen):3} {np.exp(found):.4f} {options}", flush=True)
        if len(seen) >= trials or time.process_time() - begun >= seconds:
            break
    best, options = max(seen, key=lambda one: one[0])
    return {
        "options": options,
        "value": float(np.exp(best)),
        "default": float(np.exp(seen[0][0])),
        "trials": len(seen),
        "cpu_seconds": round(time.process_time() - begun, 1),
    }


def tune_all(splits: Mapping[str, RecommendSplit], models: Sequence[str], chosen: Any) -> None:
    """Search, and write what was found so far after every search: an interrupted one goes on where it stopped."""
    out: Path = chosen.out
    results: dict[str, dict[str, Any]] = json.loads(out.read_text("utf-8")) if out.is_file() else {}
    searches = {name: [split] for name, split in splits.items()}
    if chosen.together:
        searches = {TOGETHER: list(splits.values())}
    for target, held in searches.items():
        for model in models:
            if model in results.get(target, {}):
                continue
            print(f"{target} {model}", flush=True)
            found = tune(
                model,
                judge_of(model, held, chosen.rows),
                trials=chosen.trials,
                seconds=chosen.seconds,
            )
            results.setdefault(target, {})[model] = found
            out.write_text(json.dumps(results, indent=1), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_shops(parser)
    parser.add_argument("--models", nargs="+", default=list(recommend.DEFAULTS))
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--together", action="store_true", help="one search over all targets, for defaults")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=240.0, help="CPU seconds of a search")
    parser.add_argument(
        "--rows", type=int, default=6000, help="validation rows that a search looks at, at most"
    )
    parser.add_argument("--out", type=Path, default=Path("tuned.json"))
    parser.add_argument("--options", type=Path)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--refit", action="store_true")
    chosen = parser.parse_args()
    splits = shops(chosen)
    if not splits:
        parser.error("give --beauty, --retail, --demo or several")
    if chosen.tune:
        tune_all(splits, chosen.models, chosen)
        return
    tuned = {} if chosen.options is None else json.loads(chosen.options.read_text("utf-8"))
    parts = ["validation", *(["test"] if chosen.test else []), *(["test, refit"] if chosen.refit else [])]
    report(splits, chosen.models, tuned, parts)


if __name__ == "__main__":
    main()
