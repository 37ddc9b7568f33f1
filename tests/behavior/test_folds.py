"""Folds keep an entity together and spread the rare outcome."""

from __future__ import annotations

import numpy as np

from mercer.behavior.folds import entity_folds, entity_numbers

ENTITIES = [f"e{number % 50}" for number in range(200)]
POSITIVE = np.array([number % 50 < 10 for number in range(200)])


def test_all_rows_of_an_entity_share_a_fold():
    fold = entity_folds(ENTITIES, POSITIVE, 5, seed=1)
    for entity in set(ENTITIES):
        assert len({fold[row] for row in range(200) if ENTITIES[row] == entity}) == 1


def test_folds_are_equal_in_entities_and_in_positive_ones():
    fold = entity_folds(ENTITIES, POSITIVE, 5, seed=1)
    assert np.bincount(fold[:50]).tolist() == [10] * 5
    assert np.bincount(fold[:10]).tolist() == [2] * 5


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    fold = entity_folds(ENTITIES, POSITIVE, 5, seed=1)
    turned = entity_folds(ENTITIES[::-1], POSITIVE[::-1], 5, seed=1)
    assert np.array_equal(turned[::-1], fold)
    assert not np.array_equal(entity_folds(ENTITIES, POSITIVE, 5, seed=2), fold)


def test_entities_are_numbered_in_the_order_of_their_ids():
    assert entity_numbers(["b", "a", "b"]).tolist() == [1, 0, 1]
