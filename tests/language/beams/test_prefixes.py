"""Prefixes: the tree holds the paths of the catalogue and no other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import UsageError
from mercer.language.beams import Prefixes

from .small import SIZES, catalogue


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 60), seed=st.integers(0, 99))
def test_the_tree_holds_every_prefix_once_and_nothing_else(n, seed):
    codes = catalogue(n, np.random.default_rng(seed))
    tree = Prefixes.of(codes, SIZES)
    paths = [()] if n else []
    for depth in range(len(SIZES) + 1):
        nodes = tree.depths[depth]
        assert sorted(set(paths)) == paths == sorted({tuple(row[:depth]) for row in codes.tolist()})
        for number, path in enumerate(paths):
            below = tree.item[nodes.leaves[number] : nodes.leaves[number + 1]]
            assert {tuple(row[:depth]) for row in codes[below].tolist()} == {path}
        if depth < len(SIZES):
            token = tree.depths[depth + 1].token
            paths = [
                (*path, int(token[child]))
                for number, path in enumerate(paths)
                for child in range(nodes.children[number], nodes.children[number + 1])
            ]
    assert [tuple(row) for row in codes[tree.item].tolist()] == paths
    assert (tree.item[tree.leaf] == np.arange(n)).all()


def test_a_hundred_thousand_items_make_small_arrays():
    sizes = (256, 256, 256, 4)
    rng = np.random.default_rng(0)
    codes = np.unique(np.stack([rng.integers(0, size, 100_000) for size in sizes], 1), axis=0).astype(
        np.int32
    )
    tree = Prefixes.of(codes, sizes)
    held = sum(getattr(depth, name).nbytes for depth in tree.depths for name in depth.__slots__)
    assert held < 60 * len(codes)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]], r"Items 0 and 2 have the same path"),
        ([[0, 0, 0, 0], [0, 5, 0, 0]], r"Item 1 has token 5 at position 1, which knows 0 to 4"),
        ([[0, -1, 0, 0]], r"Item 0 has token -1"),
        ([[0, 0, 0]], r"shape \(1, 3\), and there are 4 positions"),
    ],
)
def test_other_paths_are_refused(codes, said):
    with pytest.raises(UsageError, match=said):
        Prefixes.of(np.array(codes, np.int32), SIZES)
