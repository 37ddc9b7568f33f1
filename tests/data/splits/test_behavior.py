"""Cut-offs with a horizon: labels of single people worked out by hand, and which cut-offs train.

Unless a test says otherwise the horizon is ten days, the only test cut-off is the midnight before day 200 and the
decision is taken on day 260, so that what the test window's labels knew can be told from what it holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.splits import Event, at, day, log
from mercer.brief import BehaviorTarget
from mercer.contracts import Labelled
from mercer.data.audit import audit_leakage
from mercer.data.splits import BehaviorSplit, split_behavior
from mercer.data.splits.days import DAY
from mercer.errors import BriefError, DataError

ZOE = [Event("zoe", "tea", 0, amount=100)]
"""The log's first event: it lets cut-offs be stepped back to day 28."""


def target(**changes: Any) -> BehaviorTarget:
    content = {"task": "behavior", "horizon_days": 10, "origins": [day(200)], **changes}
    return BehaviorTarget(**content)


def divided(*events: Event, decided: int = 260, **changes: Any) -> BehaviorSplit:
    return split_behavior(log(*ZOE, *events), target(**changes), day(decided))


def labels(part: Labelled) -> dict[str, float]:
    """The outcome of each person; for parts with one cut-off."""
    assert len(set(part.snapshots.entities)) == len(part)
    return dict(zip(part.snapshots.entities, part.outcome.tolist(), strict=True))


def cut_days(part: Labelled) -> list[float]:
    """The days that a part's cut-offs are the last microsecond before."""
    return sorted({(int(cut) + 1 - at(0)) / DAY for cut in part.snapshots.as_of})


def ann(*more: Event, **changes: Any) -> float:
    """Ann bought on day 100, so that she is in the population; `more` is hers, too."""
    first = Event("ann", "mug", 100, amount=5_000)
    return labels(divided(first, *more, **changes).test)["ann"]


def test_a_purchase_in_the_window_is_a_repurchase() -> None:
    assert ann(Event("ann", "cup", 205)) == 1
    assert ann() == 0
    assert ann(Event("ann", "cup", 199)) == 0
    assert ann(Event("ann", "cup", 205, kind="view")) == 0
    assert ann(Event("bob", "cup", 205)) == 0


def test_the_window_begins_at_its_first_midnight_and_ends_before_the_last() -> None:
    micro = 1 / DAY
    assert ann(Event("ann", "cup", 200)) == 1
    assert ann(Event("ann", "cup", 200 - micro)) == 0
    # (as_of, as_of + horizon] with as_of a microsecond before midnight: the end counts, midnight after it does not.
    assert ann(Event("ann", "cup", 210 - micro)) == 1
    assert ann(Event("ann", "cup", 210)) == 0


def test_an_amount_is_the_sum_of_the_window() -> None:
    bought = [Event("ann", "cup", 202, amount=700), Event("ann", "pan", 209, amount=300)]
    outside = [Event("ann", "jam", 190, amount=9), Event("ann", "jam", 211, amount=9)]
    assert ann(*bought, *outside, kind="amount") == 1_000


def returned(known: float, *, bought: float = 202, when: float = 206) -> list[Event]:
    return [
        Event("ann", "cup", 202, amount=700),
        Event("ann", "cup", when, kind="return", origin=bought, known=known, amount=-400),
    ]


def test_a_return_known_before_the_decision_lowers_net_spend_even_after_the_window() -> None:
    assert ann(*returned(206), kind="amount") == 300
    assert ann(*returned(255, when=250), kind="amount") == 300
    # The last microsecond of the decision day is known, the next day is not.
    assert ann(*returned(261 - 1 / DAY), kind="amount") == 300
    assert ann(*returned(261), kind="amount") == 700


def test_gross_spend_ignores_returns() -> None:
    assert ann(*returned(206), kind="amount", net=False) == 700


def test_a_return_of_an_earlier_purchase_does_not_count() -> None:
    assert ann(*returned(206, bought=100), kind="amount") == 700


def test_a_return_without_a_purchase_in_the_log_does_not_count() -> None:
    stray = Event("ann", "cup", 206, kind="return", amount=-400)
    assert ann(Event("ann", "cup", 202, amount=700), stray, kind="amount") == 700


def test_net_spend_is_never_below_nothing() -> None:
    more_back = Event("ann", "cup", 206, kind="return", origin=202, amount=-900)
    assert ann(Event("ann", "cup", 202, amount=700), more_back, kind="amount") == 0


def test_a_return_is_no_repurchase() -> None:
    assert ann(Event("ann", "mug", 205, kind="return", origin=100, amount=-5_000)) == 0


def test_a_purchase_that_the_decision_did_not_know_is_no_label() -> None:
    assert ann(Event("ann", "cup", 205, known=260.9)) == 1
    assert ann(Event("ann", "cup", 205, known=261)) == 0


def test_the_population_is_who_was_known_to_have_bought() -> None:
    events = [
        Event("bob", "mug", 100),
        Event("looker", "mug", 100, kind="view"),
        Event("late", "mug", 199, known=200),
        Event("new", "mug", 204),
    ]
    assert set(labels(divided(*events).test)) == {"zoe", "bob"}
    assert set(labels(divided(*events, event="view").test)) == {"looker"}


def test_training_cut_offs_step_back_from_the_validation_window() -> None:
    split = divided()
    # Validation closes where the test opens, training closes where validation opens, then steps of 28 days.
    assert cut_days(split.test) == [200]
    assert cut_days(split.validation) == [190]
    assert cut_days(split.train) == [40, 68, 96, 124, 152, 180]
    assert split.protocol["origins"]["test"] == [str(day(200))]


