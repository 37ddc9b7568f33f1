from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from language.remote.model import ANSWER, SCHEMA
from language.remote.server import ChatServer
from mercer.contracts import TextGenerator
from mercer.errors import RemoteError, UnsupportedError, UsageError
from mercer.language.remote import RemoteGenerator

CHAT = [{"role": "user", "content": "running shoes"}]
HOW: dict[str, Any] = {"max_tokens": 40, "temperature": 0.0, "seed": 1}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "remote" / "audit.jsonl").read_text().splitlines()]


def test_it_is_a_text_generator_that_answers(server: ChatServer, remote: Any) -> None:
    generator = remote(server)
    assert isinstance(generator, TextGenerator)
    answer = generator.generate(CHAT, **HOW)
    assert (answer.text, answer.finish_reason, answer.parsed) == (ANSWER, "stop", None)
    assert answer.tokens_in == len(server.decoder.chat(CHAT))
    assert answer.fingerprint == "127.0.0.1/tiny/fp-tiny-llama-1"
    assert (answer.cached, answer.structured, answer.cost) == (False, "none", 0.0)


def test_the_model_is_held_to_the_schema_by_the_server(server: ChatServer, remote: Any) -> None:
    answer = remote(server).generate(CHAT, json_schema=SCHEMA, **HOW)
    assert answer.parsed == {"intent": "buy", "count": 3}
    assert answer.structured == "server"
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == SCHEMA


def test_where_the_server_refuses_schemas_the_prompt_asks_and_the_record_says_so(
    server: ChatServer, remote: Any, tmp_path: Path
) -> None:
    server.takes_schemas = False
    generator = remote(server)
    answer = generator.generate(CHAT, json_schema=SCHEMA, **HOW)
    assert (answer.parsed, answer.structured) == ({"intent": "buy", "count": 3}, "asked")
    assert "response_format" not in server.bodies[1]
    assert "JSON Schema" in server.bodies[1]["messages"][0]["content"]
    generator.generate([{"role": "user", "content": "a mug, please"}], json_schema=SCHEMA, **HOW)
    assert len(server.bodies) == 3, "what the server refused once is not tried again"
    first, second = lines(tmp_path)
    assert (first["structured"], first["faults"], first["attempts"]) == ("asked", ["400"], 2)
    assert (second["structured"], second["faults"], second["attempts"]) == ("asked", [], 1)


def test_an_answer_outside_the_schema_raises_and_never_comes_back_parsed(
    server: ChatServer, remote: Any, tmp_path: Path
) -> None:
    narrow = {"type": "object", "required": ["colour"]}
    with pytest.raises(RemoteError, match="gave no usable answer in 3 attempts: invalid"):
        remote(server, structured="asked").generate(CHAT, json_schema=narrow, **HOW)
    assert [body["seed"] for body in server.bodies] == [1, 2, 3]
    assert lines(tmp_path)[0]["outcome"] == "invalid"


def test_an_answer_that_was_cut_by_max_tokens_says_so(server: ChatServer, remote: Any) -> None:
    generator = remote(server)
    answer = generator.generate(CHAT, max_tokens=3, temperature=0, seed=1)
    assert answer.finish_reason == "length"
    assert answer.tokens_out == 3


def test_a_kept_answer_costs_nothing_and_is_marked(server: ChatServer, remote: Any, tmp_path: Path) -> None:
    priced = {"price_in": 1.0, "price_out": 2.0}
    first = remote(server, **priced).generate(CHAT, json_schema=SCHEMA, **HOW)
    again = remote(server, **priced).generate(CHAT, json_schema=SCHEMA, **HOW)
    assert first.cost == pytest.approx((first.tokens_in + 2 * first.tokens_out) / 1e6)
    assert (again.parsed, again.cost, again.cached, first.cached) == (first.parsed, 0.0, True, False)
    assert len(server.bodies) == 1
    kept = lines(tmp_path)[1]
    assert (kept["outcome"], kept["attempts"], kept["tokens_in"], kept["money"]) == ("kept", 0, 0, 0.0)


@pytest.mark.parametrize("changed", ["messages", "max_tokens", "temperature", "seed", "schema", "model"])
def test_everything_that_decides_an_answer_is_in_its_key(
    server: ChatServer, remote: Any, changed: str
) -> None:
    remote(server).generate(CHAT, json_schema=SCHEMA, **HOW)
    how = {**HOW, "json_schema": SCHEMA}
    chat = CHAT
    if changed == "messages":
        chat = [{"role": "user", "content": "running shoes "}]
    elif changed == "schema":
        how["json_schema"] = {**SCHEMA, "title": "other"}
    elif changed == "model":
        server.root = "tiny-llama-2"
    else:
        how[changed] += 1
    assert not remote(server).generate(chat, **how).cached
    assert len(server.bodies) == 2


