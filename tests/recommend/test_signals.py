from __future__ import annotations

import pytest
from pydantic import ValidationError

from mercer.recommend.signals import SignalOptions, signals
from mercer.testing.handmade import BUY, VIEW, log

EVENTS = log([(0, 1, VIEW), (0, 1, BUY)], [(1, 1, VIEW)], n_items=2)


def test_only_purchases_speak_by_default() -> None:
    heard, weights = signals(EVENTS, SignalOptions())
    assert heard.item.tolist() == [0]
    assert heard.lengths.tolist() == [1, 0]
    assert weights.tolist() == [1.0]


def test_kinds_have_weights() -> None:
    heard, weights = signals(EVENTS, SignalOptions(kinds=("view", "purchase"), kind_weights={"view": 0.25}))
    assert heard is EVENTS
    assert weights.tolist() == [0.25, 1.0, 0.25]


def test_a_log_without_the_kind_is_silent() -> None:
    heard, weights = signals(EVENTS, SignalOptions(kinds=("cart",)))
    assert heard.n_events == len(weights) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kinds": ()}, "at least 1 item"),
        ({"kind_weights": {"view": 1.0}}, "kind_weights names 'view', which is not in kinds"),
        ({"kind_weights": {"purchase": 0.0}}, "greater than 0"),
        ({"kind_weights": {"purchase": float("inf")}}, "finite"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SignalOptions.model_validate(options)