def test_long_horizons_step_by_a_third_of_themselves() -> None:
    split = divided(horizon_days=93, origins=[day(310)], decided=403)
    assert cut_days(split.validation) == [217]
    assert cut_days(split.train) == [31, 62, 93, 124]


def test_a_label_delay_moves_every_earlier_cut_off() -> None:
    split = divided(label_delay_days=5)
    assert cut_days(split.validation) == [185]
    assert max(cut_days(split.train)) == 170
    known = (split.train.label_known_at - split.train.snapshots.as_of) / DAY
    assert set(known.tolist()) == {15}


def test_without_origins_the_test_window_closes_with_the_decision_day() -> None:
    split = divided(origins=[], decided=209)
    assert cut_days(split.test) == [200]
    late = divided(origins=[], decided=209, label_delay_days=5)
    assert cut_days(late.test) == [195]


def test_several_test_cut_offs_label_the_same_person_several_times() -> None:
    events = [Event("ann", "mug", 100), Event("ann", "cup", 203)]
    test = divided(*events, origins=[day(195), day(205)]).test
    assert _of(test, "ann", 195) == 1
    assert _of(test, "ann", 205) == 0
    assert len(test) == 4


def test_every_history_ends_at_its_own_cut_off() -> None:
    events = [Event("ann", "mug", 100), Event("ann", "cup", 150), Event("ann", "jam", 120, known=181)]
    train = divided(*events).train
    ids = train.snapshots.history.items.ids
    seen = {
        (int(cut) + 1 - at(0)) // DAY: [ids[code] for code in train.snapshots.history.item_rows[n]]
        for n, (who, cut) in enumerate(zip(train.snapshots.entities, train.snapshots.as_of, strict=True))
        if who == "ann"
    }
    assert seen == {124: ["mug"], 152: ["mug", "cup"], 180: ["mug", "cup"]}


def test_a_return_known_after_the_next_cut_reaches_no_label_before_it() -> None:
    bought = Event("ann", "cup", 182, amount=700)  # in the window of the training cut-off on day 180

    def spent(known: float) -> tuple[float, float]:
        back = Event("ann", "cup", 185, kind="return", origin=182, known=known, amount=-700)
        split = divided(Event("ann", "mug", 150, amount=1), bought, back, kind="amount")
        return _of(split.train, "ann", 180), _of(split.refit, "ann", 180)

    assert spent(185) == (0, 0)
    assert spent(195) == (700, 0)  # validation did not know it; the refit, at the first test cut-off, did
    assert spent(200) == (700, 700)


def _of(part: Labelled, who: str, cut: int) -> float:
    place = [
        n
        for n, (entity, as_of) in enumerate(zip(part.snapshots.entities, part.snapshots.as_of, strict=True))
        if entity == who and as_of == at(cut) - 1
    ]
    assert len(place) == 1
    return float(part.outcome[place[0]])


def test_the_refit_holds_what_trained_and_what_validated_and_knows_its_labels() -> None:
    split = divided(Event("ann", "mug", 100))
    assert cut_days(split.refit) == [*cut_days(split.train), 190]
    assert (split.refit.label_known_at < at(200)).all()
    assert (split.train.label_known_at < at(190)).all()
    assert audit_leakage(split) > 0


def test_a_log_too_short_for_three_windows_is_an_error() -> None:
    # The last training cut-off lies on day 180; one step of 28 days of log must lie before it.
    late = Event("ann", "mug", 153)
    with pytest.raises(DataError, match="too late for training") as caught:
        split_behavior(log(late), target(), day(260))
    assert "shorter horizon_days" in caught.value.remedy
    assert cut_days(split_behavior(log(Event("ann", "mug", 152)), target(), day(260)).train) == [180]


def test_a_test_window_that_the_decision_day_cuts_is_an_error() -> None:
    with pytest.raises(DataError, match="only after the decision day") as caught:
        divided(decided=208)
    assert str(day(199)) in caught.value.remedy
    assert divided(decided=209).test is not None
    with pytest.raises(DataError, match="only after the decision day"):
        divided(decided=209, label_delay_days=1)


def test_a_kind_that_the_log_does_not_hold_is_an_error() -> None:
    with pytest.raises(DataError, match="no event of kind 'subscribe'"):
        divided(event="subscribe")


@pytest.mark.parametrize("change", [{"label": "examples"}, {"entity": "payer"}])
def test_labels_from_elsewhere_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(BriefError, match="not supported"):
        divided(**change)


events = st.lists(
    st.builds(
        lambda user, when, late, amount: Event(user, "mug", when, known=when + late, amount=amount),
        st.sampled_from(["ann", "bob"]),
        st.integers(0, 259),
        st.sampled_from([0, 0, 3, 40]),
        st.integers(0, 500),
    ),
    max_size=20,
)


@given(events, st.sampled_from(["probability", "amount"]), st.integers(1, 30), st.integers(0, 9))
def test_nothing_is_known_early_whatever_the_log(
    drawn: list[Event], kind: str, horizon: int, delay: int
) -> None:
    split = divided(*drawn, kind=kind, horizon_days=horizon, label_delay_days=delay)
    assert audit_leakage(split) > 0
    for part in (split.train, split.validation, split.refit, split.test):
        past = part.snapshots.history
        assert (past.known_at <= np.repeat(part.snapshots.as_of, past.lengths)).all()
        assert (past.lengths > 0).all()
    assert set(cut_days(split.train)) <= set(cut_days(split.refit))
    assert max(cut_days(split.refit)) + horizon + delay == 200
