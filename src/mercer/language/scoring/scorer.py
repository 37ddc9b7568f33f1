"""LocalScorer: log-probabilities of continuations, with everything shared read once.

Three stages: what all prompts of a call begin with (an instruction) is read once; then the prompts, batched by
length; then the continuations, each row on top of its prompt's kept states. The head over the vocabulary is
computed for the tokens asked about and no others. Prompt and continuation are cut into tokens apart and joined:
a continuation's tokens do not depend on its prompt, at the price that a word cut by the border is scored in two
pieces. Put the space at the beginning of the continuation, as the vocabularies of all three families do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError
from mercer.language.decoders.decoder import Decoder
from mercer.language.decoders.states import States, chosen_log_probabilities, log_probabilities, read

Ids = Sequence[int]

MIN_SHARED = 8
"""Prompts that share fewer tokens at their beginning are read each from there."""

KEPT_TOKENS = 8_192
"""Tokens of prompts whose states are held at once: 190 MB for SmolLM2-135M in bf16."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of the continuations of one prompt. log_probability: float64, shape (n,). tokens: how many each has."""

    log_probability: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.int32]

    def mean(self) -> npt.NDArray[np.float64]:
        """Log-probability a token; 0 for an empty continuation."""
        return self.log_probability / np.maximum(self.tokens, 1)


@dataclass(frozen=True, slots=True)
class _Row:
    """One continuation. prompt: its place in the chunk. place: where its score goes."""

    prompt: int
    place: tuple[int, int]
    tokens: list[int]


