"""Times become sizes of gaps, and spans name the end of each history."""

from __future__ import annotations

import numpy as np

from mercer.recommend.sequence.events import GAPS, Events, Spans, sizes
from mercer.testing.handmade import BUY, VIEW, log


def test_sizes_double() -> None:
    assert sizes(np.array([0, 1, 2, 3, 4, 7, 8])).tolist() == [0, 1, 2, 2, 3, 3, 4]
    assert sizes(np.array([10**12])).tolist() == [GAPS - 1]


def test_the_first_event_of_a_person_has_no_gap() -> None:
    events = Events.of(log([(0, 1), (1, 2), (2, 2)], [(3, 50), (1, 52)], n_items=4), ("purchase",))
    day = int(sizes(np.array([24 * 60]))[0])
    assert events.gap.tolist() == [0, day, 0, 0, day + 1]
    assert events.item.tolist() == [0, 1, 2, 3, 1]


def test_without_a_clock_there_is_no_time() -> None:
    events = Events.of(log([(0, 1), (1, 9)], n_items=2, clock=False), ("purchase",))
    assert events.minute.tolist() == [0, 0]
    assert events.gap.tolist() == [0, 0]


def test_kinds_are_numbered_as_the_options_name_them() -> None:
    events = Events.of(log([(0, 1, VIEW), (1, 2, BUY)], n_items=2), ("purchase", "view"))
    assert events.kind.tolist() == [1, 0]


def test_spans_are_the_ends() -> None:
    spans = Spans.ends(log([(0, 1), (1, 2), (2, 3)], [], [(3, 1)], n_items=4), window=2)
    assert spans.first.tolist() == [1, 3, 3]
    assert spans.length.tolist() == [2, 0, 1]
