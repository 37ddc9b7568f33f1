from __future__ import annotations

from dataclasses import replace

import numpy as np

from mercer.recommend.steps import ages, steps
from mercer.testing.handmade import log


def test_a_basket_is_one_step() -> None:
    events = log([(0, 1), (1, 1), (2, 5)], [], [(0, 1), (1, 2)], n_items=3)
    assert steps(events).tolist() == [0, 0, 1, 0, 1]
    assert ages(events).tolist() == [1, 1, 0, 1, 0]


def test_an_instant_is_one_step_without_a_basket_too() -> None:
    events = log([(0, 1), (1, 1), (2, 2)], n_items=3)
    assert steps(replace(events, basket=np.full(3, -1))).tolist() == [0, 0, 1]


def test_one_basket_at_two_instants_is_one_step() -> None:
    events = log([(0, 1), (1, 2)], n_items=2)
    assert steps(replace(events, basket=np.array([7, 7]))).tolist() == [0, 0]


def test_positions_are_steps_where_there_is_no_clock() -> None:
    events = log([(0, 0), (1, 0), (2, 1)], n_items=3, clock=False)
    assert steps(events).tolist() == [0, 1, 2]


def test_no_events() -> None:
    events = log([], [], n_items=2)
    assert steps(events).tolist() == ages(events).tolist() == []
