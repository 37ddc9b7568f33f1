"""What is bought near what, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.language.semantic_ids import VectorOptions
from mercer.language.semantic_ids.cooccurrence import directions, near
from mercer.testing.handmade import log


def counted(*histories: list[tuple[int, int]], n_items: int = 4, **changes: object) -> np.ndarray:
    options = VectorOptions(**{"window": 2, "gap_exponent": 1.0, "backward": 0.5, **changes})
    return near(log(*histories, n_items=n_items), options).toarray()


def test_pairs_fade_with_their_gap_and_count_less_against_the_order() -> None:
    found = counted([(0, 1), (1, 2), (2, 3), (3, 4)])
    assert found[0].tolist() == [0, 1, 0.5, 0]
    assert found[1].tolist() == [0.5, 0, 1, 0.5]
    assert found[3].tolist() == [0, 0.25, 0.5, 0]


def test_a_basket_is_one_step() -> None:
    found = counted([(0, 1), (1, 1), (2, 2)], backward=0.0)
    assert found[0].tolist() == [0, 1, 1, 0]


def test_people_are_not_mixed_and_an_item_is_not_near_itself() -> None:
    assert counted([(0, 1)], [(1, 2)], [(2, 1), (2, 2)]).sum() == 0


def test_directions_put_items_with_the_same_company_together() -> None:
    found = directions(near(_two_circles(), VectorOptions()), 2, seed=1)
    assert found.shape == (9, 2)
    cosine = found @ found.T
    assert cosine[0, 1] > 0.9
    assert abs(cosine[0, 4]) < 0.3
    assert not found[8].any(), "an item without events has no direction"
    assert np.linalg.norm(found[0]) == pytest.approx(1, abs=1e-5)


def _two_circles() -> object:
    return log(
        *([(base + (start + step) % 4, step) for step in range(4)] for base in (0, 4) for start in range(4)),
        n_items=9,
    )
