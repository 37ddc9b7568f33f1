from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.small import holdout
from mercer.contracts import Holdout, Rankings
from mercer.errors import DataError
from mercer.evaluation import score_ranking, score_rankings_file, score_rankings_frame


def held() -> Holdout:
    return holdout([[1], [0, 3]], 5, histories=[[4], [2]], repeats=False)


def test_ranks_are_counted_after_what_the_protocol_rules_out(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    # i4 is in u0's history: the system's second place is the first that counts.
    path.write_text("unit,item,rank\nu0,i4,1\nu0,i1,2\nu1,i0,1\nu1,i1,1\nu1,i3,3\n")
    scored = score_rankings_file(path, held())
    assert scored.rows["rank"].tolist() == [1.0, 1.5, 3.0]
    assert scored.lists is not None
    assert scored.lists["item"].tolist() == ["i1", "i0", "i1", "i3"]


def test_parquet_with_scores_and_the_name_user(tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    pd.DataFrame({"user": ["u0", "u1"], "item": ["i1", "i3"], "score": [0.2, 7.0]}).to_parquet(path)
    assert score_rankings_file(path, held()).rows["rank"].tolist() == [1.0, np.inf, 1.0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_ranker_written_to_a_file_scores_as_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    relevant, histories = ([[int(code)] for code in rng.integers(0, 8, 6)] for _ in range(2))
    target = holdout(relevant, 8, histories=histories, repeats=False)
    scores = rng.integers(0, 4, (6, 8)).astype(np.float32)
    own = score_ranking(target, rank=lambda r, k: Rankings.top_k(scores, k, eligible=r.eligible()), k=8)
    frame = pd.DataFrame(
        [(f"u{u}", f"i{i}", scores[u, i]) for u in range(6) for i in range(8)],
        columns=["unit", "item", "score"],
    )
    theirs = score_rankings_frame(frame, target)
    assert own.rows.equals(theirs.rows)
    assert own.lists is not None
    assert theirs.lists is not None
    assert own.lists["item"].tolist() == theirs.lists["item"].tolist()


def frame(**changes: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"unit": ["u0", "u1"], "item": ["i1", "i3"], "rank": [1, 1], **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": ["u0", "ghost"]}, r"column 'unit': 1 rows are not held-out units \(first rows: 2\)"),
        ({"item": ["i9", "i3"]}, r"column 'item': 1 rows are not in the catalogue \(first rows: 1\)"),
        ({"rank": [1, "first"]}, r"not finite numbers \(first rows: 2\)"),
        ({"unit": ["u0", "u0"], "item": ["i1", "i1"]}, r"items given twice to one unit \(first rows: 2\)"),
    ],
)
def test_what_can_not_be_scored_names_its_rows(changes: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        score_rankings_frame(frame(**changes), held(), name="theirs.csv")


@pytest.mark.parametrize(("column", "message"), [("unit", "no column 'unit'"), ("item", "no column 'item'"),
                                                ("rank", "neither a column 'rank' nor 'score'")])  # fmt: skip
def test_a_missing_column_is_named(column: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        score_rankings_frame(frame().drop(columns=column), held())


def test_no_user_id_is_in_the_message() -> None:
    with pytest.raises(DataError) as caught:
        score_rankings_frame(frame(unit=["u0", "someone@example.org"]), held())
    assert "someone" not in str(caught.value)


def test_missing_and_unreadable_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        score_rankings_file(tmp_path / "none.csv", held())
    (tmp_path / "a.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="can't be read"):
        score_rankings_file(tmp_path / "a.parquet", held())
