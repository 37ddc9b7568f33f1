"""A question as it is sent: messages, parameters and schema; its key in the cache and its worst case."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.errors import UsageError
from mercer.language.remote.ledger import Usage
from mercer.language.remote.options import RemoteOptions
from mercer.language.remote.structured import Schema

ROLES = ("system", "user", "assistant")
TOKENS_PER_MESSAGE = 16
"""What a chat template adds around a message, at most; ChatML takes 5."""
TOKENS_PER_CHAT = 64
"""What it adds once, such as a system message of its own."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request for an answer."""

    messages: tuple[dict[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int
    schema: Schema | None

    @classmethod
    def of(
        cls,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None,
    ) -> Question:
        """Checked. Lone surrogates, which no UTF-8 text can hold, become question marks.

        Raises UsageError, quoting nothing, for another role, an empty chat, or parameters out of range.
        """
        chat = tuple(_message(one) for one in messages)
        if not chat:
            raise UsageError("There is no message.", remedy="Give at least one.")
        if max_tokens < 1 or not 0 <= temperature <= 2:
            raise UsageError("max_tokens must be 1 or more, and temperature from 0 to 2.")
        schema = None if json_schema is None else Schema(json_schema)
        return cls(chat, int(max_tokens), float(temperature), int(seed), schema)

    def text(self) -> str:
        """Everything that is sent but the address: what the audit's hash is of."""
        return json.dumps(
            [self.messages, self.max_tokens, self.temperature, self.seed, self.schema and self.schema.text]
        )

    def key(self, identity: Mapping[str, Any]) -> str:
        """SHA-256 of `identity` (server, model as reported, ...) and all that decides the answer."""
        content = json.dumps([1, identity, self.text()], sort_keys=True)
        return hashlib.sha256(content.encode("ascii")).hexdigest()

    def most(self, options: RemoteOptions) -> Usage:
        """The worst case of one request.

        A token is at least a byte of UTF-8 where the tokenizer works on bytes, as those of the GPT, LLaMA and Mistral
        families do; the schema is counted twice, since JSON may escape it.
        """
        tokens_in = self.most_tokens_in()
        return Usage(1, tokens_in + self.max_tokens, options.money(tokens_in, self.max_tokens))

    def most_tokens_in(self) -> int:
        """Tokens of the prompt in the worst case."""
        size = sum(len(one["content"].encode("utf-8")) for one in self.messages)
        size += 0 if self.schema is None else 2 * len(self.schema.instruction())
        return size + TOKENS_PER_MESSAGE * (len(self.messages) + 1) + TOKENS_PER_CHAT

    def body(self, model: str, *, structured: str, invalid: int) -> dict[str, Any]:
        """The request's JSON. invalid: answers thrown away until now; each moves the seed on by one."""
        body: dict[str, Any] = {
            "model": model,
            "messages": list(self.messages),
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed + invalid,
            "stream": False,
        }
        if self.schema is not None and structured == "server":
            body["response_format"] = self.schema.response_format()
        elif self.schema is not None:
            body["messages"] = _instructed(self.messages, self.schema.instruction())
        return body


def _instructed(messages: Sequence[dict[str, str]], instruction: str) -> list[dict[str, str]]:
    """With one system message: many chat templates refuse a second."""
    if messages[0]["role"] != "system":
        return [{"role": "system", "content": instruction}, *messages]
    first = {"role": "system", "content": f"{messages[0]['content']}\n\n{instruction}"}
    return [first, *messages[1:]]


def _message(one: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(one, Mapping) or set(one) != {"role", "content"} or one["role"] not in ROLES:
        raise UsageError(f"A message has a role ({', '.join(ROLES)}) and a content, and nothing else.")
    if not isinstance(one["content"], str):
        raise UsageError("The content of a message is text.")
    return {"role": one["role"], "content": one["content"].encode("utf-8", "replace").decode("utf-8")}
