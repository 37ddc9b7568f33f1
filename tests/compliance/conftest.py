"""The small shop's evidence, made once, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.shop import clean_evidence
from mercer.compliance import Evidence

# A server refuses to run as root; the tests then start it as nobody.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture(scope="session")
def clean() -> Evidence:
    """Evidence in which nothing is wrong. Gates may not change it."""
    return clean_evidence()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throw-away server that listens on a socket in its own folder; skips where none is installed."""
    pytest.importorskip("psycopg")
    if not shutil.which("initdb") or not shutil.which("pg_ctl"):
        pytest.skip("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="mercer-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("a PostgreSQL server can't run as root")
        prefix = AS_NOBODY
        os.chown(folder, 65534, 65534)
    data, options = folder / "data", f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run = {"check": True, "capture_output": True, "cwd": folder}
    subprocess.run([*prefix, "initdb", "-D", data, "-U", "mercer", "--auth=trust", "-E", "UTF8"], **run)  # type: ignore[call-overload]
    subprocess.run([*prefix, "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"], **run)  # type: ignore[call-overload]
    try:
        yield f"postgresql+psycopg://mercer@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*prefix, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], check=False, cwd=folder
        )
        shutil.rmtree(folder, ignore_errors=True)
