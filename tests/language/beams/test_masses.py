"""Masses: with a model that says nothing an item's probability is its share; rules change no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mercer.contracts import Ragged
from mercer.errors import UsageError
from mercer.language.beams import Prefixes, beam_search
from mercer.language.beams.masses import Masses
from mercer.language.beams.steps import Floats32, Int32s

CODES = np.unique(np.random.default_rng(4).integers(0, 5, (60, 3)), axis=0).astype(np.int32)
SIZES = (5, 5, 5)
N = len(CODES)
PROMPTS = [np.zeros(1, np.int32)] * 3


class Silent:
    """A model to which every token is as likely as every other."""

    def begin(self, prompts: Sequence[Int32s], *, width: int, steps: int) -> tuple[Any, Floats32]:
        return [0], np.full((len(prompts), 1, SIZES[0]), -np.log(SIZES[0]), np.float32)

    def step(self, state: Any, parents: Int32s, tokens: Int32s, nodes: Int32s) -> Floats32:
        state[0] += 1
        return np.full((*tokens.shape, SIZES[state[0]]), -np.log(SIZES[state[0]]), np.float32)

    def bytes_a_request(self, tokens: int, *, width: int, steps: int) -> int:
        return 1


@pytest.fixture(scope="module")
def prefixes() -> Prefixes:
    return Prefixes.of(CODES, SIZES)


@pytest.fixture(scope="module")
def mass() -> np.ndarray:
    return np.random.default_rng(5).gamma(0.3, 1.0, (3, N)).astype(np.float32) + 1e-3


def test_a_silent_model_answers_by_mass(prefixes: Prefixes, mass: np.ndarray) -> None:
    found = beam_search(Silent(), PROMPTS, prefixes, width=N, k=N, among_children=True, mass=mass)
    share = mass / mass.sum(axis=1, keepdims=True)
    for row in range(3):
        np.testing.assert_allclose(
            np.exp(found.log_probability[row]), share[row, found.items[row]], rtol=1e-4
        )
        assert found.items[row, 0] == share[row].argmax()


def test_rules_change_no_probability(prefixes: Prefixes, mass: np.ndarray) -> None:
    allow = Ragged.from_rows([np.arange(0, N, 7), np.arange(3), []])
    rules = prefixes.permitted(3, allow=[allow])
    whole = beam_search(Silent(), PROMPTS, prefixes, width=N, k=N, among_children=True, mass=mass)
    some = beam_search(
        Silent(), PROMPTS, prefixes, width=N, k=N, among_children=True, mass=mass, permitted=rules
    )
    for row in range(3):
        known = dict(zip(whole.items[row].tolist(), whole.log_probability[row].tolist(), strict=True))
        got = [item for item in some.items[row].tolist() if item >= 0]
        assert sorted(got) == sorted(allow[row].tolist())
        for item, score in zip(got, some.log_probability[row].tolist(), strict=False):
            assert score == pytest.approx(known[item], abs=1e-5)


def test_equal_masses_count_items(prefixes: Prefixes) -> None:
    made = Masses.of(prefixes, np.ones((1, N)))
    for depth in range(4):
        nodes = np.arange(len(prefixes.depths[depth]))
        below = np.diff(prefixes.depths[depth].leaves)
        np.testing.assert_allclose(
            np.exp(made.log_below(np.zeros(len(nodes), np.int64), depth, nodes)), below
        )


@pytest.mark.parametrize(
    "wrong", [np.ones((3, N - 1)), np.zeros((3, N)), np.full((3, N), np.nan), np.ones(N)]
)
def test_other_masses_are_refused(prefixes: Prefixes, wrong: np.ndarray) -> None:
    with pytest.raises(UsageError, match="Masses"):
        Masses.of(prefixes, wrong)


def test_what_is_small_beside_a_great_mass_is_not_lost(prefixes: Prefixes) -> None:
    mass = np.ones((3, N), np.float32)
    mass[:, 0] = 1e25
    found = beam_search(Silent(), PROMPTS, prefixes, width=N, k=N, among_children=True, mass=mass)
    assert (found.items >= 0).all()
    assert np.isfinite(found.log_probability).all()


def test_masses_are_a_row_a_request_and_among_children(prefixes: Prefixes, mass: np.ndarray) -> None:
    for given, among in ((mass[:2], True), (mass, False)):
        with pytest.raises(UsageError, match="among_children=True"):
            beam_search(Silent(), PROMPTS, prefixes, width=5, k=5, among_children=among, mass=given)
