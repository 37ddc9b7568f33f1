"""An OpenAI-compatible server over a tiny decoder, in a thread of the test's process, on the loopback.

It really runs the model: free text is decoded greedily; with a schema, the answer that the model finds likeliest
among all that the schema allows. `transformers serve` takes no schemas, hence this one; it has a test of its own.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fastapi
import uvicorn

from mercer.language.decoders.decoder import Decoder


class ChatServer:
    """The server's state, which tests read and turn."""

    def __init__(self, folder: Path) -> None:
        self.decoder = Decoder.load(folder, precision="fp32")
        self.name = "tiny"
        self.root = "tiny-llama-1"
        self.takes_schemas = True
        self.tells_usage = True
        self.lists_models = True
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.base_url = ""
        self._lock = threading.Lock()

    def reset(self) -> None:
        """As at the start."""
        self.root, self.takes_schemas, self.tells_usage = "tiny-llama-1", True, True
        self.lists_models = True
        self.bodies.clear()
        self.keys.clear()

    def app(self) -> fastapi.FastAPI:
        """The two routes."""
        app = fastapi.FastAPI()

        @app.get("/v1/models")
        def models() -> Any:
            if not self.lists_models:
                return fastapi.responses.JSONResponse({"error": "no list"}, 404)
            return {"object": "list", "data": [{"id": self.name, "object": "model", "root": self.root}]}

        @app.post("/v1/chat/completions")
        def chat(body: dict[str, Any], request: fastapi.Request) -> Any:
            with self._lock:
                self.bodies.append(body)
                self.keys.append(request.headers.get("authorization"))
                if body["model"] != self.name:
                    return fastapi.responses.JSONResponse({"error": "no such model"}, 404)
                if "response_format" in body and not self.takes_schemas:
                    return fastapi.responses.JSONResponse({"error": "response_format is not known"}, 400)
                return self._answer(body)

        return app

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        import torch

        ids = self.decoder.chat(body["messages"])
        form = body.get("response_format")
        if form is not None:
            texts = list(_texts(form["json_schema"]["schema"]))
            text = max(texts, key=lambda one: self._likelihood(ids, one))
            new, finish = self.decoder.encode(text), "stop"
        else:
            with torch.inference_mode():
                out = self.decoder.model.generate(
                    torch.tensor([ids]), max_new_tokens=body["max_tokens"], do_sample=False
                )
            new = out[0, len(ids) :].tolist()
            ended = bool(new) and new[-1] in self.decoder.stops
            finish = "stop" if ended else "length"
            text = self.decoder.decode(new[:-1] if ended else new)
        answer: dict[str, Any] = {
            "id": "chat-1", "object": "chat.completion", "created": 0, "model": self.name,
            "system_fingerprint": f"fp-{self.root}",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
        }  # fmt: skip
        if self.tells_usage:
            answer["usage"] = {"prompt_tokens": len(ids), "completion_tokens": len(new)}
        return answer

    def _likelihood(self, prompt: list[int], text: str) -> float:
        import torch

        new = self.decoder.encode(text)
        with torch.inference_mode():
            logits = self.decoder.model(input_ids=torch.tensor([[*prompt, *new]])).logits[
                0, len(prompt) - 1 : -1
            ]
        rows = torch.log_softmax(logits.float(), -1)[torch.arange(len(new)), torch.tensor(new)]
        return float(rows.sum())


def _texts(schema: dict[str, Any]) -> Iterator[str]:
    """Every answer that an object of enums and small integers can be."""
    values = [
        one["enum"] if "enum" in one else range(one["minimum"], one["maximum"] + 1)
        for one in schema["properties"].values()
    ]
    for chosen in itertools.product(*values):
        yield json.dumps(dict(zip(schema["properties"], chosen, strict=True)))


@contextmanager
def served(server: ChatServer) -> Iterator[ChatServer]:
    """Serve it on a free port of the loopback."""
    config = uvicorn.Config(server.app(), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    server.base_url = f"http://127.0.0.1:{port}/v1"
    yield server
    running.should_exit = True
    thread.join(10)
