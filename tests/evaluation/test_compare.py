from __future__ import annotations

import numpy as np
import pytest

from evaluation.small import predictions, ranking
from mercer.errors import DataError
from mercer.evaluation import Comparison, Scored, adjust, compare, compare_with

WHERE = {"task": "recommend", "target": "next"}


def ranks(values: list[float]) -> Scored:
    return ranking([(f"u{at:04d}", "a", 1.0, rank) for at, rank in enumerate(values)])


def test_a_model_that_ranks_higher_for_nearly_everybody_is_better() -> None:
    rng = np.random.default_rng(0)
    good, bad = rng.integers(1, 6, 200).tolist(), rng.integers(4, 15, 200).tolist()
    found = compare(ranks(good), ranks(bad), "mrr@10", names=("good", "bad"), **WHERE)
    assert found.verdict == "better"
    assert found.p == pytest.approx(1e-4)
    assert found.low is not None
    assert 0 < found.low < found.difference
    back = compare(ranks(bad), ranks(good), "mrr@10", names=("bad", "good"), **WHERE)
    assert back.verdict == "worse"
    assert back.difference == pytest.approx(-found.difference)


def test_a_model_against_itself_shows_no_difference() -> None:
    scored = ranks([1, 2, 3, 4, 5, 6, 7, 8])
    found = compare(scored, scored, "ndcg@10", names=("a", "b"), **WHERE)
    assert (found.difference, found.p, found.verdict) == (0.0, 1.0, "no-difference")


def test_lower_is_better_for_brier() -> None:
    y = [0, 1] * 50
    sharp, dull = predictions([0.1, 0.9] * 50, y), predictions([0.5, 0.5] * 50, y)
    found = compare(sharp, dull, "brier", names=("sharp", "dull"), task="behavior", target="buys")
    assert found.difference < 0
    assert found.verdict == "better"


def test_metrics_without_values_per_unit_are_bootstrapped() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 300)
    good = predictions(np.clip(0.3 * y + 0.5 * rng.random(300), 0, 1).tolist(), y.tolist())
    noise = predictions(rng.random(300).tolist(), y.tolist())
    found = compare(good, noise, "auc", names=("good", "noise"), task="behavior", target="buys")
    assert found.verdict == "better"
    assert found.p is not None
    assert found.p <= 0.002


def test_a_metric_without_a_better_way_is_not_tested() -> None:
    a, b = predictions([1.0] * 20, [0.0] * 20, "amount"), predictions([2.0] * 20, [0.0] * 20, "amount")
    assert compare(a, b, "bias", names=("a", "b"), task="behavior", target="spend").verdict == "not-tested"


def test_four_units_are_too_few_to_test() -> None:
    found = compare(ranks([1, 1, 1, 1]), ranks([9, 9, 9, 9]), "mrr@10", names=("a", "b"), **WHERE)
    assert (found.verdict, found.p, found.low) == ("not-tested", None, None)


def test_other_units_are_refused() -> None:
    with pytest.raises(DataError, match="different units: 2, 3"):
        compare(ranks([1, 2]), ranks([1, 2, 3]), "mrr@10", names=("a", "b"), **WHERE)


def test_row_order_does_not_matter() -> None:
    a, b = ranks([1, 2, 3, 9, 4, 5]), ranks([3, 2, 2, 8, 1, 9])
    turned = Scored(kind="ranking", rows=b.rows.iloc[::-1].reset_index(drop=True))
    one = compare(a, b, "mrr@10", names=("a", "b"), **WHERE)
    assert one == compare(a, turned, "mrr@10", names=("a", "b"), **WHERE)


def claim(p: float, slice_name: str = "all") -> Comparison:
    return Comparison(
        **WHERE, metric="ndcg@10", slice=slice_name, a="a", b="b", difference=0.1, low=0.0, high=0.2, p=p
    )


def test_claims_get_holm_and_slices_false_discovery_control() -> None:
    page = adjust([claim(0.02), claim(0.03), claim(0.02, "history=new"), claim(0.03, "history=old")])
    assert [c.p_adjusted for c in page] == pytest.approx([0.04, 0.04, 0.03, 0.03])
    assert {c.verdict for c in page} == {"better"}
    assert adjust([claim(0.03), claim(0.03)])[0].verdict == "no-difference"


def test_the_subject_meets_every_other_model_in_every_slice() -> None:
    a, b = ranks([1, 2, 3, 4, 5, 6]), ranks([6, 5, 4, 3, 2, 1])
    for scored in (a, b):
        scored.rows["slice_history"] = ["new"] * 3 + ["old"] * 3
    found = compare_with("a", {"a": a, "b": b}, "mrr@10", slices=True, **WHERE)
    assert [(c.a, c.b, c.slice) for c in found] == [
        ("a", "b", "all"), ("a", "b", "history=new"), ("a", "b", "history=old"),
    ]  # fmt: skip
    # Three units a slice are too few for a verdict.
    assert [c.verdict for c in found[1:]] == ["not-tested", "not-tested"]


def test_an_outside_system_without_slices_is_compared_as_a_whole() -> None:
    a, b = ranks([1, 2, 3, 4, 5, 6]), ranks([6, 5, 4, 3, 2, 1])
    a.rows["slice_history"] = ["new"] * 3 + ["old"] * 3
    found = compare_with("a", {"a": a, "b": b}, "mrr@10", slices=True, **WHERE)
    assert [c.slice for c in found] == ["all"]
