"""An OpenAI-compatible server over a tiny decoder, in a thread of the test's process, on the loopback.

It really runs the model: free text is decoded greedily; with a schema, the answer that the model finds likeliest
among all that the schema allows. `transformers serve` takes no schemas, hence this one; it has a test of its own.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterable, Iterator
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
                if "response_format" in body and not (self.takes_schemas and _is_small(body)):
                    return fastapi.responses.JSONResponse({"error": "response_format is not known"}, 400)
                return self._answer(body)

        return app

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        import torch

        ids = self.decoder.chat(body["messages"])
        form = body.get("response_format")
        if form is not None:
            text, new = self._likeliest(ids, form["json_schema"]["schema"])
            finish = "stop" if len(new) <= body["max_tokens"] else "length"
            if finish == "length":
                new = new[: body["max_tokens"]]
                text = self.decoder.decode(new)
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

    def _likeliest(self, prompt: list[int], schema: dict[str, Any]) -> tuple[str, list[int]]:
        """The text that the model finds likeliest among all that the schema allows, and its tokens."""
        import torch

        texts = list(_texts(schema))
        rows = [self.decoder.encode(text) for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([[*prompt, *row, *[0] * (longest - len(row))] for row in rows])
        with torch.inference_mode():
            logits = self.decoder.model(input_ids=ids).logits[:, len(prompt) - 1 : -1].float()
        each = torch.log_softmax(logits, -1).gather(2, ids[:, len(prompt) :, None])[:, :, 0]
        counted = torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]
        best = int((each * counted).sum(1).argmax())
        return texts[best], rows[best]


def _is_small(body: dict[str, Any]) -> bool:
    return "properties" in body["response_format"]["json_schema"]["schema"]


def _texts(schema: dict[str, Any]) -> Iterator[str]:
    """Every answer that an object of enums, booleans and small integers can be."""
    for chosen in itertools.product(*(list(_values(one)) for one in schema["properties"].values())):
        yield json.dumps(dict(zip(schema["properties"], chosen, strict=True)))


def _values(schema: dict[str, Any]) -> Iterable[Any]:
    if schema.get("type") == "boolean":
        return (False, True)
    return schema["enum"] if "enum" in schema else range(schema["minimum"], schema["maximum"] + 1)


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
