"""ConstrainedDecoder: text that a grammar lets through, written by a decoder.

Text that the grammar forces costs no step: it is cut into tokens as the tokenizer does and read together with
the next step's input. Its last token is left open where a longer token could go on from there ('":[' or '":[{"'),
because a model that has learned the longer one would take the shorter for a sign that it does not come. The
number of tokens is kept: only tokens are taken after which the text can still be closed in time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError
from mercer.language.decoders.decoder import Decoder
from mercer.language.decoders.states import States, read, scores_of
from mercer.language.generating.choice import choose
from mercer.language.generating.grammar.node import Node
from mercer.language.generating.grammar.schema import Grammar
from mercer.language.generating.grammar.vocabulary import Allowed, Vocabulary

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of prompts, read once: its tokens and the model's states after them."""

    ids: tuple[int, ...]
    states: States


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that the grammar lets through.

    ids: its tokens. steps: how often the model was asked. log_probability: of the tokens chosen, each among those
    that were allowed; forced ones are certain. least: the lowest of these, 0 where nothing was chosen.
    ended: whether the model ended a text that could have gone on.
    """

    ids: list[int]
    text: str
    steps: int
    log_probability: float
    least: float
    ended: bool

    @property
    def value(self) -> Any:
        """What the text says as JSON."""
        return json.loads(self.text)


@dataclass(slots=True)
class _Known:
    """What was found out about the states of one grammar."""

    allowed: dict[Node, Allowed] = field(default_factory=dict)
    closing: dict[Node, list[int]] = field(default_factory=dict)
    forced: dict[Node, tuple[list[int], Node]] = field(default_factory=dict)


@dataclass(slots=True)
class _Writing:
    """A text being written. unread: tokens that the model has not seen. plan: tokens that close it from here."""

    node: Node
    unread: list[int]
    states: States | None
    left: int
    plan: list[int]
    ids: list[int] = field(default_factory=list)
    steps: int = 0
    logs: list[float] = field(default_factory=list)
    ended: bool = False

    def add(self, tokens: list[int], node: Node) -> None:
        self.ids += tokens
        self.unread += tokens
        self.left -= len(tokens)
        self.node = node


class ConstrainedDecoder:
    """Writes by grammars. What is found out about a grammar is kept as long as the grammar is.

    Stability: caller stable.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.vocabulary = Vocabulary(decoder)
        self._known: WeakKeyDictionary[Grammar, _Known] = WeakKeyDictionary()

    def prefix(self, ids: Sequence[int]) -> Prefix:
        """Read the beginning of later prompts, such as an instruction, once and for all."""
        self.decoder.check_window(len(ids), 1)
        _, states = read(self.decoder, [list(ids)])
        assert states is not None
        return Prefix(tuple(ids), states)

    def decode(
        self,
        prompt: Sequence[int],
        grammar: Grammar,
        *,
        max_tokens: int,
        prefix: Prefix | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Answer:
        """Write one text.

        prompt: all of its tokens, those of the prefix included; what both begin with is not read again, and a
        prefix that differs from some token on serves until there. max_tokens: of the text, forced ones included.
        temperature: 0 takes the likeliest token.
        Raises UsageError for an empty prompt, one that fills the window, and fewer tokens than the grammar's
        shortest text takes.
        """
        self.decoder.check_window(len(prompt), 1)
        known = self._known.setdefault(grammar, _Known())
        left = min(max_tokens, self.decoder.window - len(prompt))
        plan = self._closing(grammar.start, known)
        if len(plan) > left:
            raise UsageError(
                f"The shortest text of the schema takes {len(plan)} tokens, but only {max(left, 0)} are left.",
                remedy="Allow more tokens, or shorten the prompt.",
            )
        states, unread = _resume(list(prompt), prefix)
        writing = _Writing(grammar.start, unread, states, left, plan)
        rng = np.random.default_rng(seed)
        while not self._is_over(writing, known):
            self._choose(writing, known, temperature, rng)
        text = b"".join(self.vocabulary.bytes[token] for token in writing.ids).decode()
        return Answer(
            writing.ids,
            text,
            writing.steps,
            math.fsum(writing.logs),
            min(writing.logs, default=0.0),
            writing.ended,
        )

    def _is_over(self, writing: _Writing, known: _Known) -> bool:
        """Append what is forced; say whether the text is complete."""
        if writing.ended:
            return True
        if writing.node not in known.forced:
            known.forced[writing.node] = self._forced(writing.node)
        tokens, node = known.forced[writing.node]
        after = self._closing(node, known)
        if tokens and len(tokens) + len(after) <= writing.left:
            writing.add(tokens, node)
            writing.plan = after
        return writing.node.is_complete or (writing.node.ends and writing.left == 0)

    def _forced(self, node: Node) -> tuple[list[int], Node]:
        """Tokens of the text that is forced in a state, and the state after them."""
        text = node.forced
        tokens = self.vocabulary.text_tokens(text)
        end = node.follow(text)
        assert end is not None
        if tokens and self.vocabulary.goes_on(self.vocabulary.bytes[tokens[-1]], end):
            text = text[: -len(self.vocabulary.bytes[tokens.pop()])]
            end = node.follow(text)
            assert end is not None
        return tokens, end

    def _choose(self, writing: _Writing, known: _Known, temperature: float, rng: np.random.Generator) -> None:
        """Add one token, or end the text."""
        if writing.node not in known.allowed:
            known.allowed[writing.node] = self.vocabulary.allowed(writing.node)
        allowed = known.allowed[writing.node]
        places = self._in_time(writing, allowed, known)
        tokens = allowed.tokens[places]
        if writing.node.ends:
            tokens = np.concatenate([tokens, np.array([self.decoder.end], np.int32)])
        chosen = 0
        if len(tokens) > 1:
            chosen, log = choose(self._scores(writing, tokens), temperature, rng)
            writing.logs.append(log)
        if chosen == len(places):
            writing.ended = True
            return
        token, node = int(tokens[chosen]), allowed.after(int(places[chosen]))
        writing.plan = self._plan(writing, token, node, known)
        writing.add([token], node)

    def _scores(self, writing: _Writing, tokens: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """The model's scores of the tokens that are allowed."""
        hidden: torch.Tensor
        hidden, writing.states = read(self.decoder, [writing.unread], writing.states)
        writing.unread = []
        writing.steps += 1
        return scores_of(self.decoder, hidden[0, -1], tokens)

    def _in_time(self, writing: _Writing, allowed: Allowed, known: _Known) -> npt.NDArray[np.int64]:
        """Places of the tokens after which the text can still be closed."""
        left = writing.left - 1
        fits = np.array(
            [len(node.shortest) <= left or len(self._closing(node, known)) <= left for node in allowed.nodes],
            np.bool_,
        )
        kept = fits[allowed.ends] if len(fits) else np.zeros(0, np.bool_)
        if writing.plan:
            # The way to close that was found before is open in any case.
            kept |= allowed.tokens == writing.plan[0]
        return np.flatnonzero(kept)

    def _plan(self, writing: _Writing, token: int, node: Node, known: _Known) -> list[int]:
        """Tokens that close the text after this one: a fresh way, or what is left of the one before."""
        fresh = self._closing(node, known)
        follows = bool(writing.plan) and writing.plan[0] == token
        return writing.plan[1:] if follows and len(writing.plan) - 1 < len(fresh) else fresh

    def _closing(self, node: Node, known: _Known) -> list[int]:
        if node not in known.closing:
            known.closing[node] = self.vocabulary.text_tokens(node.shortest)
        return known.closing[node]


def _resume(prompt: list[int], prefix: Prefix | None) -> tuple[States | None, list[int]]:
    """The states to go on from, and the tokens still to read: at least one."""
    if not prompt:
        raise UsageError("The prompt is empty.", remedy="Give at least one token.")
    if prefix is None:
        return None, prompt
    same = 0
    limit = min(len(prefix.ids), len(prompt) - 1)
    while same < limit and prefix.ids[same] == prompt[same]:
        same += 1
    return (prefix.states.cut(same), prompt[same:]) if same else (None, prompt)
