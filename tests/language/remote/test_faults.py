"""The client before a server that fails in every way the proxy knows."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.remote.model import ANSWER, SCHEMA
from language.remote.proxy import FaultyProxy
from language.remote.quick import QuickClock
from mercer.errors import RemoteError, SpentError
from mercer.language.remote import RemoteGenerator

CHAT = [{"role": "user", "content": "running shoes"}]
HOW: dict[str, Any] = {"max_tokens": 40, "temperature": 0.0, "seed": 1}
MENDED = ("500", "503", "429", "429:1", "408", "409", "drop", "cut", "malformed", "shape")
FINAL = ("401", "403", "404", "422", "307")


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("word", [*MENDED, "delay"])
def test_a_fault_that_may_pass_is_tried_again(
    proxy: FaultyProxy, remote: Any, tmp_path: Path, word: str
) -> None:
    proxy.play([word, word])
    assert remote(proxy).generate(CHAT, **HOW).text == ANSWER
    asked = 1 if word == "delay" else 3
    (record,) = records(tmp_path / "remote")
    assert (proxy.posts, record["attempts"], len(record["faults"])) == (asked, asked, asked - 1)


@pytest.mark.parametrize("word", FINAL)
def test_a_refusal_is_final(proxy: FaultyProxy, remote: Any, word: str) -> None:
    proxy.play([word])
    with pytest.raises(RemoteError, match=word):
        remote(proxy).generate(CHAT, **HOW)
    assert proxy.posts == 1
    assert not any("elsewhere" in path for path in proxy.paths), "a redirect is not followed"


def test_a_server_that_keeps_failing_ends_in_a_remote_error(
    proxy: FaultyProxy, remote: Any, tmp_path: Path
) -> None:
    proxy.play(["500"] * 50)
    clock = QuickClock()
    with pytest.raises(RemoteError, match="in 4 attempts: 500"):
        remote(proxy, retries=3, clock=clock).generate(CHAT, **HOW)
    assert proxy.posts == 4
    assert [wait <= 0.5 * 2**at for at, wait in enumerate(clock.slept)] == [True] * 3
    assert records(tmp_path / "remote")[0]["outcome"] == "failed"


@pytest.mark.parametrize("word", ["429:7", "429:date"])
def test_the_wait_that_the_server_asks_for_is_kept(proxy: FaultyProxy, remote: Any, word: str) -> None:
    proxy.play([word])
    clock = QuickClock()
    remote(proxy, clock=clock).generate(CHAT, **HOW)
    (waited,) = clock.slept
    assert 5.5 <= waited <= 7.5


def test_a_wait_past_the_deadline_is_not_begun(proxy: FaultyProxy, remote: Any) -> None:
    proxy.play(["429:90"])
    clock = QuickClock()
    with pytest.raises(RemoteError, match="deadline"):
        remote(proxy, clock=clock, deadline_seconds=60.0).generate(CHAT, **HOW)
    assert clock.slept == []


def test_a_server_that_never_answers_ends_by_the_timeout(proxy: FaultyProxy, remote: Any) -> None:
    proxy.play(["silent"] * 5)
    began = time.monotonic()
    with pytest.raises(RemoteError, match="in 2 attempts: timeout"):
        remote(proxy, read_seconds=0.3, retries=1).generate(CHAT, **HOW)
    assert proxy.posts == 2
    assert time.monotonic() - began < 30, "two silences of 0.3 s"


def test_a_server_that_drips_ends_by_the_deadline(proxy: FaultyProxy, remote: Any) -> None:
    remote(proxy).estimate_cost([CHAT], **HOW)
    proxy.play(["drip"])
    with pytest.raises(RemoteError, match="deadline"):
        remote(proxy, deadline_seconds=1.0, cache=False).generate(CHAT, **HOW)


def test_nobody_at_the_address_is_a_remote_error(remote: Any, proxy: FaultyProxy) -> None:
    with pytest.raises(RemoteError, match="no connection"):
        remote(proxy, base_url="http://127.0.0.1:9/v1", retries=2).generate(CHAT, **HOW)


@given(
    script=st.lists(st.sampled_from((*MENDED, *FINAL, "ok", "echo", "400")), max_size=7),
    budget=st.integers(0, 6),
    schema=st.booleans(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_schedule_ends_in_a_right_answer_or_a_typed_error(
    proxy: FaultyProxy, script: list[str], budget: int, schema: bool
) -> None:
    proxy.play(script)
    with tempfile.TemporaryDirectory() as scratch:
        options = RemoteGenerator.Options(
            base_url=proxy.base_url, model="tiny", max_requests=budget, folder=Path(scratch), retries=3
        )
        with RemoteGenerator(options, clock=QuickClock(), jitter_seed=1) as generator:
            try:
                answer = generator.generate(CHAT, json_schema=SCHEMA if schema else None, **HOW)
            except (RemoteError, SpentError) as fault:
                outcome = "spent" if isinstance(fault, SpentError) else ("failed", "invalid")
            else:
                outcome = "answered"
                # Without a schema, whatever text a 200 holds is the answer.
                assert schema or "echo" in script or answer.text == ANSWER
                assert not schema or answer.parsed == {"intent": "buy", "count": 3}
            assert proxy.posts <= budget
            assert generator.ledger.spent.requests == proxy.posts
        (record,) = records(Path(scratch))
        assert record["outcome"] in outcome
        assert record["attempts"] == proxy.posts


def test_nothing_of_prompt_or_key_is_in_errors_logs_or_the_record(
    proxy: FaultyProxy,
    remote: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("SHOP_KEY", "sk-planted-key")
    caplog.set_level(logging.DEBUG)
    chat = [{"role": "user", "content": "planted-prompt of planted-person"}]
    said: list[str] = []
    words = (*MENDED, *FINAL, "400", "echo", "silent")
    for word in words:
        proxy.play([word] * 9)
        generator = remote(
            proxy,
            api_key_variable="SHOP_KEY",
            retries=1,
            invalid_retries=1,
            read_seconds=0.2,
            mark=lambda one: "p:1",
        )
        with pytest.raises(RemoteError) as fault:
            generator.generate(chat, json_schema=SCHEMA, subjects=["planted-person"], **HOW)
        said += [str(fault.value), fault.value.remedy, repr(fault.value)]
        assert fault.value.__cause__ is None
        assert fault.value.__suppress_context__ or fault.value.__context__ is None
    proxy.play(["echo"])
    remote(proxy, api_key_variable="SHOP_KEY").generate(chat, **HOW)
    assert len(records(tmp_path / "remote")) == len(words) + 1
    said += [(tmp_path / "remote" / "audit.jsonl").read_text(), caplog.text]
    assert len(caplog.text) > 1_000, "the libraries below did log"
    for text in said:
        assert "planted" not in text
    assert records(tmp_path / "remote")[-1]["model"] is None, "a sentence is no model's name"
