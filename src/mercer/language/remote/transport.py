"""One HTTP exchange with the server: what it answered, or what went wrong and whether to try again.

Nothing but the server's address is contacted: redirects are not followed, and proxies and certificates that
environment variables name are not used. Nothing that the server or the library says ends in a message: either may
quote the prompt or the key.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer import environment
from mercer.errors import MissingExtraError, UsageError
from mercer.language.remote.clock import Clock
from mercer.language.remote.options import RemoteOptions
from mercer.language.remote.waiting import asked_wait

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 16 * 2**20
"""An answer longer than this is dropped."""
MOST_TOKENS = 10**9
"""A server that says it used more is not believed."""
AGAIN = frozenset({408, 409, 429})
"""Statuses under 500 that another attempt may mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An exchange without a usable answer.

    kind: a short word for records and messages. status: of HTTP, 0 where none came. again: whether another attempt
    may mend it. asked: seconds the server asks to wait. billed: whether the server may have computed an answer.
    """

    kind: str
    status: int = 0
    again: bool = False
    asked: float | None = None
    billed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A chat completion. Tokens are None where the server did not say them; names are None likewise."""

    text: str
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None
    model: str | None
    system_fingerprint: str | None


class Transport:
    """HTTP to one server. Threads may share it; `close` it in the end."""

    def __init__(self, options: RemoteOptions, clock: Clock) -> None:
        """Raises MissingExtraError without httpx, UsageError for a key or certificates that can't be used."""
        try:
            import httpx
        except ModuleNotFoundError:
            raise MissingExtraError("httpx", "remote") from None
        self._options = options
        self._clock = clock
        headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "mercer"}
        if options.api_key_variable is not None:
            headers["authorization"] = f"Bearer {_key(options.api_key_variable)}"
        self._client = httpx.Client(
            headers=headers,
            verify=_certificates(options),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=options.max_concurrency),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, body: Mapping[str, Any], deadline: float) -> Reply | Fault:
        """One chat completion. deadline: of the clock; an answer that is not whole by then is cut."""
        content = json.dumps(body, allow_nan=False).encode("ascii")
        found = self._exchange("POST", "/chat/completions", content, deadline)
        if isinstance(found, Fault):
            return found
        return _reply(found) or Fault(kind="malformed", status=200, again=True, billed=True)

    def models(self, deadline: float) -> list[dict[str, Any]] | Fault:
        """What the server says of its models."""
        found = self._exchange("GET", "/models", None, deadline)
        if isinstance(found, Fault):
            return found
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            return Fault(kind="malformed", status=200, again=True)
        return [one for one in listed if isinstance(one, dict)]

    def _exchange(self, method: str, path: str, content: bytes | None, deadline: float) -> Any:
        """The JSON value of a 200, or a Fault."""
        import httpx

        left = deadline - self._clock.now()
        if left <= 0:
            return Fault(kind="deadline")
        options = self._options
        timeout = httpx.Timeout(
            connect=min(options.connect_seconds, left),
            read=min(options.read_seconds, left),
            write=min(options.read_seconds, left),
            pool=left,
        )
        kind = {} if content is None else {"content-type": "application/json"}
        try:
            request = self._client.build_request(
                method, options.base_url + path, content=content, headers=kind, timeout=timeout
            )
            response = self._client.send(request, stream=True)
            try:
                if response.status_code != 200:
                    return self._refused(response)
                return self._value(response, deadline)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Fault(kind="no connection", again=True)
        except httpx.TimeoutException:
            return Fault(kind="timeout", again=True, billed=True)
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            return Fault(kind="cut", again=True, billed=True)
        except httpx.DecodingError:
            return Fault(kind="malformed", status=200, again=True, billed=True)
        except (httpx.HTTPError, httpx.InvalidURL):
            return Fault(kind="unusable")

    def _refused(self, response: httpx.Response) -> Fault:
        status = response.status_code
        again = status in AGAIN or status >= 500
        asked = asked_wait(response.headers.get("retry-after"), self._clock.time()) if again else None
        return Fault(kind=str(status), status=status, again=again, asked=asked)

    def _value(self, response: httpx.Response, deadline: float) -> Any:
        # Piece by piece: a server that drips never trips the read timeout.
        held = bytearray()
        for piece in response.iter_bytes():
            held += piece
            if len(held) > MOST_BYTES:
                return Fault(kind="too long", status=200, billed=True)
            if self._clock.now() > deadline:
                return Fault(kind="deadline", status=200, billed=True)
        try:
            return json.loads(held)
        except (ValueError, RecursionError):
            return Fault(kind="malformed", status=200, again=True, billed=True)


def _reply(value: Any) -> Reply | None:
    """The completion in a server's JSON; None where it is none."""
    try:
        choice = value["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
        usage = value.get("usage")
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    withheld = finish == "content_filter" or bool(choice["message"].get("refusal"))
    if not isinstance(text, str) and not withheld:
        return None
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        text=text if isinstance(text, str) else "",
        finish_reason="withheld" if withheld else "length" if finish == "length" else "stop",
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        model=printable(value.get("model")),
        system_fingerprint=printable(value.get("system_fingerprint")),
    )


def _count(value: Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return value if known else None


def printable(name: Any) -> str | None:
    """A name that a server gave, where it looks like one; it goes into records, so a sentence is none."""
    if isinstance(name, str) and re.fullmatch(r"[\w.:/@+=,-]{1,200}", name, re.ASCII):
        return name
    return None


def _key(variable: str) -> str:
    key = environment.variable(variable)
    # The HTTP library would quote an illegal header in its error.
    if key is None or not re.fullmatch(r"[!-~]{1,4096}", key):
        raise UsageError(
            f"The environment variable {variable} is not set, or holds no key of plain characters.",
            remedy="Set it to the server's key.",
        )
    return key


def _certificates(options: RemoteOptions) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if options.ca_file is None else str(options.ca_file))
    except (OSError, ssl.SSLError):
        raise UsageError("ca_file can't be read as certificates.", remedy="Give a PEM file.") from None
