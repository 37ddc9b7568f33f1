from __future__ import annotations

import numpy as np

from evaluation.small import predictions, ranking
from mercer.evaluation import Row, RowInfo, rows_for

INFO = RowInfo(task="behavior", target="buys", model="past-rate", split="test", seeds=(1,))


def test_every_metric_of_the_task_gets_a_row_with_its_interval() -> None:
    rng = np.random.default_rng(0)
    scored = predictions(rng.random(200).tolist(), rng.integers(0, 2, 200).tolist())
    rows = {row.metric: row for row in rows_for(scored, INFO)}
    assert list(rows) == ["auc", "average-precision", "brier", "brier-skill", "calibration-slope", "ece"]
    for row in rows.values():
        assert row.low is not None
        assert row.high is not None
        assert row.low <= row.value <= row.high
        assert (row.n, row.unit, row.level, row.split) == (200, "entity × cut-off", 0.95, "test")
    assert rows["auc"].interval == "bootstrap by entity"
    assert rows["ece"].interval == "centred bootstrap by entity"


def test_undefined_metrics_give_no_row() -> None:
    rows = rows_for(predictions([0.2] * 10, [0] * 10), INFO)
    assert "auc" not in {row.metric for row in rows}
    assert "brier" in {row.metric for row in rows}


def test_slices_and_origins_get_rows_of_their_own() -> None:
    scored = predictions([0.2, 0.8] * 10, [0, 1] * 10)
    scored.rows["slice_country"] = ["UK"] * 10 + ["FR"] * 10
    scored.rows["as_of"] = [0] * 10 + [86_400_000_000] * 10
    rows = rows_for(scored, INFO, metrics=["brier"], slice_metrics=["brier"])
    assert [(row.origin, row.slice, row.n) for row in rows] == [
        ("all", "all", 20),
        ("1970-01-01", "all", 10),
        ("1970-01-02", "all", 10),
        ("all", "country=FR", 10),
        ("all", "country=UK", 10),
    ]


def test_an_item_slice_counts_only_the_relevant_items_inside() -> None:
    scored = ranking([("u", "a", 1, 1.0), ("u", "b", 1, 99.0), ("v", "b", 1, 2.0)])
    scored.rows["slice_items"] = ["head", "tail", "tail"]
    info = RowInfo(task="recommend", target="next", model="m", split="test")
    rows = rows_for(scored, info, metrics=[], slice_metrics=["recall@10"])
    assert {row.slice: (row.value, row.n) for row in rows} == {
        "items=head": (1.0, 1),
        "items=tail": (0.5, 2),
    }


def test_few_clusters_get_a_value_but_no_interval() -> None:
    row = rows_for(predictions([0.2, 0.8], [0, 1]), INFO, metrics=["brier"])[0]
    assert (row.low, row.high, row.interval) == (None, None, "none")


def test_rows_come_back_from_plain_json_types() -> None:
    row = rows_for(predictions([0.2, 0.8], [0, 1]), INFO, metrics=["brier"])[0]
    content = row.to_dict()
    assert content["seeds"] == [1]
    assert Row.from_dict({**content, "of_a_later_mercer": 1}) == row


def test_validation_rows_are_not_sliced() -> None:
    scored = predictions([0.2, 0.8] * 10, [0, 1] * 10)
    scored.rows["slice_country"] = ["UK"] * 10 + ["FR"] * 10
    info = RowInfo(task="behavior", target="buys", model="past-rate", split="validation")
    assert {row.slice for row in rows_for(scored, info)} == {"all"}
