from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.small import predictions, ranking
from mercer.brief import BehaviorTarget, RecommendTarget
from mercer.contracts import Metric
from mercer.errors import NotFoundError, UnsupportedError
from mercer.evaluation import (
    SELECTION,
    SLICE_METRICS,
    TASK_METRICS,
    all_metrics,
    measure,
    metric,
    metric_name,
    selection_metric,
    unit_values,
)

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md"


@pytest.mark.parametrize(("name", "k"), [("ndcg@10", 10), ("recall@100", 100), ("brier", 0)])
def test_names_are_parsed(name: str, k: int) -> None:
    assert (metric_name(name).name, metric_name(name).k) == (name, k)


@pytest.mark.parametrize("name", ["ndgc@10", "ndcg", "brier@10", "recall@0", "recall@x", ""])
def test_unknown_names_are_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(UnsupportedError, match="No metric is called"):
        metric_name(name)


def test_the_nearest_name_is_named() -> None:
    with pytest.raises(UnsupportedError, match="'ndcg@10'"):
        metric_name("ndgc@10")


def test_every_listed_metric_exists() -> None:
    listed = [name for table in (TASK_METRICS, SLICE_METRICS) for names in table.values() for name in names]
    assert len(listed) > 20
    for name in [*listed, *SELECTION.values()]:
        assert metric_name(name).name == name


def test_every_metric_has_its_heading_in_the_glossary() -> None:
    headings = {
        line.lstrip("# ").strip() for line in GLOSSARY.read_text("utf-8").splitlines() if line[:1] == "#"
    }
    names = {metric.name for metric in all_metrics()}
    assert len(names) == 18
    assert names <= headings


def test_the_brief_may_choose_a_metric_of_its_task_only() -> None:
    assert selection_metric(RecommendTarget(task="recommend")) == "ndcg@10"
    assert selection_metric(BehaviorTarget(task="behavior", kind="amount")) == "rmse"
    assert selection_metric(RecommendTarget(task="recommend", metric="recall@20")) == "recall@20"
    with pytest.raises(UnsupportedError, match="can't select"):
        selection_metric(RecommendTarget(task="recommend", metric="brier"))


def test_metrics_of_other_rows_and_unknown_slices_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="metric of probability rows; these are ranking rows"):
        measure(ranking([("u", "a", 1, 1)]), "auc")
    with pytest.raises(NotFoundError, match="No slice is called"):
        measure(predictions([0.1], [0]), "brier", slice_name="country=UK")
    with pytest.raises(UnsupportedError, match="no value per unit"):
        unit_values(predictions([0.1], [0]), "auc")


def test_a_metric_is_the_function_that_the_contract_asks_for() -> None:
    recall, auc = metric("recall@10"), metric("auc")
    assert isinstance(recall, Metric)
    assert recall(ranking([("u", "a", 1, 3.0)])).to_dict() == {"u": 1.0}  # type: ignore[union-attr]
    assert auc(predictions([0.1, 0.9], [0, 1])) == 1.0
    assert auc.higher_is_better
    assert not metric("brier").higher_is_better
    with pytest.raises(UnsupportedError):
        metric("aucc")
