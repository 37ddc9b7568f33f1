"""Rankers that Keras trains, mercer's own and one of another package, from the brief to an answer over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from recommend.with_keras.needs import NEEDS_TENSORFLOW

from flow.house import SHOP
from mercer.simulate import demo_brief

pytestmark = NEEDS_TENSORFLOW

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "keras_ranker"

WALK = """
import json, sys
from pathlib import Path
import mercer
from mercer.serving import prepare
from starlette.testclient import TestClient

folder = Path(sys.argv[1])
out = folder / "run"
run = mercer.run(folder / "brief.yaml", out)
served = prepare(out, host="127.0.0.1", dev=True)
with TestClient(served.app, headers={"Authorization": f"Bearer {served.dev_key}"}) as client:
    said = {target: client.post("/v1/recommend", json={"target": target, "user": "u-00003", "k": 5}).json()
            for target in ("next-item", "next-by-gru")}
board = json.loads((out / "leaderboard.json").read_text("utf-8"))
print(json.dumps({"said": said, "board": board, "exit": run.exit_code}))
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers and the leaderboard, from a process that has the example installed as pip installs it."""
    folder = tmp_path_factory.mktemp("keras")
    copy = folder / "example"
    subprocess.run(["cp", "-r", str(EXAMPLE), str(copy)], check=True)
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, *install, "--target", str(folder / "packages"), str(copy)], check=True)
    (folder / "brief.yaml").write_text(yaml.safe_dump(brief(), sort_keys=False), "utf-8")
    environment = {
        **os.environ, "PYTHONPATH": str(folder / "packages"), "MERCER_CACHE": str(folder / "cache"),
        "MERCER_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def brief() -> dict[str, Any]:
    """The demo's brief on a small shop: a target for each of the two rankers."""
    content: dict[str, Any] = yaml.safe_load(demo_brief().read_text("utf-8"))
    content["name"] = "small-keras-shop"
    content["data"]["simulate"] |= SHOP
    content["decision"]["against"] = "two-tower"
    target = content["targets"]["next-item"]
    towers = {"epochs": 3, "batch": 256, "content": ["brand", "category"]}
    content["targets"] = {
        "next-item": target | {"models": ["two-tower"], "options": {"two-tower": towers}},
        "next-by-gru": target | {"models": ["gru4rec"], "options": {"gru4rec": {"epochs": 2, "window": 20}}},
        "repurchase": content["targets"]["repurchase"] | {"models": ["base-rate"]},
    }
    return content


def test_both_are_judged(walked: dict[str, Any]) -> None:
    measured = {
        (row["target"], row["model"]) for row in walked["board"]["rows"] if row["metric"] == "ndcg@10"
    }
    assert {("next-item", "two-tower"), ("next-by-gru", "gru4rec")} <= measured


@pytest.mark.parametrize("target", ["next-item", "next-by-gru"])
def test_both_answer_over_http(walked: dict[str, Any], target: str) -> None:
    answer = walked["said"][target]
    assert len({item["item"] for item in answer["items"]}) == 5
