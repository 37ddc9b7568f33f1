"""The client before `transformers serve`, another's implementation of the protocol, with the same tiny model."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from language.remote.model import ANSWER, SCHEMA
from language.remote.proxy import proxied
from mercer.errors import RemoteError
from mercer.language.remote import RemoteGenerator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("openai") is None, reason="transformers serve needs the package openai"
    ),
]
CHAT = [{"role": "user", "content": "running shoes"}]
HOW: dict[str, Any] = {"max_tokens": 40, "temperature": 0.0, "seed": 1}


@pytest.fixture(scope="module")
def url(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [Path(sys.executable).parent / "transformers", "serve", model_folder, "--host", "127.0.0.1"]
    settings = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hub"))}
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--device", "cpu"],
            stdout=said,
            stderr=said,
            env={**os.environ, **settings},
        )
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, log.read_text()[-2_000:]
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def make(url: str, model: Path, folder: Path, **changed: Any) -> RemoteGenerator:
    options = RemoteGenerator.Options(
        base_url=url, model=str(model), folder=folder, read_seconds=30, **changed
    )
    return RemoteGenerator(options, jitter_seed=1)


def test_it_answers_through_a_failing_proxy(url: str, model_folder: Path, tmp_path: Path) -> None:
    with proxied(url) as proxy, make(proxy.base_url, model_folder, tmp_path) as generator:
        for at, script in enumerate((["ok"], ["500", "cut", "429:0", "ok"], ["malformed", "drop", "delay"])):
            proxy.play(script)
            answer = generator.generate(CHAT, max_tokens=40, temperature=0, seed=at)
            assert (answer.text, answer.tokens_out > 0, answer.cached) == (ANSWER, True, False)
            assert proxy.posts == len(script)


def test_it_ignores_schemas_so_the_prompt_must_ask(url: str, model_folder: Path, tmp_path: Path) -> None:
    with make(url, model_folder, tmp_path / "a", invalid_retries=0) as generator:
        never = {"type": "object", "required": ["colour"]}
        with pytest.raises(RemoteError, match="invalid"):
            generator.generate(CHAT, json_schema=never, **HOW)
    with make(url, model_folder, tmp_path / "b", structured="asked") as generator:
        answer = generator.generate(CHAT, json_schema=SCHEMA, **HOW)
    assert (answer.parsed, answer.structured) == ({"intent": "buy", "count": 3}, "asked")
