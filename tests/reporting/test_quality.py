from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercer.evaluation import Scored
from mercer.reporting.quality import calibration_table, exposure_curve


def probabilities(value: list[float], outcome: list[float]) -> Scored:
    n = len(value)
    rows = pd.DataFrame(
        {"unit": [str(i) for i in range(n)], "cluster": "", "as_of": 0, "value": value, "low": value,
         "high": value, "outcome": outcome, "weight": 1.0}
    )  # fmt: skip
    return Scored(kind="probability", rows=rows)


def test_calibration_bins_hold_equal_counts_and_all_rows() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    table = calibration_table(probabilities(p.tolist(), (rng.random(500) < p).astype(float).tolist()))
    assert table["n"].tolist() == [50] * 10
    assert (table["low"] <= table["observed"]).all()
    assert (table["observed"] <= table["high"]).all()
    assert np.abs(table["predicted"] - table["observed"]).max() < 0.2


def test_equal_predictions_share_one_bin() -> None:
    table = calibration_table(probabilities([0.3] * 20, [0, 1] * 10))
    assert table["n"].tolist() == [20]
    assert table["observed"].tolist() == [0.5]


def test_the_exposure_curve_counts_what_is_never_shown() -> None:
    lists = pd.DataFrame(
        {"unit": "u", "position": 1, "item": ["a", "a", "a", "b"], "score": 0.0, "bits": 0.0}
    )
    rows = pd.DataFrame({"unit": ["u"], "cluster": ["u"], "item": ["a"], "grade": [1.0], "rank": [1.0]})
    curve = exposure_curve(Scored(kind="ranking", rows=rows, lists=lists, n_items=4), points=5)
    assert curve["places"].tolist() == pytest.approx([0, 0, 0, 0.25, 1])
