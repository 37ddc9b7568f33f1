"""What is learned from: examples as texts, and as the tokens a decoder sees.

Texts are data: what looks like a control token in them stays text (`Decoder.encode`, `Decoder.chat`). An example that
can't be learned from is left out with its number and a reason, never cut.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mercer.language.decoders import Decoder

Messages = Sequence[Mapping[str, str]]
Prompt = str | Messages


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt (plain text, or chat messages with `role` and `content`) and the answer that is wanted."""

    prompt: Prompt
    answer: str


@dataclass(frozen=True, slots=True)
class Preference:
    """A prompt, the answer that was preferred, and the one that was not."""

    prompt: Prompt
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An example that was left out: its number (or line), counted from 1, and why. It quotes nothing of it."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A prompt with one answer: token ids, and how many of them, the last ones, are the answer and its end."""

    ids: tuple[int, ...]
    n_answer: int


Lesson = tuple[Piece, ...]
"""What one example becomes: one piece, or the chosen and the rejected one."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Examples as tokens: `kept`, and what was left out."""

    kept: tuple[Lesson, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of all that is learned from."""
        digest = hashlib.sha256()
        for lesson in self.kept:
            for piece in lesson:
                digest.update(np.array([len(piece.ids), piece.n_answer, *piece.ids], np.int64).tobytes())
        return digest.hexdigest()


def lessons(
    decoder: Decoder,
    examples: Iterable[Example | Preference],
    *,
    longest: int | None = None,
    named: Sequence[str] = (),
) -> Lessons:
    """Examples as tokens, in their order.

    longest: tokens of a prompt with its answer at most; None, or more than the decoder's window, is the window.
    named: added tokens that are meant where answers and plain prompts name them (`tokens`). Raises UsageError for
    a decoder whose tokenizer has no token that ends an answer, and for messages that its template refuses.
    """
    limit = min(longest or decoder.window, decoder.window)
    kept: list[Lesson] = []
    left_out: list[LeftOut] = []
    for number, example in enumerate(examples, start=1):
        lesson, reason = _lesson(decoder, example, limit, named)
        if reason:
            left_out.append(LeftOut(number, reason))
        else:
            kept.append(lesson)
    return Lessons(tuple(kept), tuple(left_out))


def tokens(decoder: Decoder, text: str, *, named: Sequence[str] = (), joined: bool = False) -> list[int]:
    """Token ids of a text in which the added tokens `named` are meant as such; all else is data.

    joined: the text goes on where another ended, as `Decoder.encode` says.
    """
    if not named:
        return decoder.encode(text, joined=joined)
    longest_first = sorted(named, key=len, reverse=True)
    ids: list[int] = []
    for part in re.split(f"({'|'.join(map(re.escape, longest_first))})", text):
        if part in named:
            ids.append(decoder.plain.control[part])
        elif part:
            ids += decoder.encode(part, joined=joined or bool(ids))
    return ids


def _lesson(
    decoder: Decoder, example: Example | Preference, limit: int, named: Sequence[str]
) -> tuple[Lesson, str]:
    """An example's pieces, and why it is left out where it is."""
    answers = [example.answer] if isinstance(example, Example) else [example.chosen, example.rejected]
    if not all(answers):
        return (), "an answer is empty"
    if len(set(answers)) < len(answers):
        return (), "chosen and rejected are the same"
    if isinstance(example.prompt, str):
        prompt = [*decoder.start, *tokens(decoder, example.prompt, named=named)]
    else:
        prompt = decoder.chat(example.prompt, answer=True)
    if not prompt:
        return (), "the prompt is empty"
    pieces = []
    for answer in answers:
        ids = [*tokens(decoder, answer, named=named, joined=True), decoder.end]
        pieces.append(Piece((*prompt, *ids), len(ids)))
    most = max(len(piece.ids) for piece in pieces)
    if most > limit:
        return (), f"{most} tokens, of which {limit} fit"
    return tuple(pieces), ""
