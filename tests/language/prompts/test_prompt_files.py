"""Prompt files: read strictly, told apart by their content, and each of mercer's own in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mercer.errors import NotFoundError, UsageError
from mercer.language.prompts import Prompt, Renderer, load_prompt, prompt_names, read_prompt, write_prompt
from mercer.language.prompts.prompt import Free, Listed, Scored
from mercer.language.prompts.templates import names

SMALL: dict[str, Any] = {
    "name": "small", "version": 1, "task": "search", "purpose": "A test.",
    "variables": {"query": {"type": "text", "tokens": 8}},
    "wordings": ["Find it.", "Search."],
    "messages": [{"role": "user", "template": "{instruction} {query}"}],
    "answer": {"form": "free", "tokens": 5},
}  # fmt: skip


def read(**changes: Any) -> Prompt:
    return read_prompt(yaml.safe_dump({**SMALL, **changes}).encode(), "small.yaml")


@pytest.mark.parametrize("name", prompt_names())
def test_a_prompt_of_mercer_is_named_as_its_file_and_has_several_wordings(name: str) -> None:
    prompt = load_prompt(name)
    assert prompt.name == name
    # A model that was fine-tuned on one wording is asked in that one.
    assert len(set(prompt.wordings)) >= 3 or name.endswith("-tuned")
    assert any("instruction" in names(message.template) for message in prompt.messages)
    if isinstance(prompt.answer, Scored):
        known = {part for message in prompt.messages for part in names(message.template)}
        unknown = {part for message in prompt.answer.without for part in names(message.template)}
        assert unknown < known, "what is asked does not differ from what is asked without it"
    assert isinstance(prompt.answer, Scored | Listed | Free)


def test_there_are_prompts_for_both_rankers() -> None:
    assert {load_prompt(name).task for name in prompt_names()} >= {"search", "recommend"}


@pytest.mark.parametrize("name", prompt_names())
def test_what_is_written_is_read_again(name: str, tmp_path: Path) -> None:
    prompt = load_prompt(name)
    write_prompt(prompt, tmp_path / "copy.yaml")
    copy = load_prompt(str(tmp_path / "copy.yaml"))
    assert copy == prompt
    assert copy.hash == prompt.hash


def test_layout_changes_no_hash_and_every_content_does() -> None:
    text = yaml.safe_dump(SMALL)
    assert read_prompt(b"# a comment\n" + text.encode(), "x").hash == read().hash
    changed = [
        {"version": 2}, {"purpose": "Another."}, {"wordings": ["Find it."]}, {"style": "chat"},
        {"variables": {"query": {"type": "text", "tokens": 9}}}, {"answer": {"form": "free", "tokens": 6}},
        {"messages": [{"role": "system", "template": "{instruction} {query}"}]},
    ]  # fmt: skip
    hashes = {read().hash, *(read(**one).hash for one in changed)}
    assert len(hashes) == len(changed) + 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"wording": ["a"]}, r"unknown key 'wording'.*'wordings'"),
        ({"variables": {"query": {"typ": "text", "tokens": 8}}}, r"unknown key|missing"),
        ({"variables": {"query": {"type": "text", "token": 8}}}, r"tokens"),
        (
            {"variables": {"query": {"type": "text", "tokens": 8, "requird": True}}},
            r"Did you mean 'required'",
        ),
        ({"answer": {"form": "free", "tokens": 5, "tokns": 5}}, r"Did you mean 'tokens'"),
        ({"answer": {"form": "json", "tokens": 5, "schem": {}}}, r"schem"),
        ({"messages": [{"role": "user", "template": "{qeury}"}]}, r"names 'qeury'.*'query'"),
        ({"messages": [{"role": "user", "template": "{query"}]}, r"encloses no name"),
        ({"messages": [{"role": "robot", "template": "x"}]}, r"messages\.0\.role"),
        ({"variables": {"examples": {"type": "text", "tokens": 8}}}, r"fill themselves"),
        ({"variables": {"Query": {"type": "text", "tokens": 8}}}, r"variables"),
        ({"answer": {"form": "scored", "template": "{x}", "without": []}}, r"answer"),
        ({"answer": {"form": "listed", "candidate": "{label}", "template": "{query}"}}, r"holds \{label\}"),
        ({"version": 0}, r"version"),
        ({"name": "No Name"}, r"name"),
        ({"wordings": []}, r"wordings"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(**wrong)


def test_files_that_are_no_prompts_are_refused(tmp_path: Path) -> None:
    for content in (b"a: [", b"\xff\xfe", b"", b"- 1"):
        with pytest.raises(UsageError, match=r"odd\.yaml"):
            read_prompt(content, "odd.yaml")
    with pytest.raises(UsageError):
        read_prompt(b"!!python/object/apply:os.system ['true']", "odd.yaml")
    with pytest.raises(NotFoundError, match="no prompt file"):
        load_prompt(str(tmp_path / "absent.yaml"))
    with pytest.raises(NotFoundError, match="Did you mean 'search-likelihood'"):
        load_prompt("search-likelyhood")


class Words:
    """Blanks part tokens."""

    def cut(self, text: str, tokens: int) -> str:
        return " ".join(text.split()[:tokens])


def test_values_are_put_into_the_wording_chosen() -> None:
    renderer = Renderer(read(), Words(), 1)
    assert renderer.messages({"query": "blue\nmug"}) == ({"role": "user", "content": "Search. blue mug"},)
    with pytest.raises(UsageError, match="0 to 1"):
        Renderer(read(), Words(), 2)


def test_values_are_cut_to_their_tokens_and_lists_to_their_last_texts() -> None:
    variables = {
        "query": {"type": "text", "tokens": 2, "empty": "(none)"},
        "seen": {"type": "list of text", "tokens": 1, "most": 2, "separator": " / ", "required": False},
    }
    messages = [{"role": "user", "template": "{query}: {seen}"}]
    renderer = Renderer(read(variables=variables, messages=messages), Words())

    def shown(**values: Any) -> str:
        return renderer.messages(values)[0]["content"]

    assert shown(query="a b c", seen=["x y", "z", "w"]) == "a b: z / w"
    assert shown(query="", seen=["x", " "]) == "(none): x / -"
    assert shown(query="a", seen=[]) == "a: -"
    assert shown(query="a") == "a: -"
    assert shown(query="a " * 1_000_000) == "a a: -"


def test_values_that_are_missing_or_unknown_are_named() -> None:
    renderer = Renderer(read(), Words())
    with pytest.raises(UsageError, match="needs a value for 'query'"):
        renderer.messages({})
    with pytest.raises(UsageError, match="Did you mean 'query'"):
        renderer.messages({"query": "a", "qury": "b"})


def test_examples_stand_where_the_template_says() -> None:
    prompt = load_prompt("search-title")
    content = Renderer(prompt, Words()).messages(
        {"query": "red lamp"}, examples=[{"query": "mug", "title": "Blue mug"}, {"query": "hat", "title": ""}]
    )[0]["content"]
    shown = "Search: mug\nItem: Blue mug\n\nSearch: hat\nItem: (no title)\n\nSearch: red lamp\nItem:"
    assert content == f"{prompt.wordings[0]}\n\n{shown}"


def test_more_candidates_than_letters_are_refused() -> None:
    renderer = Renderer(load_prompt("search-listed"), Words())
    with pytest.raises(UsageError, match="27 candidates"):
        renderer.messages({"query": "a"}, candidates=[{"title": "x"}] * 27)
