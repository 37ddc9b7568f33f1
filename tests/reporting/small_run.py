"""A run folder as the pipeline leaves it, made from code: an invented gift shop with a better new ranker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mercer.brief import Brief
from mercer.evaluation import Leaderboard, RowInfo, Scored, compare_with, rows_for

BRIEF = """
schema: 1
name: gift-shop
question: Which products should we show each customer, and who will buy again?
owner_role: growth
decision:
  date: 2026-10-01
  target: next-item
  metric: ndcg@10
  against: most-popular
  least_gain: {relative: 0.02}
  guardrails: [{metric: coverage@10, min: 0.10}]
data:
  events: {source: events.parquet, currency: GBP}
jurisdictions: [UK, EU]
packs_date: 2026-11-24
targets:
  next-item: {task: recommend, repeats: false, split: {kind: temporal, test_from: 2026-07-01}}
  repurchase: {task: behavior, kind: probability, event: purchase, origins: [2026-07-01]}
  spend: {task: behavior, kind: amount, of: purchase, origins: [2026-07-01]}
value: {margin: 0.30, contact_cost: 0.50}
"""

N_USERS, N_ITEMS = 600, 60
_COLOURS = ("Ivory", "Sage", "Cobalt", "Coral", "Slate", "Amber", "Plum", "Teal", "Rose", "Pearl")
_THINGS = ("tea light holder", "jam jar set", "paper lantern", "door stop", "letter rack", "cake stand")
TITLES = {f"i{n:03d}": f"{_COLOURS[n % 10]} {_THINGS[n // 10]}" for n in range(N_ITEMS)}


def make_run(folder: Path, *, brief: str = BRIEF, seed: int = 0, skill: float = 1.2) -> Path:
    """Write a whole run into `folder`. skill: how far the new ranker is ahead; 0 is nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "brief.yaml").write_text(Brief.parse(brief).dump(), "utf-8")
    rng = np.random.default_rng(seed)
    _write_data(folder, rng)
    rankers = _rankings(rng, skill)
    probabilities, amounts = _predictions(rng)
    rows, comparisons = [], []
    for target, task, fit_on, models, metric in (
        ("next-item", "recommend", "train", rankers, "ndcg@10"),
        ("repurchase", "behavior", "train+validation", probabilities, "brier"),
        ("spend", "behavior", "train+validation", amounts, "rmse"),
    ):
        for name, scored in models.items():
            scored.save(folder / "scores" / target / f"{name}.test.{fit_on.replace('+', '-')}.parquet")
            info = RowInfo(
                task=task, target=target, model=name, split="test", fit_on=fit_on,
                protocol={"split": "temporal", "test_from": "2026-07-01", "ties": "mid-rank"},
            )  # fmt: skip
            rows += rows_for(scored, info, n_replicates=200)
        best = list(models)[-1]
        comparisons += compare_with(
            best, models, metric, task=task, target=target, fit_on=fit_on, slices=True
        )
    board = Leaderboard(run="r1", dataset="d1", rows=tuple(rows), comparisons=tuple(comparisons)).adjusted()
    chosen = {"next-item": "item-knn", "repurchase": "lightgbm", "spend": "lightgbm"}
    board.mark_selected(chosen).save(folder / "leaderboard.json")
    write_json(folder / "manifest.json", manifest(chosen))
    write_json(folder / "gates.json", gates())
    write_json(folder / "data" / "accounting.json", accounting())
    return folder


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1), "utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _write_data(folder: Path, rng: np.random.Generator) -> None:
    items = pd.DataFrame({"item": list(TITLES), "title": list(TITLES.values())})
    items.to_parquet(folder / "data" / "items.parquet")
    n = N_USERS * 6
    day = rng.integers(0, 270, n)
    time = pd.Timestamp("2025-10-01") + pd.to_timedelta(day, unit="D")
    events = pd.DataFrame(
        {
            "event": [f"e{at}" for at in range(n)], "user": [f"u{at % N_USERS:04d}" for at in range(n)],
            "item": rng.choice(list(TITLES), n), "time": time, "known_at": time, "kind": "purchase",
            "currency": "GBP",
        }
    )  # fmt: skip
    events.to_parquet(folder / "data" / "events.parquet")


