"""Several examples in one row, none of which sees another.

A row is a run of tokens in which every piece counts its positions from 0 and attends to itself alone: the mask is
block-diagonal and causal, within the sliding window of models that have one. So a packed row gives what its pieces
give one by one, and little is padded.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.language.finetuning.examples import Lesson

if TYPE_CHECKING:
    import torch

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of tokens, padded to the longest, and where their answers are.

    ids, positions, blocks: shape (rows, length); blocks numbers the pieces of a row from 0, padding is -1.
    places, answers, piece: shape (answer tokens,): the place in the flattened rows from which a token is foretold,
    the token, and the number of its piece within the batch.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    blocks: torch.Tensor
    places: torch.Tensor
    answers: torch.Tensor
    piece: torch.Tensor
    n_pieces: int


def packed(lengths: Sequence[int], row_tokens: int) -> list[list[int]]:
    """Which examples share a row: the longest first, each into the fullest row that still has room for it.

    lengths: tokens of each example. Returns the numbers of the examples of each row; one that is longer than
    `row_tokens` has a row of its own. The same lengths give the same rows.
    """
    rows: list[list[int]] = []
    room: list[tuple[int, int]] = []
    for number in np.argsort(-np.asarray(lengths, np.int64), kind="stable").tolist():
        at = bisect_left(room, (lengths[number], -1))
        if at == len(room):
            rows.append([number])
            left = row_tokens - lengths[number]
            row = len(rows) - 1
        else:
            left, row = room.pop(at)
            rows[row].append(number)
            left -= lengths[number]
        if left > 0:
            insort(room, (left, row))
    return rows


def tokens_of(lesson: Lesson) -> int:
    """Tokens of an example, all its pieces together."""
    return sum(len(piece.ids) for piece in lesson)


def batch_of(rows: Sequence[Sequence[Lesson]], device: torch.device) -> Batch:
    """The tensors of some rows, on a device. Pieces are numbered in the order of rows, lessons, and their pieces."""
    import torch

    length = max(sum(map(tokens_of, row)) for row in rows)
    ids, positions = np.zeros((2, len(rows), length), np.int64)
    blocks = np.full((len(rows), length), -1, np.int64)
    places: list[Ints] = []
    answers: list[Ints] = []
    owners: list[Ints] = []
    n_pieces = 0
    for number, row in enumerate(rows):
        at = 0
        for block, piece in enumerate(piece for lesson in row for piece in lesson):
            end = at + len(piece.ids)
            ids[number, at:end] = piece.ids
            positions[number, at:end] = np.arange(len(piece.ids))
            blocks[number, at:end] = block
            foretold = np.arange(end - piece.n_answer, end)
            places.append(number * length + foretold - 1)
            answers.append(ids[number, foretold])
            owners.append(np.full(piece.n_answer, n_pieces))
            n_pieces += 1
            at = end

    def there(array: Ints) -> torch.Tensor:
        return torch.from_numpy(array).to(device)

    return Batch(
        ids=there(ids),
        positions=there(positions),
        blocks=there(blocks),
        places=there(np.concatenate(places)),
        answers=there(np.concatenate(answers)),
        piece=there(np.concatenate(owners)),
        n_pieces=n_pieces,
    )


def attention_mask(blocks: torch.Tensor, window: int | None) -> torch.Tensor:
    """Who sees whom, bool, shape (rows, 1, length, length): [r, 0, i, j] says that place i reads place j.

    window: of sliding attention, the token itself counted; None reads all that came before in the same piece.
    """
    import torch

    length = blocks.shape[1]
    place = torch.arange(length, device=blocks.device)
    back = place[:, None] - place
    seen = back >= 0
    if window is not None:
        seen &= back < window
    return (seen & (blocks[:, :, None] == blocks[:, None, :]))[:, None]