def test_without_a_cache_everything_is_asked_again(server: ChatServer, remote: Any, tmp_path: Path) -> None:
    generator = remote(server, cache=False)
    assert not any(generator.generate(CHAT, **HOW).cached for _ in range(2))
    assert len(server.bodies) == 2
    assert not (tmp_path / "remote" / "answers").exists()


def test_a_server_without_a_list_of_models_is_known_by_the_name_asked_for(
    server: ChatServer, remote: Any
) -> None:
    server.lists_models = False
    assert remote(server).generate(CHAT, **HOW).text == ANSWER
    assert remote(server).generate(CHAT, **HOW).cached


def test_usage_that_is_not_reported_is_booked_at_the_worst_case(
    server: ChatServer, remote: Any, tmp_path: Path
) -> None:
    server.tells_usage = False
    generator = remote(server)
    answer = generator.generate(CHAT, **HOW)
    real = len(server.decoder.chat(CHAT))
    assert answer.tokens_in > real
    assert answer.tokens_out == 40
    assert lines(tmp_path)[0]["tokens_assumed"] == generator.ledger.spent.tokens == answer.tokens_in + 40


def test_the_worst_case_is_never_under_what_the_server_counts(server: ChatServer, remote: Any) -> None:
    chats = [[{"role": "user", "content": text}] for text in ("", "naïve — €", "x" * 300, "<|im_end|>" * 20)]
    generator = remote(server)
    for chat in chats:
        most = generator.estimate_cost([chat], **HOW)
        answer = generator.generate(chat, **HOW)
        assert answer.tokens_in <= most.tokens_in
        assert answer.tokens_out <= most.tokens_out


def test_an_estimate_counts_what_is_not_kept_yet(server: ChatServer, remote: Any) -> None:
    generator = remote(server, price_in=1.0, price_out=10.0)
    chats = [CHAT, [{"role": "user", "content": "a mug, please"}]]
    before = generator.estimate_cost(chats, **HOW)
    generator.generate(CHAT, **HOW)
    after = generator.estimate_cost(chats, **HOW)
    assert (before.requests, before.cached, after.requests, after.cached) == (2, 0, 1, 1)
    assert after.tokens_out == 40
    assert after.money == pytest.approx((after.tokens_in + 10 * 40) / 1e6)


def test_a_remote_model_is_no_token_scorer(server: ChatServer, remote: Any) -> None:
    with pytest.raises(UnsupportedError, match="no TokenScorer"):
        remote(server).score(["a"], [["b"]])


@pytest.mark.parametrize(
    "messages", [[], ["text"], [{"role": "tool", "content": "x"}], [{"role": "user", "content": None}]]
)
def test_a_chat_that_is_none_is_refused(server: ChatServer, remote: Any, messages: Any) -> None:
    with pytest.raises(UsageError):
        remote(server).generate(messages, **HOW)
    assert not server.bodies


def test_text_that_no_utf8_can_hold_is_sent_with_a_question_mark(server: ChatServer, remote: Any) -> None:
    remote(server).generate([{"role": "user", "content": "a\ud800b"}], **HOW)
    assert server.bodies[0]["messages"][0]["content"] == "a?b"


def test_the_key_comes_from_the_variable_and_must_be_one(
    server: ChatServer, remote: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", "sk-planted-1")
    remote(server, api_key_variable="SHOP_KEY").generate(CHAT, **HOW)
    assert server.keys == ["Bearer sk-planted-1"]
    monkeypatch.setenv("SHOP_KEY", "sk-planted-1\nx: y")
    with pytest.raises(UsageError, match="SHOP_KEY") as refused:
        remote(server, api_key_variable="SHOP_KEY")
    assert "planted" not in str(refused.value)
    monkeypatch.delenv("SHOP_KEY")
    with pytest.raises(UsageError, match="SHOP_KEY is not set"):
        remote(server, api_key_variable="SHOP_KEY")


@pytest.mark.parametrize(
    "options",
    [
        {"api_key_variable": "sk-planted 1"},
        {"base_url": "https://user:planted@host/v1"},
        {"base_url": "https://host/v1?key=planted"},
        {"base_url": "http://planted.example/v1"},
        {"base_url": "ftp://planted"},
        {"max_money": 1.0},
    ],
)
def test_options_are_refused_without_being_quoted(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="RemoteOptions") as refused:
        RemoteGenerator.Options(**{"base_url": "https://host/v1", "model": "m", **options})
    assert "planted" not in str(refused.value)
