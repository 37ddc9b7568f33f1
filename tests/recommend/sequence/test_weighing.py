"""The counted term weighs in answers what held-out requests choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from mercer.contracts import Holdout, Requests, Runtime
from mercer.recommend.sequence import Sasrec
from mercer.recommend.sequence.weighing import FACTORS, Parts, best, by_factor
from mercer.testing.handmade import dataset, log, requests, scores
from mercer.testing.small_shop import every_row, small_dataset, small_holdout

QUICK: dict[str, Any] = {"width": 8, "epochs": 1, "content": (), "estimate_steps": 0, "batch_tokens": 256}


def parts(counted: float, network: float, n_items: int) -> Any:
    """Requests whose answer the counts know (an item of the first half) and the network takes for the item after."""

    def of(asked: Requests) -> list[Parts]:
        n = len(asked)
        logits = np.zeros((n, n_items), np.float32)
        logits[:, 1] = network
        near = csr_array(
            (np.full(n, counted, np.float32), np.zeros(n, int), np.arange(n + 1)), shape=(n, n_items)
        )
        return [Parts(logits, near, np.zeros(n, bool), np.zeros(n_items, np.float32))]

    return of


def test_the_least_factor_that_puts_the_answers_first_is_chosen() -> None:
    asked = requests(log(*[[(2, 0)]] * 300, n_items=4))
    units = tuple(f"unit-{row}" for row in range(300))
    held = Holdout(
        requests=asked, relevant=every_row([0], 300), grades=np.ones(300), units=units, clusters=units
    )
    n_items = len(held.requests.items)
    found = by_factor(held, parts(1.0, 1.7, n_items), {factor: factor for factor in FACTORS})
    assert best(found) == 2.0
    assert found[2.0] == pytest.approx(1.0)
    assert found[1.0] < 1.0


def test_the_first_of_equals_is_taken() -> None:
    assert best({1.0: 0.5, 2.0: 0.5, 0.5: 0.4}) == 1.0


def test_weighing_leaves_the_logits_alone() -> None:
    [one] = parts(1.0, 1.0, 4)(requests(log([(0, 0)], n_items=4)))
    one.joined(3.0, keep=True)
    assert one.logits[0].tolist() == [0, 1, 0, 0]
    assert one.joined(3.0)[0].tolist() == [3, 1, 0, 0]


@pytest.mark.parametrize("factor", [None, 3.0])
def test_a_fit_keeps_what_was_chosen(factor: float | None) -> None:
    made = Sasrec(Sasrec.Options(**QUICK, factor=factor))
    train = small_dataset()
    made.fit(train, validation=small_holdout(train, "recommend"), seed=1, runtime=Runtime(threads=1))
    assert (
        float(made.state["factor"][0]) == pytest.approx(factor)
        if factor
        else made.chosen["factor"] in FACTORS
    )
    alone = Sasrec(Sasrec.Options(**QUICK)).fit(small_dataset(), seed=1, runtime=Runtime(threads=1))
    assert alone.chosen == {"factor": FACTORS[0]}


def test_the_whole_history_is_counted_and_the_window_is_read() -> None:
    rows = [[(0, 0), (1, 1), (2, 2), (3, 3)]] * 20
    train = dataset(log(*rows, n_items=6, clock=False), repeats=True)
    made = Sasrec(Sasrec.Options(**QUICK, window=1)).fit(train, seed=1, runtime=Runtime(threads=1))
    long, short = scores(made, requests(log([(0, 0), (4, 1)], [(4, 1)], n_items=6, clock=False)))
    assert long[1] > short[1]
    assert long[5] == short[5]


def test_late_questions_weigh_more() -> None:
    rows = [[(0, 0), (1, 10)]] * 4 + [[(0, 60), (2, 70)]] * 4
    train = dataset(log(*rows, n_items=3), as_of_day=100)
    weights = {}
    for half_life in (None, 60.0):
        made = Sasrec(Sasrec.Options(**QUICK, half_life_days=half_life))
        lessons = made._lessons(train, train.interactions, np.ones(train.interactions.n_events))
        weights[half_life] = dict(zip(lessons.answer.tolist(), lessons.weight.tolist(), strict=True))
    assert weights[None] == {1: 1.0, 2: 1.0}
    assert weights[60.0] == pytest.approx({1: 0.5, 2: 1.0})
