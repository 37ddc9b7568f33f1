"""A PostgreSQL server of the tests' own: started in a folder that is gone afterwards, listening on a socket there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
"""A server refuses to run as root; the tests then start it as nobody."""


@contextmanager
def server(password: str | None = None) -> Iterator[str]:
    """The URL of a running server without a scheme, `mercer[:PASSWORD]@/postgres?host=FOLDER`; with a password it lets
    in nobody without it. Skips where no server is installed."""
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

    def run(*command: str | Path, check: bool = True) -> None:
        subprocess.run([*prefix, *map(str, command)], check=check, capture_output=True, cwd=folder)

    data, options = folder / "data", f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    auth: list[str] = ["--auth=trust"]
    if password is not None:
        (folder / "password").write_text(password, "utf-8")
        auth = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    run("initdb", "-D", data, "-U", "mercer", *auth, "-E", "UTF8")
    run("pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        secret = f":{quote(password, safe='')}" if password is not None else ""
        yield f"mercer{secret}@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)
