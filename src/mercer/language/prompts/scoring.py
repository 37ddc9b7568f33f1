"""What a prompt says of candidates: pointwise mutual information, or the label of a list.

Scored: log p(text | what is asked) - log p(text | nothing), in nats, so that a text that is likely anyhow gains
nothing, and 0 means that the question changes nothing. Each candidate is scored on its own. Listed: the
log-probability of each candidate's label among the labels, averaged over orders of the list; there a text can sway
its neighbours, which is why it is never the default.
Source of the score: Holtzman et al., Surface Form Competition, EMNLP 2021 (domain-conditional PMI).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mercer.errors import UnsupportedError
from mercer.language.decoders import Decoder
from mercer.language.prompts.prompt import Listed, Prompt, Scored
from mercer.language.prompts.rendering import LABELS, Messages, Renderer, Values, plain
from mercer.language.prompts.templates import fill, names
from mercer.language.scoring import LocalScorer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MARKS = 16
"""Tokens that a chat template may put around a message, at most."""


@dataclass
class PromptScorer:
    """One prompt in one wording with one model. per: divide by the tokens of the text scored, or not.

    orders: of a list that one prompt holds.
    """

    prompt: Prompt
    decoder: Decoder
    wording: int = 0
    per: Literal["token", "text"] = "token"
    orders: int = 2
    _renderer: Renderer = field(init=False)
    _scorer: LocalScorer = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.prompt.answer, Scored | Listed):
            raise UnsupportedError(
                f"{self.prompt.name} is a prompt for writing; it scores no candidates.",
                remedy="Choose one whose answer has the form `scored` or `listed`.",
            )
        self._renderer = Renderer(self.prompt, self.decoder, self.wording)
        self._scorer = LocalScorer(self.decoder)

    def check_window(self, *, examples: int, candidates: int, told: int) -> None:
        """Raises UsageError where the longest prompt that the limits allow would not fit into the model's window.

        examples: in a prompt. candidates: of a prompt that lists them. told: texts of a list that is asked about.
        """
        prompt, longest = self.prompt, self._longest
        total = longest(prompt.wordings[self.wording]) + examples * longest(prompt.example)
        total += sum(longest(message.template, told) + _MARKS for message in prompt.messages)
        if isinstance(prompt.answer, Listed):
            total += candidates * longest(prompt.answer.candidate)
        assert isinstance(prompt.answer, Scored | Listed)
        self.decoder.check_window(total, longest(prompt.answer.template))

    def _longest(self, template: str, told: int = 1) -> int:
        """Tokens of a template with every value at its limit."""
        variables = self.prompt.variables
        named = [variables[name] for name in names(template) if name in variables]
        values = [one.tokens * (min(told, one.most) if one.type == "list of text" else 1) for one in named]
        return len(self.decoder.encode(template)) + sum(values)

    def say(
        self, asked: Values, candidates: Sequence[Values], examples: Sequence[Mapping[str, Any]] = ()
    ) -> Floats:
        """What the prompt says of each candidate, shape (n,), in nats; higher is better.

        asked: the values that stand for the question. It depends on these arguments alone, never on another request.
        """
        if not candidates:
            return np.zeros(0)
        if isinstance(self.prompt.answer, Listed):
            return self._listed(self.prompt.answer, asked, candidates, examples)
        assert isinstance(self.prompt.answer, Scored)
        return self._scored(self.prompt.answer, asked, candidates, examples)

    def _scored(
        self, answer: Scored, asked: Values, candidates: Sequence[Values], examples: Sequence[Values]
    ) -> Floats:
        pairs: list[tuple[Messages, str]] = []
        for one in candidates:
            values = {**asked, **one}
            text = self._renderer.text(answer.template, values)
            known = self._renderer.messages(values, examples=examples)
            unknown = self._renderer.messages(values, examples=examples, templates=answer.without)
            pairs += [(known, text), (unknown, text)]
        found, tokens = self._log_probabilities(pairs)
        gain = found[::2] - found[1::2]
        return gain / np.maximum(tokens[::2], 1) if self.per == "token" else gain

    def _listed(
        self, answer: Listed, asked: Values, candidates: Sequence[Values], examples: Sequence[Values]
    ) -> Floats:
        n = len(candidates)
        shifts = sorted({order * n // self.orders for order in range(self.orders)})
        pairs: list[tuple[Messages, str]] = []
        for shift in shifts:
            shown = [candidates[(place + shift) % n] for place in range(n)]
            messages = self._renderer.messages(asked, examples=examples, candidates=shown)
            pairs += [(messages, fill(answer.template, {"label": label})) for label in LABELS[:n]]
        by_place = self._log_probabilities(pairs)[0].reshape(len(shifts), n)
        by_place = by_place - np.logaddexp.reduce(by_place, axis=1, keepdims=True)
        said = [by_place[row, (np.arange(n) - shift) % n] for row, shift in enumerate(shifts)]
        return np.asarray(np.mean(said, axis=0), np.float64)

    def _log_probabilities(self, pairs: Sequence[tuple[Messages, str]]) -> tuple[Floats, Ints]:
        """log p(text | messages) of each pair, and the tokens of each text; pairs of one prompt share its reading."""
        prompts: dict[str, list[int]] = {}
        rows: dict[str, list[int]] = {}
        for at, (messages, _) in enumerate(pairs):
            key = repr(messages)
            if key not in prompts:
                prompts[key] = self._ids(messages)
            rows.setdefault(key, []).append(at)
        texts = [[self.decoder.encode(pairs[at][1], joined=True) for at in own] for own in rows.values()]
        found, tokens = np.empty(len(pairs)), np.empty(len(pairs), np.int64)
        for own, scores in zip(
            rows.values(), self._scorer.score_ids(list(prompts.values()), texts), strict=True
        ):
            found[own], tokens[own] = scores.log_probability, scores.tokens
        return found, tokens

    def _ids(self, messages: Messages) -> list[int]:
        if self.prompt.style == "chat":
            return self.decoder.chat(messages)
        return self.decoder.start + self.decoder.encode(plain(messages))
