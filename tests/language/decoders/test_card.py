"""Cards: what is written is read, any text gives a name, and the hash covers what decides an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import DamagedError
from mercer.language.decoders.card import Card, checked_name, content_hash, name_from

FILES = {
    "model.safetensors": "1" * 64,
    "config.json": "2" * 64,
    "tokenizer.json": "3" * 64,
    "tokenizer_config.json": "4" * 64,
    "chat_template.jinja": "5" * 64,
    "generation_config.json": "6" * 64,
}
CARD = Card(
    name="tiny", family="llama", origin="folder tiny", revision="", licence="unknown", notes=("A note.", "Another."),
    parameters=7, window=256, vocabulary=400, precision="float32", chat=True, files=FILES, hash=content_hash(FILES),
    source_hash="7" * 64, made_with={"torch": "2"},
)  # fmt: skip


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / CARD.folder_name
    folder.mkdir()
    CARD.write(folder)
    assert Card.read(folder) == CARD


def test_a_card_in_another_folder_is_damaged(tmp_path: Path) -> None:
    CARD.write(tmp_path)
    with pytest.raises(DamagedError, match=r"card\.json"):
        Card.read(tmp_path)


def test_a_card_of_a_later_format_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / CARD.folder_name
    folder.mkdir()
    replace(CARD, format=2).write(folder)
    with pytest.raises(DamagedError):
        Card.read(folder)


@given(st.text())
def test_any_text_gives_a_name(text: str) -> None:
    name = name_from(text)
    assert checked_name(name) == name
    assert name_from(name) == name


@given(st.permutations(sorted(FILES)))
def test_the_hash_knows_no_order(names: list[str]) -> None:
    assert content_hash({name: FILES[name] for name in names}) == CARD.hash


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_hash_covers_what_decides_an_answer(name: str) -> None:
    changed = content_hash({**FILES, name: "0" * 64}) != CARD.hash
    assert changed is (name != "generation_config.json")
