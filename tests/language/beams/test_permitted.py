"""Permitted: a node leads on exactly where something permitted lies below it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import Ragged
from mercer.errors import UsageError
from mercer.language.beams import Prefixes

from .small import SIZES, allowed, allowed_quickly, catalogue, rules


@settings(max_examples=80, deadline=None)
@given(n_items=st.integers(1, 40), n=st.integers(1, 6), seed=st.integers(0, 9_999))
def test_a_node_leads_on_where_something_permitted_lies_below(n_items, n, seed):
    rng = np.random.default_rng(seed)
    tree = Prefixes.of(catalogue(n_items, rng), SIZES)
    given_ = rules(n, n_items, rng)
    wanted = allowed(n, n_items, **given_)
    assert (wanted == allowed_quickly(n, n_items, **given_)).all()
    rows = rng.permutation(n)[: rng.integers(1, n + 1)]
    living = tree.permitted(n, **given_).block(rows)
    for depth, nodes in enumerate(tree.depths):
        request, node = (grid.ravel() for grid in np.meshgrid(np.arange(len(rows)), np.arange(len(nodes))))
        leads = living.leads(depth, request, node)
        for place, number, found in zip(request, node, leads, strict=True):
            below = tree.item[nodes.leaves[number] : nodes.leaves[number + 1]]
            assert found == wanted[rows[place], below].any()


def test_what_all_share_costs_nothing_a_request():
    tree = Prefixes.of(catalogue(200, np.random.default_rng(0)), SIZES)
    living = tree.permitted(1_000, available=np.arange(200) % 2 == 0).block(np.arange(1_000))
    assert not any(len(keys) for keys in (*living.dead, *living.alive))


def test_differences_are_as_long_as_the_lists():
    tree = Prefixes.of(catalogue(200, np.random.default_rng(0)), SIZES)
    short = Ragged.from_rows([[row % 200, 7] for row in range(500)])
    denied = tree.permitted(500, deny=[short]).block(np.arange(500))
    listed = tree.permitted(500, allow=[short]).block(np.arange(500))
    for keys in (*denied.dead, *listed.alive):
        assert len(keys) <= len(short.values)
    assert not any(len(keys) for keys in (*denied.alive, *listed.dead))


def test_rules_of_another_shape_are_refused():
    tree = Prefixes.of(catalogue(5, np.random.default_rng(0)), SIZES)
    with pytest.raises(UsageError, match=r"`available` is bool of the shape \(4,\)"):
        tree.permitted(2, available=np.ones(4, bool))
    with pytest.raises(UsageError, match=r"`available` is int64"):
        tree.permitted(2, available=np.arange(5))
    with pytest.raises(UsageError, match=r"`mask` is bool of the shape \(3, 5\)"):
        tree.permitted(2, mask=np.ones((3, 5), bool))
    with pytest.raises(UsageError, match=r"`allow` has 3 rows for 2 requests"):
        tree.permitted(2, allow=[Ragged.from_rows([[1]] * 3)])
    with pytest.raises(UsageError, match=r"`deny` names item 5, and the tree has 5 items"):
        tree.permitted(1, deny=[Ragged.from_rows([[5]])])
