"""What the shop's truth says of the models and of the leaderboard that judged them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mercer
from flow.house import House
from mercer.environment import cache_folder
from mercer.simulate import Truth, demo_brief


def test_probabilities_are_nearer_to_the_truth_than_the_base_rate(house: House) -> None:
    chosen = house.run.manifest["selected"]["repurchase"]["model"]
    rows = scores(house.folder, "repurchase", f"{chosen}.test.train-validation")
    true = true_probability(house.truth, rows)
    predicted = np.abs(rows["value"].to_numpy() - true).mean()
    base_rate = np.abs(rows["outcome"].mean() - true).mean()
    print(f"mean |predicted - true| repurchase probability: {predicted:.4f} (base rate {base_rate:.4f})")
    assert predicted < 0.9 * base_rate


def test_the_better_predictor_by_the_leaderboard_is_nearer_to_the_truth(house: House) -> None:
    board = house.run.leaderboard
    assert board is not None
    rows = board.find(target="repurchase", split="test", metric="brier", slice="all", origin="all")
    rows = sorted((row for row in rows if row.fit_on == "train+validation"), key=lambda row: row.value)
    distance = {row.model: distance_from_truth(house.truth, house.folder, row.model) for row in rows}
    print(f"mean squared distance to the true probability: {distance}")
    assert len(distance) > 1
    assert distance[rows[0].model] < distance[rows[-1].model]


def test_the_list_that_scores_best_is_worth_more_than_the_one_that_scores_worst(house: House) -> None:
    board = house.run.leaderboard
    assert board is not None
    rows = board.find(target="next-item", split="test", metric="ndcg@10", slice="all")
    rows.sort(key=lambda row: row.value)
    worst, best = rows[0], rows[-1]
    worth = {row.model: true_worth(house.truth, house.folder, row.model) for row in (worst, best)}
    print(f"true share of the next order in the list of ten: {worth}")
    assert worth[best.model] > worth[worst.model]


@pytest.mark.slow
def test_on_the_demo_shop_every_verdict_of_better_is_true(tmp_path: Path) -> None:
    run = mercer.run(demo_brief(), tmp_path / "run", until="evaluate")
    [step] = [one for one in run.manifest["steps"] if one["name"] == "simulate"]
    truth = Truth.load(cache_folder() / "steps" / "simulate" / step["key"])
    lists, predictions = verdicts(run, "next-item", "ndcg@10"), verdicts(run, "repurchase", "brier")
    assert lists
    assert predictions
    for better, worse in lists:
        worth = {model: true_worth(truth, run.path, model) for model in (better, worse)}
        print(f"true share of the next order in the list of ten: {worth}")
        assert worth[better] > worth[worse]
    for better, worse in predictions:
        distance = {model: distance_from_truth(truth, run.path, model) for model in (better, worse)}
        print(f"mean squared distance to the true probability: {distance}")
        assert distance[better] < distance[worse]


def verdicts(run: mercer.Run, target: str, metric: str) -> list[tuple[str, str]]:
    """Pairs (better, worse) that the leaderboard calls so, over all units."""
    board = run.leaderboard
    assert board is not None
    pairs = []
    for one in board.comparisons:
        if (one.target, one.metric, one.slice) == (target, metric, "all"):
            if one.verdict == "better":
                pairs.append((one.a, one.b))
            elif one.verdict == "worse":
                pairs.append((one.b, one.a))
    return pairs


def scores(folder: Path, target: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "scores" / target / f"{name}.parquet")


def origin_of(as_of: object) -> int:
    """The instant after an as-of time that is the last microsecond of a day."""
    return int(pd.Timestamp(as_of).ceil("s").timestamp() * 1_000_000)


def true_probability(truth: Truth, rows: pd.DataFrame) -> np.ndarray:
    [as_of] = rows["as_of"].unique()
    true = truth.repurchase(list(rows["unit"]), origin_of(as_of), truth.options.horizon_days)
    assert np.isfinite(true).all()
    return true


def distance_from_truth(truth: Truth, folder: Path, model: str) -> float:
    """Mean squared difference between predicted and true repurchase probability on the test set."""
    rows = scores(folder, "repurchase", f"{model}.test.train-validation")
    return float(((rows["value"] - true_probability(truth, rows)) ** 2).mean())


def true_worth(truth: Truth, folder: Path, model: str) -> float:
    """Mean true share of the next order's new lines that the model's lists of the test hold."""
    lists = pd.read_parquet(folder / "scores" / "next-item" / f"{model}.test.train.lists.parquet")
    by_user = lists.sort_values("position").groupby("unit")["item"].apply(list)
    split_from = pd.Timestamp(mercer.Run(folder).manifest["audit"]["next-item"]["protocol"]["test_from"])
    origin = int(split_from.timestamp() * 1_000_000)
    return float(truth.value_of(list(by_user.index), list(by_user), origin, repeats=False).mean())