def _rankings(rng: np.random.Generator, skill: float) -> dict[str, Scored]:
    relevant = np.minimum(rng.geometric(0.035, N_USERS) - 1, N_ITEMS - 1)
    popular = np.linspace(2.5, 0, N_ITEMS)
    noise = rng.normal(size=(N_USERS, N_ITEMS))
    scores = {
        "most-popular": np.tile(popular, (N_USERS, 1)),
        "most-popular-recent": popular + 0.3 * rng.normal(size=N_ITEMS) + np.zeros((N_USERS, 1)),
        "buy-again": popular + 0.5 * noise,
        "item-knn": popular + 0.6 * noise,
    }
    scores["item-knn"][np.arange(N_USERS), relevant] += skill * rng.random(N_USERS)
    return {name: _ranked(values, relevant, rng) for name, values in scores.items()}


def _ranked(scores: np.ndarray, relevant: np.ndarray, rng: np.random.Generator) -> Scored:
    own = scores[np.arange(N_USERS), relevant][:, None]
    rank = 1 + (scores > own).sum(1) + ((scores == own).sum(1) - 1) / 2
    names, users = np.array(list(TITLES)), np.array([f"u{at:04d}" for at in range(N_USERS)])
    rows = pd.DataFrame(
        {
            "unit": users, "cluster": users, "item": names[relevant], "grade": 1.0, "rank": rank,
            "slice_history": np.where(np.arange(N_USERS) % 3 == 0, "new", "old"),
            "slice_items": np.where(relevant < N_ITEMS // 5, "head", "tail"),
            "slice_country": np.where(np.arange(N_USERS) % 4 == 0, "France", "United Kingdom"),
        }
    )  # fmt: skip
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    lists = pd.DataFrame(
        {
            "unit": np.repeat(users, 10), "position": np.tile(np.arange(1, 11), N_USERS),
            "item": names[order.ravel()], "score": np.take_along_axis(scores, order, 1).ravel(), "bits": 5.0,
        }
    )  # fmt: skip
    return Scored(kind="ranking", rows=rows, lists=lists, n_items=N_ITEMS)


def _predictions(rng: np.random.Generator) -> tuple[dict[str, Scored], dict[str, Scored]]:
    users = np.array([f"u{at:04d}" for at in range(N_USERS)])
    truth = rng.beta(2, 3, N_USERS)
    bought = (rng.random(N_USERS) < truth).astype(float)
    spend = bought * rng.gamma(2.0, 4000, N_USERS)
    at = int(pd.Timestamp("2026-07-01").value // 1000)

    def scored(kind: Any, value: np.ndarray, outcome: np.ndarray) -> Scored:
        rows = pd.DataFrame(
            {
                "unit": users, "cluster": users, "as_of": at, "value": value, "low": value * 0.5,
                "high": value * 1.2, "outcome": outcome, "weight": 1.0,
                "slice_history": np.where(np.arange(N_USERS) % 3 == 0, "new", "old"),
            }
        )  # fmt: skip
        return Scored(kind=kind, rows=rows)

    rough = np.clip(0.5 * truth + 0.5 * rng.random(N_USERS), 0.01, 0.99)
    return (
        {"past-rate": scored("probability", rough, bought), "lightgbm": scored("probability", truth, bought)},
        {
            "past-rate": scored("amount", np.full(N_USERS, spend.mean()), spend),
            "lightgbm": scored("amount", 8000 * truth, spend),
        },
    )


def manifest(chosen: dict[str, str]) -> dict[str, Any]:
    metrics = {"next-item": "ndcg@10", "repurchase": "brier", "spend": "rmse"}
    return {
        "schema": 1, "run": "3f9c2a1be07d", "mercer": "0.1.0", "brief_hash": "a" * 64, "data_hash": "b" * 64,
        "packages": {"numpy": "2.3.5", "lightgbm": "4.6.0"},
        "hardware": {"machine": "x86_64", "processors": 2, "memory_gib": 8.0}, "seeds": [1],
        "steps": [
            {"name": "data", "seconds": 6.2, "cpu_seconds": 8.8, "peak_mib": 420.0, "cached": False},
            {"name": "fit:next-item:item-knn", "seconds": 1.4, "cpu_seconds": 1.3, "peak_mib": 180.0, "cached": True},
            {"name": "fit:repurchase:lightgbm", "seconds": 24.0, "cpu_seconds": 40.5, "peak_mib": 310.0,
             "cached": False},
        ],
        "selected": {
            target: {"model": model, "metric": metrics[target], "value": 0.1, "fit_on": "train",
                     "chosen_at": "2026-10-01T09:00:00+00:00"}
            for target, model in chosen.items()
        },
        "test_looks": {"next-item": 4, "repurchase": 2, "spend": 2},
        "audit": {target: {"examined": 1800, "status": "PASS"} for target in chosen},
    }  # fmt: skip


def finding(rule: str, stage: str, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "rule": rule, "gate": "gate", "stage": stage, "status": status, "examined": 1800, "measured": "0 rows",
        "threshold": "0 rows", "remedy": "Leave these rows out.", "because": "", "target": "", "offending": [],
        "title": rule.replace("-", " ").capitalize(), "citation": "GDPR 7(1)", "jurisdiction": "EU",
        "effective_from": "2018-05-25", "verified": "V", "obligation": "The shop can show consent.",
        "quote": None, "quote_sha256": None, "quote_source": None, "accepted": None, "note": "", **changes,
    }  # fmt: skip


def gates() -> dict[str, Any]:
    accepted = {"rule": "human-review", "role": "model-risk", "reason": "No adverse decision is taken.",
                "until": "2027-06-30"}  # fmt: skip
    return {
        "schema": 1, "verdict": "pass", "packs_date": "2026-11-24", "jurisdictions": ["UK", "EU"],
        "findings": [
            finding("column-purposes", "data", "PASS"),
            finding("card-numbers", "data", "PASS"),
            finding("retention", "data", "NOT_APPLICABLE", because="No retention limit is named."),
            finding("consent-at-event", "train", "PASS"),
            finding("children", "train", "PASS"),
            finding("calibration", "evaluate", "PASS"),
            finding("proxies", "evaluate", "NOT_APPLICABLE", because="No protected column."),
            finding("human-review", "evaluate", "NOT_ASSESSED", because="A person has to attest it.", examined=0,
                    accepted=accepted),
            finding("objection", "serve", "PASS"),
            finding("age-limits", "serve", "PASS", jurisdiction="UK"),
            finding("explanation", "serve", "PASS"),
        ],
        "upcoming": [
            {"rule": "aia-50", "title": "Transparency of AI systems", "citation": "AI Act 50", "jurisdiction": "EU",
             "effective_from": "2027-08-02", "verified": "S"}
        ],
    }  # fmt: skip


def accounting() -> dict[str, Any]:
    rules = [
        ("missing-user", "No customer is named.", "quarantine", 135080),
        ("duplicate-event", "The same event with the same content.", "quarantine", 5225),
        ("non-product", "Postage, bank charges and other codes.", "quarantine", 1900),
        ("zero-price", "The price is zero.", "quarantine", 33),
        ("cancellation", "The row undoes an earlier purchase.", "relabel", 8905),
    ]
    listed = [{"rule": r, "sentence": s, "action": a, "count": n} for r, s, a, n in rules]
    removed = sum(n for _, _, action, n in rules if action == "quarantine")
    return {
        "schema": 1,
        "tables": {
            "events": {"read": 541909, "kept": 541909 - removed, "quarantined": removed, "rules": listed},
            "items": {"read": 3958, "kept": 3958, "quarantined": 0, "rules": []},
        },
    }
