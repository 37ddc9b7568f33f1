"""Labels are checked before a fit."""

from __future__ import annotations

import numpy as np
import pytest

from behavior.examples import examples
from mercer.behavior.labels import checked, in_order
from mercer.contracts import Labelled
from mercer.errors import DataError


def with_outcomes(*outcome) -> Labelled:
    made, _ = examples(len(outcome), 1)
    return Labelled(snapshots=made.snapshots, outcome=np.array(outcome), label_known_at=made.label_known_at)


def test_auto_takes_zeros_and_ones_for_a_probability_and_anything_else_for_an_amount():
    assert checked(with_outcomes(0.0, 1.0), "auto") == "probability"
    assert checked(with_outcomes(0.0, 1.0), "amount") == "amount"
    assert checked(with_outcomes(0.0, 2.0), "auto") == "amount"


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        ((0.0, np.nan), "auto", "1 of 2 outcomes are not finite"),
        ((0.0, 0.5), "probability", "must be 0 or 1"),
        ((-1.0, 5.0), "amount", "1 of 2 amounts are negative"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(outcome, kind, message):
    with pytest.raises(DataError, match=message):
        checked(with_outcomes(*outcome), kind)


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="no labelled row"):
        checked(with_outcomes(1.0).take(np.zeros(0, np.int64)), "auto")


def test_the_canonical_order_is_that_of_the_ids():
    made = with_outcomes(*range(12))
    shuffled = made.take(np.random.default_rng(1).permutation(12))
    assert in_order(shuffled).snapshots.entities == tuple(sorted(made.snapshots.entities))
