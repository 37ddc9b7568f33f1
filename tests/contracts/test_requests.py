from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mercer.contracts import Context, Interactions, Ragged, Requests, Vocabulary
from mercer.testing.small_shop import log_of

ITEMS = Vocabulary(["i0", "i1", "i2", "i3"])


@pytest.fixture
def requests() -> Requests:
    """Two people: one bought i0 and i1, the other nothing."""
    history = log_of([(0, 0, 1, 1, 0), (0, 1, 2, 1, 1)], Vocabulary(["u0", "u1"]), ITEMS)
    return Requests(users=("u0", None), history=history, time=np.array([5, 6]), context=Context.unknown(2))


def eligible(requests: Requests) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in requests.eligible()]


def test_without_rules_the_catalogue_is_eligible(requests: Requests) -> None:
    assert eligible(requests) == [[0, 1, 2, 3]] * 2


def test_rules_intersect(requests: Requests) -> None:
    ruled = replace(
        requests,
        candidates=Ragged.from_rows([[0, 1, 2], [3]]),
        allow=Ragged.from_rows([[1, 2, 3], [3]]),
        deny=Ragged.from_rows([[2], []]),
    )
    assert eligible(ruled) == [[1], [3]]


def test_an_empty_allow_list_allows_nothing(requests: Requests) -> None:
    assert eligible(replace(requests, allow=Ragged.from_rows([[], [2]]))) == [[], [2]]


@pytest.mark.parametrize(("rule", "left"), [("allow", []), ("candidates", []), ("deny", [0, 1, 2, 3])])
def test_an_id_the_catalogue_does_not_know_names_no_item(
    requests: Requests, rule: str, left: list[int]
) -> None:
    unknown = Ragged.from_rows([[-1], [-1]])
    assert eligible(replace(requests, **{rule: unknown})) == [left, left]


def test_the_history_is_masked_where_repeats_are_unwanted(requests: Requests) -> None:
    assert eligible(replace(requests, repeats=False)) == [[2, 3], [0, 1, 2, 3]]


def test_what_was_only_looked_at_stays_eligible() -> None:
    users = Vocabulary(["u0"])
    history = replace(
        log_of([(0, 0, 1, 1, 0), (0, 1, 2, 0, 1), (0, 2, 3, 2, 2)], users, ITEMS),
        kinds=("view", "purchase", "cart"),
    )
    requests = Requests(
        users=("u0",), history=history, time=np.array([5]), context=Context.unknown(1), repeats=False
    )
    assert eligible(requests) == [[1, 2, 3]]
    assert eligible(replace(requests, mask_kinds=("purchase", "cart"))) == [[1, 3]]
    assert eligible(replace(requests, mask_kinds=("view",))) == [[0, 2, 3]]
    assert eligible(replace(requests, mask_kinds=("rent",))) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("signal", ["opt_out", "objected", "not_profiled"])
def test_each_signal_hides_the_history_and_its_mask(requests: Requests, signal: str) -> None:
    context = replace(Context.unknown(2), **{signal: np.array([True, False])})
    hidden = replace(requests, context=context, repeats=False)
    assert hidden.visible_history.n_events == 0
    assert hidden.history.n_events == 2
    assert eligible(hidden)[0] == [0, 1, 2, 3]


def test_take_carries_everything_along(requests: Requests) -> None:
    full = replace(
        requests,
        query=("mug", "lamp"),
        pin=Ragged.from_rows([[3], [2]]),
        context=replace(Context.unknown(2), jurisdiction=("UK", "EU"), age=np.array([30, -1], np.int16)),
    )
    turned = full.take([1, 0])
    assert turned.users == (None, "u0")
    assert turned.time.tolist() == [6, 5]
    assert turned.query == ("lamp", "mug")
    assert turned.pin is not None
    assert turned.pin[0].tolist() == [2]
    assert turned.context.jurisdiction == ("EU", "UK")
    assert turned.context.age.tolist() == [-1, 30]
    assert turned.history.lengths.tolist() == [0, 2]
    assert turned.allow is None


@pytest.mark.parametrize(("size", "lengths"), [(1, [1, 1]), (2, [2]), (5, [2])])
def test_blocks_cover_the_batch_in_order(requests: Requests, size: int, lengths: list[int]) -> None:
    blocks = requests.blocks(size)
    assert [len(block) for block in blocks] == lengths
    assert [user for block in blocks for user in block.users] == ["u0", None]


def test_an_empty_batch_has_no_block(requests: Requests) -> None:
    nobody = requests.take([])
    assert nobody.blocks() == []
    assert nobody.eligible().shape == (0, 4)
    assert isinstance(nobody.history, Interactions)
