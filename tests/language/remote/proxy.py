"""A TCP proxy on the loopback that does to each request what its script says.

ok            hand it on                              delay         hand it on after 0.2 s
500, 503, 408, 409, 401, 422                          answer that status, quoting the whole request
429           the same, without a wait                429:7         with `Retry-After: 7`
429:date      with a date 7 s ahead                   307           redirect to another address of this server
drop          close without an answer                 cut           close in the middle of the body
silent        say nothing until the client leaves     drip          a byte of the body every 50 ms
malformed     200 with half a JSON                    shape         200 with JSON that is no completion
echo          200 whose model, usage and content quote the request
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from urllib.parse import urlsplit


class FaultyProxy:
    """Forwards to `upstream`; each POST takes the next word of `script`, and `ok` once it is used up."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.script: list[str] = []
        self.posts = 0
        self.paths: list[str] = []
        self.most_at_once = 0
        self.base_url = ""
        self._open = 0
        self._lock = threading.Lock()

    def play(self, script: Iterable[str]) -> None:
        """Start anew with this script."""
        with self._lock:
            self.script, self.posts, self.most_at_once = list(script), 0, 0
            self.paths.clear()

    @contextmanager
    def next(self, method: str, path: str) -> Iterator[str]:
        """The word for the request at hand, while it is under way."""
        with self._lock:
            word = "ok"
            self.paths.append(path)
            if method == "POST":
                word = self.script[self.posts] if self.posts < len(self.script) else "ok"
                self.posts += 1
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            yield word
        finally:
            with self._lock:
                self._open -= 1


@dataclass
class _Request:
    method: str
    path: str
    headers: Message
    body: bytes
    text: str


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            request = self._read()
            if request is not None:
                with self.server.proxy.next(request.method, request.path) as word:
                    self._do(word, request)

    def _read(self) -> _Request | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return None
            head += line
        first, rest = head.split(b"\r\n", 1)
        method, path, _ = first.decode().split()
        headers = http.client.parse_headers(io.BytesIO(rest))
        body = self.rfile.read(int(headers.get("content-length") or 0))
        return _Request(method, path, headers, body, (head + body).decode("utf-8", "replace"))

    def _do(self, word: str, request: _Request) -> None:
        kind, _, detail = word.partition(":")
        if kind.isdecimal():
            self._send(json.dumps({"error": request.text}).encode(), int(kind), self._extra(kind, detail))
        elif word == "silent":
            self.connection.settimeout(10)
            self.connection.recv(1)
        elif word == "malformed":
            self._send(b'{"choices": [{"message": {"content": "ye')
        elif word == "shape":
            self._send(json.dumps({"error": request.text}).encode())
        elif word == "echo":
            self._send(_echo(request.text))
        elif word != "drop":
            self._forward(word, request)

    def _extra(self, kind: str, detail: str) -> str:
        if kind == "307":
            return f"Location: http://127.0.0.1:{self.server.server_address[1]}/elsewhere\r\n"
        if detail == "date":
            return (
                f"Retry-After: {format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)}\r\n"
            )
        return f"Retry-After: {detail}\r\n" if detail else ""

    def _forward(self, word: str, request: _Request) -> None:
        if word == "delay":
            time.sleep(0.2)
        link = http.client.HTTPConnection(self.server.proxy.upstream, timeout=20)
        kept = {
            key: value for key, value in request.headers.items() if key.lower() not in ("host", "connection")
        }
        link.request(request.method, request.path, request.body or None, kept)
        response = link.getresponse()
        body = response.read()
        link.close()
        if word == "drip":
            self._head(len(body), response.status)
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                time.sleep(0.05)
        elif word == "cut":
            self._head(len(body), response.status)
            self.wfile.write(body[: len(body) // 2])
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._send(body, response.status)

    def _send(self, body: bytes, status: int = 200, extra: str = "") -> None:
        self._head(len(body), status, extra)
        self.wfile.write(body)

    def _head(self, length: int, status: int, extra: str = "") -> None:
        lines = (
            f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{extra}"
        )
        self.wfile.write(f"{lines}Connection: close\r\n\r\n".encode())


def _echo(text: str) -> bytes:
    choice = {"message": {"content": text}, "finish_reason": text}
    told = {
        "model": text,
        "system_fingerprint": text,
        "usage": {"prompt_tokens": text, "completion_tokens": -1},
    }
    return json.dumps({**told, "choices": [choice]}).encode()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    proxy: FaultyProxy


@contextmanager
def proxied(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy before `upstream`, on a free port of the loopback."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = FaultyProxy(upstream)
        server.proxy.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.proxy
        server.shutdown()
        thread.join(10)
