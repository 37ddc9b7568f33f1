"""The small shop's evidence, made once: gates may not change it."""

from __future__ import annotations

import pytest

from compliance.shop import clean_evidence
from mercer.compliance import Evidence


@pytest.fixture(scope="session")
def clean() -> Evidence:
    """Evidence in which nothing is wrong."""
    return clean_evidence()
