"""Files of examples: what is read, what is left out and why, and that nothing of it is quoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import DataError, MercerError, NotFoundError
from mercer.language.finetuning.examples import Example, LeftOut, Preference
from mercer.language.finetuning.files import read_examples, write_quarantine

GOOD = '{"prompt": "a", "answer": "b"}'
SECRET = "4111 1111"
BAD = {
    "{": "it is no JSON",
    "[" * 100_000: "it is no JSON",
    "[1]": "it is no JSON object",
    '{"answer": "b"}': "it needs prompt or messages, one of them",
    '{"prompt": "a", "messages": [], "answer": "b"}': "it needs prompt or messages, one of them",
    '{"prompt": 3, "answer": "b"}': "it has no prompt that is text",
    f'{{"prompt": "{SECRET}"}}': "it has no answer that is text",
    '{"messages": [], "answer": "b"}': "messages is no list with something in it",
    '{"messages": [{"role": "a", "content": "a"}], "answer": "b"}': "a message has no role of system, user, assistant",
    '{"messages": [{"role": "user"}], "answer": "b"}': "a message has no content that is text",
}


def written(folder: Path, *lines: str) -> Path:
    path = folder / "examples.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_three_forms_are_read(tmp_path: Path) -> None:
    chat = '{"messages": [{"role": "user", "content": "a", "more": 1}], "answer": "b"}'
    found = read_examples(written(tmp_path, GOOD, "", chat))
    assert found.examples == (Example("a", "b"), Example([{"role": "user", "content": "a"}], "b"))
    assert found.lines == (1, 3)
    pair = '{"prompt": "a", "chosen": "b", "rejected": "c"}'
    assert read_examples(written(tmp_path, pair), preferences=True).examples == (Preference("a", "b", "c"),)


def test_a_line_separator_inside_a_text_is_no_new_line(tmp_path: Path) -> None:
    found = read_examples(written(tmp_path, '{"prompt": "a\u2028b\x85", "answer": "c"}'))
    assert found.examples == (Example("a\u2028b\x85", "c"),)


def test_bad_lines_are_left_out_with_a_reason_and_nothing_of_theirs(tmp_path: Path) -> None:
    found = read_examples(written(tmp_path, *BAD, GOOD))
    assert [one.reason for one in found.left_out] == list(BAD.values())
    assert [one.number for one in found.left_out] == list(range(1, len(BAD) + 1))
    path = write_quarantine(tmp_path, found.by_line([LeftOut(1, "600 tokens, of which 256 fit")]))
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert rows[-1] == {"line": len(BAD) + 1, "reason": "600 tokens, of which 256 fit"}
    assert len(rows) == len(BAD) + 1
    assert SECRET not in path.read_text("utf-8")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    with pytest.raises(MercerError):
        read_examples(path)


def test_files_that_are_not_there_or_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_examples(tmp_path / "nothing.jsonl")
    with pytest.raises(DataError, match="no example"):
        read_examples(written(tmp_path, ""))
    with pytest.raises(DataError, match="Line 1: it has no chosen"):
        read_examples(written(tmp_path, GOOD), preferences=True)
