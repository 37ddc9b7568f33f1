from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.small import holdout, labelled, predictions
from mercer.contracts import Predictions
from mercer.errors import DamagedError, DataError
from mercer.evaluation import Scored, Slices, score_predictions, score_ranking


def test_rankings_come_back_as_saved(tmp_path: Path) -> None:
    held = holdout([[1], [2, 0]], 4, histories=[[0], [1]])
    scored = score_ranking(
        held,
        score=lambda r: np.tile(np.arange(4, dtype=np.float32), (len(r), 1)),
        slices=Slices(unit={"country": ["UK", ""]}),
    )
    path = tmp_path / "most-popular.test.train.parquet"
    scored.save(path)
    again = Scored.load(path)
    pd.testing.assert_frame_equal(again.rows, scored.rows)
    pd.testing.assert_frame_equal(again.lists, scored.lists)
    assert (again.kind, again.n_items, again.depth) == ("ranking", 4, 10)
    assert again.slices == {"country": ["UK"]}
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "most-popular.test.train.lists.parquet",
        "most-popular.test.train.parquet",
    ]


def test_predictions_come_back_as_saved_also_without_a_cut_off(tmp_path: Path) -> None:
    scored = predictions([0.1, 0.2], [0, 1])
    scored.rows["as_of"] = np.array([1_600_000_000_000_000, np.iinfo(np.int64).min])
    scored.save(tmp_path)
    again = Scored.load(tmp_path)
    pd.testing.assert_frame_equal(again.rows, scored.rows)
    assert again.lists is None


def test_times_at_rest_are_microseconds_without_zone(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    predictions([0.1], [0]).save(tmp_path / "a.parquet")
    assert pq.read_schema(tmp_path / "a.parquet").field("as_of").type == pa.timestamp("us")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(DamagedError, match=r"a\.parquet does not hold scored rows"):
        Scored.load(path)
    pd.DataFrame({"unit": ["u"]}).to_parquet(path)
    with pytest.raises(DamagedError, match="does not hold scored rows"):
        Scored.load(path)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="no column 'cluster'"):
        Scored(kind="ranking", rows=pd.DataFrame({"unit": ["u"]}))


def test_predictions_are_put_beside_outcomes() -> None:
    value = np.array([0.2, 0.9])
    scored = score_predictions(
        labelled([0, 1]), Predictions(value, value - 0.1, value + 0.1), kind="probability",
        slices=Slices(unit={"history": ["new", "old"]}),
    )  # fmt: skip
    assert scored.rows["unit"].tolist() == ["c0", "c1"]
    assert scored.rows["outcome"].tolist() == [0.0, 1.0]
    assert scored.slices == {"history": ["new", "old"]}


@pytest.mark.parametrize("wrong", [np.nan, 1.5, -0.1])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    value = np.array([0.5, wrong])
    with pytest.raises(DataError, match=r"1 predictions are not .* \(first: row 1\)"):
        score_predictions(labelled([0, 1]), Predictions(value, value, value), kind="probability")
