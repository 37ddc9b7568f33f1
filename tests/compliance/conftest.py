"""The small shop's evidence, made once, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_server import server

from compliance.shop import clean_evidence
from mercer.compliance import Evidence


@pytest.fixture(scope="session")
def clean() -> Evidence:
    """Evidence in which nothing is wrong. Gates may not change it."""
    return clean_evidence()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throw-away server; skips where none is installed."""
    with server() as url:
        yield f"postgresql+psycopg://{url}"
