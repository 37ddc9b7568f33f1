from __future__ import annotations

import math

import ir_measures
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from evaluation.small import holdout, ranking
from mercer.errors import UnsupportedError
from mercer.evaluation import Scored, score_ranking, unit_values, value

UNIT = {"u": [("a", 2.0, 1.0), ("b", 1.0, 3.0), ("c", 0.0, 2.0), ("d", 1.0, math.inf)]}


def worked() -> Scored:
    return ranking([("u", item, grade, rank) for item, grade, rank in UNIT["u"]])


def test_worked_example() -> None:
    scored = worked()
    ideal = 3 + 1 / math.log2(3) + 1 / math.log2(4)
    assert value(scored, "ndcg@10") == pytest.approx((3 + 1 / 2) / ideal)
    assert value(scored, "ndcg@1") == pytest.approx(1.0)
    assert value(scored, "recall@2") == pytest.approx(1 / 3)
    assert value(scored, "recall@10") == pytest.approx(2 / 3)
    assert value(scored, "mrr@10") == 1.0


def test_a_unit_without_a_relevant_item_is_left_out() -> None:
    scored = ranking([("u", "a", 1, 1), ("v", "a", 0, 1)])
    assert unit_values(scored, "recall@10").to_dict() == {"u": 1.0}


def test_ties_never_lift_a_metric_over_one() -> None:
    tied = ranking([("u", "a", 1, 2.0), ("u", "b", 1, 2.0), ("u", "c", 1, 2.0)])
    assert value(tied, "ndcg@2") == 1.0
    assert value(tied, "recall@2") == pytest.approx(2 / 3)


def runs(seed: int) -> tuple[Scored, list[ir_measures.Qrel], list[ir_measures.ScoredDoc], int]:
    """Random graded queries with all scores distinct."""
    rng = np.random.default_rng(seed)
    n_items = 40
    judged = [sorted(rng.choice(n_items, rng.integers(1, 15), replace=False).tolist()) for _ in range(8)]
    grades = [float(g) for row in judged for g in rng.integers(0, 4, len(row))]
    held = holdout(judged, n_items, grades=grades)
    scores = rng.permuted(np.tile(np.arange(n_items, dtype=np.float32), (8, 1)), axis=1)
    scored = score_ranking(held, score=lambda r: scores[[int(u[1:]) for u in r.users if u]])
    qrels = [
        ir_measures.Qrel(held.units[row], f"i{code}", int(grade))
        for row, code, grade in zip(held.relevant.row_of, held.relevant.values, grades, strict=True)
    ]
    docs = [
        ir_measures.ScoredDoc(f"u{row}", f"i{code}", float(scores[row, code]))
        for row in range(8)
        for code in range(n_items)
    ]
    return scored, qrels, docs, n_items


@pytest.mark.parametrize("seed", range(4))
def test_tie_free_metrics_equal_ir_measures(seed: int) -> None:
    scored, qrels, docs, _ = runs(seed)
    gains = {0: 0, 1: 1, 2: 3, 3: 7}
    pairs = {
        "ndcg@10": ir_measures.nDCG(gains=gains) @ 10,
        "recall@10": ir_measures.R @ 10,
        "mrr@10": ir_measures.RR @ 10,
        "judged@10": ir_measures.Judged @ 10,
    }
    for name, oracle in pairs.items():
        theirs = {m.query_id: m.value for m in ir_measures.iter_calc([oracle], qrels, docs)}
        ours = unit_values(scored, name).to_dict()
        assert ours, name
        assert ours == pytest.approx({unit: theirs[unit] for unit in ours}, abs=1e-9), name


@pytest.mark.parametrize("seed", range(4))
def test_condensed_ndcg_equals_ir_measures_on_judged_only(seed: int) -> None:
    scored, qrels, docs, _ = runs(seed)
    judged = {(q.query_id, q.doc_id) for q in qrels}
    condensed = [d for d in docs if (d.query_id, d.doc_id) in judged]
    oracle = ir_measures.nDCG(gains={0: 0, 1: 1, 2: 3, 3: 7}) @ 10
    theirs = {m.query_id: m.value for m in ir_measures.iter_calc([oracle], qrels, condensed)}
    ours = unit_values(scored, "condensed-ndcg@10").to_dict()
    assert ours == pytest.approx({unit: theirs[unit] for unit in ours}, abs=1e-9)


