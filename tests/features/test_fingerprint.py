"""The hash of the definitions changes with their meaning and with nothing else."""

from __future__ import annotations

import pytest

from mercer.features import FEATURES, compute, definitions_hash, fingerprint, groups
from mercer.features.definitions import Feature


@pytest.fixture(autouse=True)
def fresh():
    definitions_hash.cache_clear()
    yield
    definitions_hash.cache_clear()


def test_it_is_a_sha256_and_the_same_twice():
    first = definitions_hash()
    definitions_hash.cache_clear()
    assert definitions_hash() == first
    assert len(first) == 64


def test_a_changed_computation_changes_it(monkeypatch):
    before = definitions_hash()
    monkeypatch.setattr(groups, "SEASON", 91)
    definitions_hash.cache_clear()
    assert definitions_hash() != before


def test_a_changed_meaning_changes_it(monkeypatch):
    before = definitions_hash()
    changed = (*FEATURES[:-1], Feature(FEATURES[-1].name, "Something else", FEATURES[-1].unit))
    monkeypatch.setattr(fingerprint, "DECLARED", changed)
    definitions_hash.cache_clear()
    assert definitions_hash() != before


def test_the_fixed_log_exercises_every_feature():
    """A feature that is constant on the log could change without changing the hash."""
    frame = compute(fingerprint._probe())
    for feature in FEATURES:
        distinct = frame[feature.name].dropna().round(6).nunique()
        assert distinct > 1, feature.name
