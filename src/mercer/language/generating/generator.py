"""LocalGenerator: answers to conversations by a decoder in this process.

Without a schema the text is greedy or drawn at a temperature and ends at the model's own stop tokens; many
conversations are written together. With a schema it is written by `ConstrainedDecoder`.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mercer.contracts import Generation
from mercer.errors import UnsupportedError, UsageError
from mercer.language.decoders.decoder import Decoder
from mercer.language.decoders.states import States, read, scores_of_all
from mercer.language.generating.choice import choose
from mercer.language.generating.constrained import ConstrainedDecoder
from mercer.language.generating.grammar import Grammar

if TYPE_CHECKING:
    import torch

Messages = Sequence[Mapping[str, str]]

ROWS = 16
"""Conversations written together at most."""

GRAMMARS = 32
"""Schemas whose grammars are kept, the latest asked for."""


@dataclass(slots=True)
class _Row:
    """One conversation being answered."""

    place: int
    prompt: list[int]
    left: int
    rng: np.random.Generator
    ids: list[int] = field(default_factory=list)
    finish: Literal["stop", "length"] = "length"

    @property
    def is_over(self) -> bool:
        return self.finish == "stop" or self.left == 0


class LocalGenerator:
    """TextGenerator of a Decoder.

    price_per_hour: of this machine; the cost of an answer is its share of the time at this price, 0 where none is
    told. fingerprint: of the decoder.

    Stability: caller stable.
    """

    def __init__(self, decoder: Decoder, *, price_per_hour: float | None = None) -> None:
        self.decoder = decoder
        self.fingerprint = decoder.fingerprint
        self._price = price_per_hour or 0.0
        self._grammars: OrderedDict[str, Grammar] = OrderedDict()

    @cached_property
    def constrained(self) -> ConstrainedDecoder:
        """The engine that writes by schemas."""
        return ConstrainedDecoder(self.decoder)

    def generate(
        self,
        messages: Messages,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Generation:
        """One answer; with a schema, `parsed` is valid against it or the call raises.

        json_schema: of the subset that `grammar.schema` lists. max_tokens: fewer where the window ends before.
        The same arguments give the same answer. Raises UsageError for messages that can't be rendered or fill the
        window, and for fewer tokens than the schema's shortest text takes; UnsupportedError for the schema.
        """
        return self.generate_many(
            [messages], max_tokens=max_tokens, temperature=temperature, seed=seed, json_schema=json_schema
        )[0]

    def generate_many(
        self,
        conversations: Sequence[Messages],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        json_schema: Mapping[str, Any] | None = None,
    ) -> list[Generation]:
        """An answer to each conversation, each drawn with the same seed as if it were alone.

        Together they are written several times as fast. Sums of products are added in another order then: where
        two tokens are equally likely to the last bits, an answer may differ from the one alone. With a schema they
        are written one by one.
        """
        if max_tokens < 1:
            raise UsageError(f"{max_tokens} tokens are asked for.", remedy="Ask for at least 1.")
        prompts = [self.decoder.chat(messages) for messages in conversations]
        for prompt in prompts:
            self.decoder.check_window(len(prompt), 1)
        if json_schema is not None:
            grammar = self._grammar(json_schema)
            return [self._by_grammar(prompt, grammar, max_tokens, temperature, seed) for prompt in prompts]
        rows = [
            _Row(
                place, prompt, min(max_tokens, self.decoder.window - len(prompt)), np.random.default_rng(seed)
            )
            for place, prompt in enumerate(prompts)
        ]
        rows.sort(key=lambda row: len(row.prompt))
        found: dict[int, Generation] = {}
        for begin in range(0, len(rows), ROWS):
            batch = rows[begin : begin + ROWS]
            started = time.perf_counter()
            self._write(batch, temperature)
            share = (time.perf_counter() - started) / len(batch)
            found |= {row.place: self._answer(row, share) for row in batch}
        return [found[place] for place in range(len(prompts))]

    def _write(self, rows: list[_Row], temperature: float) -> None:
        """Write all answers of a batch; those that end leave it."""
        import torch

        hidden, states = read(self.decoder, [row.prompt for row in rows])
        last = torch.stack([hidden[place, len(row.prompt) - 1] for place, row in enumerate(rows)])
        while rows:
            self._choose(rows, last, temperature)
            kept = [place for place, row in enumerate(rows) if not row.is_over]
            rows = [rows[place] for place in kept]
            if rows:
                last, states = self._step(rows, states, kept)

    def _step(
        self, rows: list[_Row], states: States | None, kept: list[int]
    ) -> tuple[torch.Tensor, States | None]:
        """Let the model read the token just chosen in each row that goes on."""
        assert states is not None
        before = states if len(kept) == len(states.lengths) else states.rows(kept)
        hidden, grown = read(self.decoder, [row.ids[-1:] for row in rows], before)
        return hidden[:, -1], grown

    def _choose(self, rows: list[_Row], last: torch.Tensor, temperature: float) -> None:
        scores = scores_of_all(self.decoder, last)
        for row, own in zip(rows, scores, strict=True):
            token, _ = choose(own, temperature, row.rng)
            row.left -= 1
            if token in self.decoder.stops:
                row.finish = "stop"
            else:
                row.ids.append(token)

    def _answer(self, row: _Row, seconds: float) -> Generation:
        return Generation(
            text=self.decoder.decode(row.ids),
            parsed=None,
            finish_reason=row.finish,
            tokens_in=len(row.prompt),
            tokens_out=len(row.ids),
            cost=self._cost(seconds),
            fingerprint=self.fingerprint,
        )

    def _by_grammar(
        self, prompt: list[int], grammar: Grammar, max_tokens: int, temperature: float, seed: int
    ) -> Generation:
        started = time.perf_counter()
        answer = self.constrained.decode(
            prompt, grammar, max_tokens=max_tokens, temperature=temperature, seed=seed
        )
        return Generation(
            text=answer.text,
            parsed=answer.value,
            finish_reason="stop" if answer.ended else "schema",
            tokens_in=len(prompt),
            tokens_out=len(answer.ids),
            cost=self._cost(time.perf_counter() - started),
            fingerprint=self.fingerprint,
        )

    def _cost(self, seconds: float) -> float:
        return seconds * self._price / 3_600

    def _grammar(self, schema: Mapping[str, Any]) -> Grammar:
        """The schema's grammar; kept, with what is found out about it, for the next call."""
        try:
            key = json.dumps(schema)
        except (TypeError, ValueError) as fault:
            raise UnsupportedError("The schema is no JSON.", remedy="Give plain dicts and lists.") from fault
        if key in self._grammars:
            self._grammars.move_to_end(key)
        else:
            self._grammars[key] = Grammar(schema)
            if len(self._grammars) > GRAMMARS:
                self._grammars.popitem(last=False)
        return self._grammars[key]
