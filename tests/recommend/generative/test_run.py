"""The brief of the simulated shop, made small: trained, judged, gated, released and served, in each family."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from serving.live import live

import mercer
from mercer.brief import Brief
from mercer.contracts import plugins
from mercer.release import load
from mercer.serving import prepare
from mercer.training import TrainingRecord
from recommend.generative.tiny import TINY

BRIEF = Path(__file__).resolve().parents[3] / "briefs" / "demo-generative.yaml"
SHOP = {"users": 160, "items": 60}
SMALL = {**TINY, "epochs": 2, "ids": {"codebook": {"levels": 2, "codes": 8}}, "beams": 20}


def brief(*targets: str) -> Brief:
    """The project's brief with a small shop and small models, and these targets alone."""
    content = yaml.safe_load(BRIEF.read_text("utf-8"))
    content["data"]["simulate"] |= SHOP
    for name, target in content["targets"].items():
        family = target["options"]["generative"]["shape"]["family"]
        own = {**SMALL, "shape": {**SMALL["shape"], "family": family}}
        target["options"] = {"generative": {**own, "events": {"window": 8, "fields": ["gap"]}}}
        if name == "next-item":
            # The fallback counts nothing, so that the generative ranker is selected.
            target |= {"models": ["generative", "most-popular"], "fallback": "most-popular"}
            target["options"]["most-popular"] = {"kinds": ["praise"]}
    content["targets"] = {name: content["targets"][name] for name in targets}
    content["decision"] |= {"target": targets[0], "against": content["targets"][targets[0]]["models"][-1]}
    return Brief.model_validate(content)


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MERCER_THREADS", "1")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """A function that serves a run over HTTP and gives a client."""
    opened: list[Any] = []

    def serve(run: Path) -> httpx.Client:
        made = prepare(run, host="127.0.0.1", dev=True, answer_deadline_ms=20_000)
        address = live(made.app)
        headers = {"Authorization": f"Bearer {made.dev_key}"}
        client = httpx.Client(base_url=address.__enter__(), headers=headers, trust_env=False, timeout=60)
        opened.append((client, address, made.state))
        return client

    yield serve
    for client, address, state in opened:
        client.close()
        address.__exit__(None, None, None)
        state.close()


def test_the_projects_briefs_are_read() -> None:
    for name, fallback in (
        ("demo-generative", "sasrec"),
        ("beauty-generative", "sasrec"),
        ("demo-pretrained", "most-popular"),
    ):
        given = Brief.load(BRIEF.with_name(f"{name}.yaml"))
        for target in given.targets.values():
            for model, options in target.options.items():
                plugins.load(plugins.RANKERS, model).Options(**options)
        assert given.targets["next-item"].fallback == fallback


def recommended(client: httpx.Client, target: str, **body: Any) -> dict[str, Any]:
    reply = client.post("/v1/recommend", json={"target": target, "k": 5, **body})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_it_is_run_released_and_served(tmp_path: Path, served: Any) -> None:
    run = mercer.run(brief("next-item"), tmp_path / "run")
    folder = run.path / "models" / "next-item" / "generative"
    assert TrainingRecord.load(folder / "training.json").validations
    manifest = load(run.path).manifest
    assert manifest.targets["next-item"].model == "generative"
    assert manifest.fallbacks["next-item"].model == "most-popular"
    client = served(run.path)
    first = recommended(client, "next-item")
    assert first["answered"]["how"] == "ranker"
    assert len(first["items"]) == 5
    for _ in range(3):
        withdrawn = recommended(client, "next-item")["items"][0]["item"]
        assert client.delete(f"/v1/items/{withdrawn}").status_code == 200
        later = [one["item"] for one in recommended(client, "next-item", k=60)["items"]]
        assert withdrawn not in later, "a withdrawn item was generated"
    none = recommended(client, "next-item", rules={"allow": []})
    assert none["items"] == []


@pytest.mark.slow
def test_three_families_are_run_released_and_served(tmp_path: Path, served: Any) -> None:
    names = ("next-item-llama", "next-item-mistral", "next-item")
    run = mercer.run(brief(*names), tmp_path / "run")
    release = load(run.path)
    families = set()
    client = served(run.path)
    for name in names:
        assert len(recommended(client, name)["items"]) == 5
        families.add(release.brief.targets[name].options["generative"]["shape"]["family"])
        record = TrainingRecord.load(run.path / "models" / name / "generative" / "training.json")
        assert record.losses[-1] < record.losses[0]
    assert families == {"gpt2", "llama", "mistral"}