class LocalScorer:
    """TokenScorer of a Decoder.

    tokens_at_once: new tokens of one forward step at most; fewer need less memory, more are faster up to a point.
    fingerprint: of the decoder.

    Stability: caller stable.
    """

    def __init__(self, decoder: Decoder, *, tokens_at_once: int = 2_048) -> None:
        self.decoder = decoder
        self.fingerprint = decoder.fingerprint
        self._budget = tokens_at_once

    def score(
        self, prompts: Sequence[str], continuations: Sequence[Sequence[str]]
    ) -> list[npt.NDArray[np.float64]]:
        """Log-probability of each continuation after its prompt, summed over its tokens; shape (n,) a prompt.

        An empty continuation has 0.0. An empty prompt stands for the beginning of a text.
        Raises UsageError where a prompt and a continuation pass the window, or the lengths of the lists differ.
        """
        return [scored.log_probability for scored in self.score_tokens(prompts, continuations)]

    def score_tokens(self, prompts: Sequence[str], continuations: Sequence[Sequence[str]]) -> list[Scores]:
        """As `score`, with the number of tokens of each continuation, for scores that forgive length."""
        begun = [self.decoder.start + self.decoder.encode(prompt) for prompt in prompts]
        # The same titles come again after many prompts.
        known: dict[str, list[int]] = {}
        for text in (text for row in continuations for text in row):
            if text not in known:
                known[text] = self.decoder.encode(text, joined=True)
        return self.score_ids(begun, [[known[text] for text in row] for row in continuations])

    def score_ids(self, prompts: Sequence[Ids], continuations: Sequence[Sequence[Ids]]) -> list[Scores]:
        """As `score_tokens`, from token numbers: for prompts rendered by `Decoder.chat`."""
        if len(prompts) != len(continuations):
            raise UsageError(
                f"There are {len(prompts)} prompts and {len(continuations)} lists of continuations.",
                remedy="Give one list for each prompt.",
            )
        begun = [list(prompt) or self._opening() for prompt in prompts]
        for prompt, row in zip(begun, continuations, strict=True):
            self.decoder.check_window(len(prompt), max(map(len, row), default=0))
        found = [
            Scores(np.zeros(len(row)), np.array([len(tokens) for tokens in row], np.int32))
            for row in continuations
        ]
        asked = [place for place, row in enumerate(continuations) if any(map(len, row))]
        shared = _shared(begun, asked)
        before = read(self.decoder, [begun[asked[0]][:shared]])[1] if shared else None
        for chunk in _chunks(sorted(asked, key=lambda place: len(begun[place])), begun, self._budget):
            self._score_chunk(chunk, begun, continuations, before, found)
        return found

    def generate(self, prompts: Sequence[str], allowed: Iterable[Ids]) -> list[list[int]]:
        """The likeliest of the allowed token sequences after each prompt; the first named where two are equal.

        All are scored, so it suits some hundreds. Raises UsageError where none is allowed.
        """
        choices = [list(tokens) for tokens in allowed]
        if not choices:
            raise UsageError("No token sequence is allowed.", remedy="Name at least one.")
        begun = [self.decoder.start + self.decoder.encode(prompt) for prompt in prompts]
        scores = self.score_ids(begun, [choices] * len(begun))
        return [choices[int(np.argmax(scored.log_probability))] for scored in scores]

    def _opening(self) -> list[int]:
        """What stands before the first token of a text where the model puts nothing there itself."""
        tokenizer = self.decoder.tokenizer
        first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        return [int(first) if first is not None else self.decoder.end]

    def _score_chunk(
        self,
        chunk: list[int],
        prompts: list[list[int]],
        continuations: Sequence[Sequence[Ids]],
        before: States | None,
        found: list[Scores],
    ) -> None:
        """Read the prompts of a chunk, then score their continuations into `found`."""
        import torch

        shared = 0 if before is None else before.longest
        rests = [prompts[place][shared:] for place in chunk]
        hidden, kept = read(self.decoder, rests, None if before is None else before.rows([0] * len(chunk)))
        assert kept is not None
        ends = torch.stack([hidden[row, len(rest) - 1] for row, rest in enumerate(rests)])
        first = log_probabilities(self.decoder, ends).double().cpu().numpy()
        rows = []
        for number, place in enumerate(chunk):
            for index, tokens in enumerate(continuations[place]):
                if tokens:
                    found[place].log_probability[index] = first[number, tokens[0]]
                if len(tokens) > 1:
                    rows.append(_Row(number, (place, index), list(tokens)))
        for batch in _batches(rows, kept, self._budget):
            self._score_rows(batch, kept, found)

    def _score_rows(self, rows: list[_Row], kept: States, found: list[Scores]) -> None:
        """Add the log-probabilities of all tokens but the first."""
        import torch

        hidden, _ = read(
            self.decoder,
            [row.tokens[:-1] for row in rows],
            kept.rows([row.prompt for row in rows]),
            keep=False,
        )
        lengths = [len(row.tokens) - 1 for row in rows]
        outputs = torch.cat([hidden[number, :length] for number, length in enumerate(lengths)])
        wanted = torch.tensor([token for row in rows for token in row.tokens[1:]], device=outputs.device)
        values = chosen_log_probabilities(self.decoder, outputs, wanted).double().cpu().numpy()
        sums = np.add.reduceat(values, np.cumsum([0, *lengths[:-1]]))
        for row, value in zip(rows, sums, strict=True):
            place, index = row.place
            found[place].log_probability[index] += value


def _shared(prompts: list[list[int]], asked: list[int]) -> int:
    """How many tokens all prompts begin with, at least one left for each; 0 where it is not worth a step."""
    if len(asked) < 2:
        return 0
    first, last = (choose(prompts[place] for place in asked) for choose in (min, max))
    limit = min(len(prompts[place]) for place in asked) - 1
    same = 0
    while same < limit and first[same] == last[same]:
        same += 1
    return same if same >= MIN_SHARED else 0


def _chunks(places: list[int], prompts: list[list[int]], budget: int) -> Iterator[list[int]]:
    """Prompts of similar length, as many as one step and the memory allow; `places` come by length."""
    chunk: list[int] = []
    for place in places:
        longest = len(prompts[place])
        if chunk and (len(chunk) + 1) * longest > min(budget, KEPT_TOKENS):
            yield chunk
            chunk = []
        chunk.append(place)
    if chunk:
        yield chunk


def _batches(rows: list[_Row], kept: States, budget: int) -> Iterator[list[_Row]]:
    """Continuations of similar length after prompts of similar length, under the budget with what is filled up."""
    batch: list[_Row] = []
    for row in sorted(rows, key=lambda row: (len(row.tokens), kept.lengths[row.prompt], row.prompt)):
        new = (len(batch) + 1) * len(row.tokens)
        held = (len(batch) + 1) * (kept.longest + len(row.tokens))
        if batch and (new > budget or held > 4 * KEPT_TOKENS):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
