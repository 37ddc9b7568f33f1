"""What the training loop asks of an event decoder: the loss of some rows, and how well it does on held-out data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mercer.errors import DataError
from mercer.language.events.lines import Lines
from mercer.language.events.paths import Paths

if TYPE_CHECKING:
    from mercer.language.events.decoder import EventDecoder

Ints = npt.NDArray[np.int64]


class Known(Protocol):
    """What is known of items before a decoder is asked: a term of every logit of an item's token."""

    def terms(self, level: int, event: Ints, above: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """float32, shape (m, tokens of the level), for m tokens of events of the log (NO_EVENT: of none).

        above: the node of the catalogue's tree that each goes on from. Any number stands where no child is.
        """
        ...


class EventTrainee:
    """A training row is a line; rows of a batch are of like length; a term is a foretold token times its weight.

    The loss of a token is the cross-entropy over the rows of its own field: the head is computed over no others. With
    `among_children` that of an item's token is over the tokens alone that go on from its prefix in the catalogue.
    Lines that foretell nothing must be left out (`Lines.learning`).
    """

    def __init__(
        self,
        decoder: EventDecoder,
        lines: Lines,
        *,
        label_smoothing: float = 0.0,
        among_children: bool = False,
        validation: Lines | Callable[[], float] | None = None,
        batch_tokens: int = 8192,
        known: Known | None = None,
    ) -> None:
        """validation: a function that measures the decoder as it is when called, higher is better; or held-out lines,
        whose mean log-likelihood a term is the metric. batch_tokens: of a batch of held-out lines. known: what is known
        of items before the decoder is asked, with `among_children`; not of held-out lines.
        Raises DataError where there are no lines.
        """
        if not len(lines):
            raise DataError("No line foretells anything.", remedy="Give it a log with events of known items.")
        self.module: torch.nn.Module = decoder.model
        self.decoder = decoder
        self._lines, self._lengths = lines, lines.lengths
        self._smoothing = label_smoothing
        self._paths = Paths(decoder.tokenizer) if among_children else None
        self._known = known if among_children else None
        self._measured = validation if callable(validation) else None
        self._held_out = validation if isinstance(validation, Lines) else None
        self._batch_tokens = batch_tokens
        self._above = None if self._paths is None else self._paths.parents(lines)
        held = self._held_out if self._paths is not None else None
        self._held_above = None if held is None or self._paths is None else self._paths.parents(held)

    def watch(self, measured: Callable[[], float] | None) -> None:
        """Let `measured` be the validation from now on."""
        self._measured = measured

    def costs(self) -> Ints:
        """Tokens that are read of each row: its last one is only foretold."""
        return self._lengths - 1

    def loss(self, rows: Ints, generator: torch.Generator) -> tuple[Tensor, float]:  # noqa: ARG002
        """Sum of the weighted losses of the foretold tokens, and the sum of the weights."""
        return self._loss(
            self._lines, self._above, np.asarray(rows, np.int64), self._smoothing, known=self._known
        )

    def validate(self) -> float | None:
        """What the function measures; or the mean log-likelihood a held-out term; or None."""
        if self._measured is not None:
            return self._measured()
        if self._held_out is None or not len(self._held_out):
            return None
        lines, total, terms = self._held_out, 0.0, 0.0
        order = np.argsort(-lines.lengths, kind="stable")
        size = max(1, self._batch_tokens // int(lines.lengths.max()))
        for at in range(0, len(order), size):
            loss, weight = self._loss(lines, self._held_above, order[at : at + size], 0.0)
            total, terms = total - float(loss), terms + weight
        return total / terms

    def _loss(
        self,
        lines: Lines,
        above: npt.NDArray[np.int32] | None,
        rows: Ints,
        smoothing: float,
        *,
        known: Known | None = None,
    ) -> tuple[Tensor, float]:
        """above: the node of the catalogue's tree that each token goes on from; None: normalise over whole fields."""
        token, slot, weight, place_of = _padded(lines, rows)
        model: Any = self.module
        device = next(model.parameters()).device
        ids = torch.from_numpy(token).to(device)
        states = self.decoder.states(ids[:, :-1]).flatten(0, 1)
        flat_slot, flat_weight = slot[:, 1:].ravel(), weight[:, 1:].ravel()
        flat_place = place_of[:, 1:].ravel()
        wanted = ids[:, 1:].flatten()
        asked = flat_weight > 0
        loss = states.new_zeros((), dtype=torch.float32)
        for number in np.unique(flat_slot[asked]).tolist():
            start, stop = self.decoder.slot_rows(number)
            picked = np.flatnonzero(asked & (flat_slot == number))
            place = torch.from_numpy(picked).to(device)
            after = states.index_select(0, place)
            logits = self.decoder.logits(after, start, stop).float()
            own = wanted.index_select(0, place) - start
            if above is None or self._paths is None or number not in self._paths.slots:
                term = functional.cross_entropy(logits, own, reduction="none", label_smoothing=smoothing)
            else:
                level = number - self._paths.slots[0]
                parent = above[flat_place[picked]]
                if self.decoder.meaning is not None:
                    logits = logits + self.decoder.meaning.foretold(after, level, parent)
                if known is not None and lines.event is not None:
                    term_of = known.terms(level, lines.event[flat_place[picked]], parent)
                    logits = logits + torch.from_numpy(term_of).to(device)
                among = torch.from_numpy(self._paths.among(level, parent))
                term = _among_loss(logits, own, among.to(device), smoothing)
            its_weight = torch.from_numpy(flat_weight).to(device).index_select(0, place)
            loss = loss + (term * its_weight).sum()
        return loss, float(flat_weight.sum(dtype=np.float64))


def _among_loss(logits: Tensor, own: Tensor, among: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of each row over those of its columns that `among` marks; smoothing spreads over these."""
    said = functional.log_softmax(logits.masked_fill(~among, -torch.inf), dim=-1)
    term = -said.gather(1, own[:, None])[:, 0]
    if smoothing:
        even = -said.masked_fill(~among, 0).sum(-1) / among.sum(-1)
        term = (1 - smoothing) * term + smoothing * even
    return term


def _padded(lines: Lines, rows: Ints) -> tuple[Ints, npt.NDArray[np.int16], npt.NDArray[np.float32], Ints]:
    """Tokens, slots, weights and places of some rows, shape (rows, longest).

    Padding repeats a row's last token, at weight 0.

    It stands on the right, and attention only looks back: no token ever sees it, so no mask is needed.
    """
    length = lines.lengths[rows]
    place = np.arange(int(length.max()))
    index = lines.indptr[rows, None] + np.minimum(place, length[:, None] - 1)
    weight = np.where(place < length[:, None], lines.weight[index], np.float32(0))
    return lines.token[index].astype(np.int64), lines.slot[index], weight, index
