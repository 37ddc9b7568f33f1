from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.contracts import ITEM_COLUMNS, Holdout, Labelled, Predictions, Ragged, Snapshots
from mercer.testing.small_shop import small_catalogue, small_dataset, small_holdout, small_log


def test_the_item_frame_has_the_columns_promised() -> None:
    assert set(ITEM_COLUMNS) <= set(small_dataset().items.columns)


def test_a_holdout_keeps_grades_with_their_items() -> None:
    whole = small_holdout(small_dataset(), "search")
    relevant = Ragged.from_rows([[1, 2], [], [3], *[[4]] * 5])
    graded = Holdout(
        requests=whole.requests,
        relevant=relevant,
        grades=np.array([2.0, 0.0, 1.0, *[3.0] * 5]),
        units=whole.units,
        clusters=whole.clusters,
    )
    picked = graded.take(np.array([2, 0, 1]))
    assert [picked.relevant[row].tolist() for row in range(3)] == [[3], [1, 2], []]
    assert picked.grades.tolist() == [1.0, 2.0, 0.0]
    assert picked.units == ("unit-2", "unit-0", "unit-1")
    assert len(picked) == 3
    assert picked.requests.query == tuple(whole.requests.query[row] for row in (2, 0, 1))


def test_labelled_snapshots_stay_aligned() -> None:
    vocabulary, _ = small_catalogue()
    log = small_log(vocabulary, n_users=3)
    snapshots = Snapshots(
        entities=("a", "b", "a"),
        as_of=np.array([1, 2, 3]),
        history=log,
        columns=pd.DataFrame({"x": [10, 20, 30]}),
    )
    labelled = Labelled(
        snapshots=snapshots, outcome=np.array([0.0, 1.0, 0.0]), label_known_at=np.array([4, 5, 6])
    )
    picked = labelled.take(np.array([2, 1]))
    assert picked.snapshots.entities == ("a", "b")
    assert picked.snapshots.as_of.tolist() == [3, 2]
    assert picked.snapshots.columns is not None
    assert picked.snapshots.columns["x"].tolist() == [30, 20]
    assert picked.snapshots.columns.index.tolist() == [0, 1]
    assert picked.snapshots.history.lengths.tolist() == [log.lengths[2], log.lengths[1]]
    assert picked.outcome.tolist() == [0.0, 1.0]
    assert picked.label_known_at.tolist() == [6, 5]
    assert len(picked) == len(picked.snapshots) == 2


def test_predictions_are_taken_by_row() -> None:
    values = np.array([0.1, 0.2, 0.3])
    picked = Predictions(values, values - 0.1, values + 0.1).take(np.array([2]))
    assert picked.value.tolist() == [0.3]
    assert picked.low.tolist() == [0.3 - 0.1]
    assert picked.high.tolist() == [0.3 + 0.1]
