from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mercer.contracts import Ragged, gather

rows = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


def test_rows_lie_end_to_end() -> None:
    ragged = Ragged.from_rows([[3, 1], [], [2]])
    assert ragged.indptr.tolist() == [0, 2, 2, 3]
    assert ragged.values.tolist() == [3, 1, 2]
    assert ragged.lengths.tolist() == [2, 0, 1]
    assert ragged.row_of.tolist() == [0, 0, 2]
    assert ragged[2].tolist() == [2]


def test_no_rows_at_all() -> None:
    empty = Ragged.from_rows([])
    assert len(empty) == 0
    assert empty.values.dtype == np.int32


@given(rows, st.data())
def test_take_picks_rows_as_a_list_does(content: list[list[int]], data: st.DataObject) -> None:
    picks = data.draw(st.lists(st.integers(0, len(content) - 1), max_size=9)) if content else []
    taken = Ragged.from_rows(content).take(np.array(picks, np.int64))
    assert [taken[row].tolist() for row in range(len(taken))] == [content[pick] for pick in picks]


def test_gather_gives_flat_positions() -> None:
    picked, index = gather(np.array([0, 2, 2, 5]), np.array([2, 0, 1]))
    assert picked.tolist() == [0, 3, 5, 5]
    assert index.tolist() == [2, 3, 4, 0, 1]
