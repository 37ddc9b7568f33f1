"""`mercer serve` as a process of its own: it answers, and ends when interrupted."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import httpx
from flow.house import House
from flow.process import command, environment


def test_a_release_is_served_until_interrupted(house: House, tmp_path: Path) -> None:
    words = ("serve", house.folder, "--port", 0, "--dev", "--state", f"sqlite:///{tmp_path}/state.db")
    with subprocess.Popen(
        command(*words),
        env=environment(house.cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            said: list[str] = []
            while not said or (said[-1] and not said[-1].startswith("Serving")):
                said.append(server.stdout.readline())
            text = "".join(said)
            [url] = re.findall(r"on (http://127\.0\.0\.1:\d+)", text)
            [key] = re.findall(r"Key of this session: (\S+)", text)
            with httpx.Client(base_url=url, headers={"X-API-Key": key}, trust_env=False, timeout=30) as api:
                assert api.get("/readyz").status_code == 200
                answer = api.post("/v1/recommend", json={"target": "next-item", "k": 3})
            assert len(answer.json()["items"]) == 3
            server.send_signal(signal.SIGINT)
            server.wait(30)
        finally:
            server.kill()
        assert "Traceback" not in (server.stderr.read() if server.stderr else "")
    assert server.returncode == 0
