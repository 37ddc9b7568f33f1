"""`mercer models finetune` and `mercer models merge`, as a terminal sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.typed import Typed
from mercer.language.decoders import Decoder, ModelStore, import_model
from mercer.testing.decoders import tiny_decoder

NAME = "tiny"
QUICK = ("--epochs", 2, "--rank", 4, "--batch-tokens", 200)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("MERCER_THREADS", "1")
    tiny_decoder("llama", folder=tmp_path / "tiny")
    import_model(tmp_path / "tiny", name=NAME)
    return ModelStore()


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    good = [{"prompt": f"a mug for {n} pounds", "answer": f'{{"max": {n}}}'} for n in range(8)]
    return lines(tmp_path / "examples.jsonl", *good, "no JSON", {"prompt": "long " * 300, "answer": "x"})


def test_an_adapter_a_record_and_what_was_left_out(
    mercer: Typed, store: ModelStore, examples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = mercer("models", "finetune", NAME, examples, "--out", out, "--price-per-hour", 2, *QUICK)
    assert said.code == 0, said.err
    for row in (
        "examples left out",
        "weights trained",
        "tokens",
        "time",
        "memory",
        "money",
        "loss",
        "validation",
    ):
        assert row in said.out
    assert f"mercer models merge {NAME}" in said.out
    quarantine = [json.loads(line) for line in (out / "quarantine.jsonl").read_text().splitlines()]
    assert [row["line"] for row in quarantine] == [9, 10]
    assert "no JSON" in quarantine[0]["reason"]
    assert "long" not in quarantine[1]["reason"]
    Decoder.load(store.get(NAME), adapter=out, precision="fp32")

    merged = mercer("models", "merge", NAME, out, "--name", "tiny-filters")
    assert merged.code == 0, merged.err
    assert store.get("tiny-filters").card.origin.startswith("fine-tuned from tiny-")


def test_a_whole_model_is_stored_as_it_is(
    mercer: Typed, store: ModelStore, examples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = mercer("models", "finetune", NAME, examples, "--out", out, "--method", "full", "--json", *QUICK)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["left_out"] == 2
    assert told["stopped_because"] == "epochs"
    assert mercer("models", "merge", NAME, out, "--name", "child").code == 0
    assert store.get("child").card.hash != store.get(NAME).card.hash


def test_an_estimate_writes_nothing(mercer: Typed, store: ModelStore, examples: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    said = mercer(
        "models", "finetune", NAME, examples, "--estimate", "--json", "--price-per-hour", 3600, *QUICK
    )
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["money"] == pytest.approx(told["seconds"])
    table = mercer("models", "finetune", NAME, examples, "--estimate", *QUICK)
    assert "give --price-per-hour" in table.out
    assert sorted(tmp_path.iterdir()) == before


def test_time_ends_it_and_more_time_goes_on(
    mercer: Typed, store: ModelStore, examples: Path, tmp_path: Path
) -> None:
    command = (
        "models",
        "finetune",
        NAME,
        examples,
        "--out",
        tmp_path / "out",
        "--validation",
        examples,
        *QUICK,
    )
    short = mercer(*command, "--seconds", 0.001)
    assert "as far as the time went" in short.out
    assert "time limit" in short.err
    whole = json.loads(mercer(*command, "--json").out)
    assert whole["resumed_from"] == [1]
    assert whole["stopped_because"] == "epochs"
    assert whole["validations"]


def test_preferences_and_added_tokens(mercer: Typed, store: ModelStore, tmp_path: Path) -> None:
    rows = [{"prompt": f"after <1> for {n}", "chosen": "<2>", "rejected": "mug"} for n in range(6)]
    tokens = lines(tmp_path / "tokens.txt", "<1>", "<2>")
    said = mercer(
        "models", "finetune", NAME, lines(tmp_path / "pairs.jsonl", *rows), "--method", "dpo",
        "--tokens", tokens, "--out", tmp_path / "out", *QUICK,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert json.loads((tmp_path / "out" / "mercer_adapter.json").read_text())["added_tokens"] == 2


def test_mistakes_are_said_in_words(mercer: Typed, store: ModelStore, examples: Path, tmp_path: Path) -> None:
    for arguments, words in (
        ((NAME, examples), "Add --out FOLDER"),
        (("tinny", examples, "--out", tmp_path / "out"), "Did you mean 'tiny'"),
        ((NAME, tmp_path / "nothing.jsonl", "--out", tmp_path / "out"), "There is no file"),
        ((NAME, examples, "--out", tmp_path / "out", "--method", "more"), "--method"),
        ((NAME, examples, "--out", tmp_path / "out", "--method", "dpo"), "holds no example"),
        ((NAME, examples, "--out", tmp_path / "out", "--device", "cuda:9"), "is not there"),
        ((NAME, examples, "--out", tmp_path / "out", "--tokens", tmp_path / "no"), "can't be read as UTF-8"),
    ):
        said = mercer("models", "finetune", *arguments)
        assert said.code == 2, (arguments, said)
        assert words in said.sentence
