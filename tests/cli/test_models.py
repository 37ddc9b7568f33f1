"""`mercer models` as it is typed: what can compete, what was imported, and the import itself."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.typed import Typed
from mercer.cli.models import _imported
from mercer.language.decoders import ModelStore


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    for library in ("torch", "transformers"):
        pytest.importorskip(library)
    from mercer.testing.decoders import tiny_decoder

    tiny_decoder("llama", folder=tmp_path / "tiny")
    return tmp_path / "tiny"


def test_models_are_listed_with_their_tasks(mercer: Typed) -> None:
    told = json.loads(mercer("models", "list", "--json").out)
    found = {row["model"]: row for row in told["models"]}
    assert {"most-popular", "buy-again", "item-knn", "bm25", "bm25-minilm", "past-rate", "lightgbm"} <= set(
        found
    )
    assert found["item-knn"]["task"] == "recommend"
    assert found["lightgbm"]["task"] == "behavior (probability, amount)"
    assert found["bm25"]["what"]
    assert told["language_models"] == []
    said = mercer("models", "list")
    assert "item-knn" in said.out
    assert "mercer models import smollm2" in said.out


def test_an_imported_model_is_listed_and_found_again(mercer: Typed, tiny: Path) -> None:
    first = mercer("models", "import", tiny, "--name", "shop-llama")
    assert first.code == 0, first.err
    assert "Imported shop-llama-" in first.out
    assert "states no licence" in first.err
    again = mercer("models", "import", tiny, "--name", "shop-llama", "--json")
    assert again.code == 0
    card = json.loads(again.out)
    assert Path(card["folder"]).name == f"shop-llama-{card['hash'][:12]}"
    said = mercer("models", "list")
    assert "shop-llama" in said.out
    assert card["hash"][:12] in said.out
    listed = json.loads(mercer("models", "list", "--json").out)
    assert [one["hash"] for one in listed["language_models"]] == [card["hash"]]
    assert listed["damaged"] == []


def test_a_name_that_one_has_to_type_is_never_shortened(mercer: Typed, tiny: Path) -> None:
    name = "a-model-with-a-name-of-30-long"
    assert mercer("models", "import", tiny, "--name", name).code == 0
    terminal = Console(width=80, file=StringIO(), record=True)
    terminal.print(_imported(ModelStore()))
    lines = terminal.export_text().splitlines()
    assert any(line.startswith(name) for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_damaged_model_is_named(mercer: Typed, tiny: Path) -> None:
    folder = Path(json.loads(mercer("models", "import", tiny, "--json").out)["folder"])
    (folder / "card.json").write_text("{", "utf-8")
    said = mercer("models", "list")
    assert said.code == 0
    assert f"Damaged, and not listed: {folder.name}" in said.err
    row = {one["part"]: one for one in json.loads(mercer("doctor", "--json").out)}["language models"]
    assert (row["state"], folder.name in row["found"]) == ("optional", True)


def test_doctor_counts_the_imported_models(mercer: Typed, tiny: Path) -> None:
    def row() -> dict:
        return {one["part"]: one for one in json.loads(mercer("doctor", "--json").out)}["language models"]

    assert row()["found"] == "none imported"
    assert row()["remedy"] == "mercer models import smollm2"
    mercer("models", "import", tiny)
    assert (row()["found"], row()["state"]) == ("tiny", "ok")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/nowhere", "There is nothing at '/nowhere'"),
        ("brief.yaml", "There is nothing at"),
        ("", "nothing at"),
    ],
)
def test_a_wrong_source_is_one_sentence_and_a_remedy(
    source: str, said: str, mercer: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    told = mercer("models", "import", source)
    assert told.code == 2
    assert said in told.sentence
    assert "smollm2" in told.sentence
    assert "Traceback" not in told.err


def test_pickled_weights_are_refused(mercer: Typed, tiny: Path) -> None:
    (tiny / "model.safetensors").rename(tiny / "pytorch_model.bin")
    told = mercer("models", "import", tiny)
    assert told.code == 2
    assert "pickled (pytorch_model.bin)" in told.sentence
    assert "save it as safetensors" in told.sentence


def test_an_imported_model_is_asked(mercer: Typed, tiny: Path, tmp_path: Path) -> None:
    assert mercer("models", "import", tiny, "--name", "shop-llama").code == 0
    said = mercer("models", "ask", "shop-llama", "hello", "--max-tokens", "4")
    assert said.code == 0, said.err
    assert "tokens in" in said.err
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"enum": ["red", "green"]}), "utf-8")
    bound = mercer("models", "ask", "shop-llama", "which?", "--schema", schema, "--json")
    assert json.loads(bound.out)["parsed"] in ("red", "green")
    schema.write_text("no json", "utf-8")
    wrong = mercer("models", "ask", "shop-llama", "which?", "--schema", schema)
    assert wrong.code == 2
    assert "holds no JSON" in wrong.err
    unknown = mercer("models", "ask", "shop-lama", "which?")
    assert unknown.code == 2
    assert "shop-llama" in unknown.err
