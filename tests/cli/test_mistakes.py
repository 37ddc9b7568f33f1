"""What a person types wrongly: exit code 2 and one sentence that names the mistake and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from cli.typed import Said, Typed

LOG = {
    "event": [f"e{number}" for number in range(60)],
    "user": [f"u{number % 10}" for number in range(60)],
    "item": [f"i{number % 7}" for number in range(60)],
    "time": [f"2026-{1 + number // 10:02d}-{1 + number % 10:02d}T10:00:00Z" for number in range(60)],
    "kind": ["purchase"] * 60,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a log and a catalogue."""
    pd.DataFrame(LOG).to_csv(tmp_path / "log.csv", index=False)
    titles = [{"item": f"i{number}", "title": f"Oak chair {number}"} for number in range(7)]
    pd.DataFrame(titles).to_csv(tmp_path / "items.csv", index=False)
    return tmp_path


def write_brief(folder: Path, **changes: Any) -> Path:
    content: dict[str, Any] = {
        "schema": 1,
        "name": "tiny",
        "question": "What next?",
        "decision": {"date": "2026-07-01", "target": "next"},
        "data": {"events": {"source": "log.csv"}, "items": {"source": "items.csv"}},
        "packs_date": "2026-11-24",
        "targets": {"next": {"task": "recommend", "models": ["most-popular"]}},
    }
    path = folder / "brief.yaml"
    path.write_text(yaml.safe_dump(content | changes), "utf-8")
    return path


def is_mistake(said: Said, *parts: str) -> None:
    assert said.code == 2, said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.count("error:") == 1
    for part in parts:
        assert part in said.sentence


@pytest.mark.parametrize(
    "words", [["rnu"], ["run"], ["run", "a.yaml", "--outt", "x"], ["cases", "close", "c"]]
)
def test_wrong_usage(mercer: Typed, words: list[str]) -> None:
    said = mercer(*words)
    assert said.code == 2
    assert "Usage:" in said.err
    assert "Traceback" not in said.err


def test_a_brief_that_is_not_there(mercer: Typed, tmp_path: Path) -> None:
    is_mistake(mercer("run", tmp_path / "no.yaml"), "no.yaml: no such file", "mercer init")


def test_an_unknown_key_names_the_nearest(mercer: Typed, shop: Path) -> None:
    brief = write_brief(shop, jurisdiction=["EU"])
    is_mistake(mercer("check", brief), "brief.yaml", "unknown key 'jurisdiction'", "jurisdictions")


@pytest.mark.parametrize("command", ["run", "check", "fit", "evaluate"])
def test_an_unknown_model_names_the_nearest(mercer: Typed, shop: Path, command: str) -> None:
    brief = write_brief(shop, targets={"next": {"task": "recommend", "models": ["most-populr"]}})
    is_mistake(mercer(command, brief), "targets.next.models", "'most-populr'", "most-popular")


def test_an_unknown_opponent_names_the_nearest(mercer: Typed, shop: Path) -> None:
    decision = {"date": "2026-07-01", "target": "next", "against": "most-populer"}
    is_mistake(mercer("run", write_brief(shop, decision=decision)), "decision.against", "most-popular")


def test_an_incumbent_without_its_rankings(mercer: Typed, shop: Path) -> None:
    decision = {"date": "2026-07-01", "target": "next", "against": "incumbent"}
    is_mistake(mercer("run", write_brief(shop, decision=decision)), "data.incumbent")


def test_a_model_of_another_task(mercer: Typed, shop: Path) -> None:
    brief = write_brief(shop, targets={"next": {"task": "recommend", "models": ["bm25"]}})
    is_mistake(mercer("run", brief), "'bm25' does not serve this target")


def test_search_without_judgments(mercer: Typed, shop: Path) -> None:
    decision = {"date": "2026-07-01", "target": "find", "against": "bm25"}
    targets = {"find": {"task": "search", "models": ["bm25"]}}
    said = mercer("run", write_brief(shop, decision=decision, targets=targets), "--out", shop / "run")
    is_mistake(Said(said.code, said.out, errors_of(said)), "targets.find", "data.judgments")


@pytest.mark.parametrize("task", ["recommend", "behavior"])
def test_a_target_without_events(mercer: Typed, shop: Path, task: str) -> None:
    model = {"recommend": "most-popular", "behavior": "past-rate"}[task]
    brief = write_brief(
        shop,
        decision={"date": "2026-07-01", "target": "next", "against": model},
        data={"items": {"source": "items.csv"}},
        targets={"next": {"task": task, "models": [model]}},
    )
    said = mercer("run", brief, "--out", shop / "run")
    is_mistake(Said(said.code, said.out, errors_of(said)), "targets.next", "data.events")


def test_a_missing_column_names_file_and_column(mercer: Typed, shop: Path) -> None:
    data = {"events": {"source": "log.csv", "map": {"user": "custmer"}}}
    is_mistake(mercer("check", write_brief(shop, data=data)), "log.csv", "custmer")


def test_a_missing_file_is_named(mercer: Typed, shop: Path) -> None:
    is_mistake(mercer("check", write_brief(shop, data={"events": {"source": "gone.csv"}})), "gone.csv")


def test_an_output_folder_that_cannot_be_written(mercer: Typed, shop: Path) -> None:
    (shop / "file").write_text("")
    said = mercer("run", write_brief(shop), "--out", shop / "file" / "run")
    is_mistake(said, "output folder", "can't be written", "--out")


def test_a_cache_that_cannot_be_written(mercer: Typed, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "file").write_text("")
    monkeypatch.setenv("MERCER_CACHE", str(shop / "file" / "cache"))
    is_mistake(mercer("run", write_brief(shop), "--out", shop / "run"), "MERCER_CACHE")


def test_a_data_folder_that_is_not_there(mercer: Typed, shop: Path) -> None:
    is_mistake(mercer("check", write_brief(shop), "--data", shop / "nowhere"), "nowhere does not exist")


def test_threads_that_are_no_number(mercer: Typed, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_THREADS", "many")
    said = mercer("run", write_brief(shop), "--out", shop / "run")
    is_mistake(Said(said.code, said.out, errors_of(said)), "MERCER_THREADS")


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "nowhere"],
        ["runs", "nowhere"],
        ["compare", "nowhere", "elsewhere"],
        ["cases", "list", "--run", "nowhere"],
        ["forget", "u1", "--run", "nowhere"],
        ["export", "u1", "--run", "nowhere"],
        ["data", "profile", "nowhere.csv"],
        ["init", "nowhere.csv", "--yes"],
        ["demo", "--fault", "no-such-rule"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_named(
    mercer: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    is_mistake(mercer(*words), "no-such-rule" if "demo" in words else "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_events_makes_no_brief(mercer: Typed, shop: Path) -> None:
    is_mistake(mercer("init", shop / "items.csv", "--yes"), "items.csv: no column looks like")
    assert not (shop / "items.brief.yaml").exists()


def errors_of(said: Said) -> str:
    """Standard error from the error on: before it stand the steps that were done."""
    assert "error:" in said.err
    return said.err[said.err.index("error:") :]