def test_ndcg_equals_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    relevance = rng.integers(0, 2, (6, 30))
    relevance[:, 0] = 1
    scores = rng.normal(size=(6, 30)).astype(np.float32)
    held = holdout([np.flatnonzero(row).tolist() for row in relevance], 30)
    scored = score_ranking(held, score=lambda r: scores[[int(u[1:]) for u in r.users if u]])
    assert value(scored, "ndcg@10") == pytest.approx(ndcg_score(relevance, scores, k=10))


def brute_ndcg(rows: list[tuple[float, float]], k: int) -> float | None:
    gains = [(2**grade - 1, rank) for grade, rank in rows]
    best = sorted((gain for gain, _ in gains), reverse=True)[:k]
    ideal = sum(gain / math.log2(1 + place) for place, gain in enumerate(best, 1))
    if ideal == 0:
        return None
    return min(1.0, sum(gain / math.log2(1 + rank) for gain, rank in gains if rank <= k) / ideal)


judged_rows = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.sampled_from([1.0, 1.5, 2.0, 3.5, 7.0, 11.0, math.inf])
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(judged_rows, min_size=1, max_size=4), st.integers(1, 10))
def test_metrics_with_ties_equal_brute_force(units: list[list[tuple[float, float]]], k: int) -> None:
    scored = ranking(
        [
            (f"u{u}", f"i{at}", grade, rank)
            for u, rows in enumerate(units)
            for at, (grade, rank) in enumerate(rows)
        ]
    )
    ndcg = {f"u{u}": brute_ndcg(rows, k) for u, rows in enumerate(units)}
    assert unit_values(scored, f"ndcg@{k}").to_dict() == pytest.approx(
        {u: v for u, v in ndcg.items() if v is not None}
    )
    recall, mrr = {}, {}
    for u, rows in enumerate(units):
        ranks = [rank for grade, rank in rows if grade > 0]
        if ranks:
            recall[f"u{u}"] = min(k, sum(rank <= k for rank in ranks)) / len(ranks)
            mrr[f"u{u}"] = 1 / min(ranks) if min(ranks) <= k else 0.0
    assert unit_values(scored, f"recall@{k}").to_dict() == pytest.approx(recall)
    assert unit_values(scored, f"mrr@{k}").to_dict() == pytest.approx(mrr)


def with_lists(lists: list[list[str]], n_items: int) -> Scored:
    frame = pd.DataFrame(
        [
            (f"u{u}", place, item, 0.0, 1.0 if item == "a" else 3.0)
            for u, items in enumerate(lists)
            for place, item in enumerate(items, 1)
        ],
        columns=["unit", "position", "item", "score", "bits"],
    )
    return ranking([(f"u{u}", "a", 1, 1) for u in range(len(lists))], n_items, frame)


def test_coverage_gini_novelty_and_judged_by_hand() -> None:
    scored = with_lists([["a", "b"], ["a", "c"]], n_items=4)
    assert value(scored, "coverage@10") == 3 / 4
    assert value(scored, "coverage@1") == 1 / 4
    # exposures 0, 1, 1, 2: 2 * (1*0 + 2*1 + 3*1 + 4*2) / (4 * 4) - 5 / 4
    assert value(scored, "exposure-gini") == pytest.approx(2 * 13 / 16 - 5 / 4)
    assert value(scored, "novelty@10") == pytest.approx(2.0)
    assert value(scored, "judged@10") == 0.5


def test_equal_exposure_has_no_inequality() -> None:
    assert value(with_lists([["a"], ["b"], ["c"]], 3), "exposure-gini") == pytest.approx(0.0)


def test_lists_shorter_than_k_are_not_stretched() -> None:
    with pytest.raises(UnsupportedError, match="the lists keep 10"):
        value(with_lists([["a"]], 3), "coverage@20")
    with pytest.raises(UnsupportedError, match="without lists"):
        value(worked(), "coverage@10")
