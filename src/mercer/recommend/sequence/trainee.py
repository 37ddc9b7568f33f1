"""What the training loop asks of a sequence ranker: the loss of some rows, and how well it ranks held-out requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mercer.contracts import Interactions
from mercer.recommend.sequence.content import Content
from mercer.recommend.sequence.events import Events
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.sequence.losses import Candidates, binary_loss, softmax_loss
from mercer.recommend.sequence.neighbourhood import Neighbourhood
from mercer.recommend.sequence.network import Batch, Network
from mercer.recommend.sequence.options import SequenceOptions

_RARE = 0.1
"""Share of the items, those with the fewest answers, whose mean ID stands for a cold item's where none is learned."""

_PIECE = 65_536
"""Items whose vectors are put together at once."""


def network(
    heard: Interactions, content: Content, options: SequenceOptions, *, encoder: str, seed: int
) -> Network:
    """A network at its start; its weights are a function of the seed and the shapes."""
    cold = torch.from_numpy(np.bincount(heard.item, minlength=len(heard.items)) == 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(content, cold, options, encoder=encoder, clock=heard.has_clock)


class SequenceTrainee:
    """A training row is a span of the log with its questions; rows of a batch are of like length."""

    def __init__(
        self,
        module: Network,
        events: Events,
        lessons: Lessons,
        options: SequenceOptions,
        neighbourhood: Neighbourhood | None = None,
    ) -> None:
        """The questions of `lessons` are about `events`."""
        self._neighbourhood = neighbourhood
        self.module: torch.nn.Module = module
        self.network, self.options = module, options
        self.events, self._lessons = events, lessons
        self._device = torch.device("cpu")
        self._events = [torch.from_numpy(part.astype(np.int32))
                        for part in (events.item, events.kind, events.gap, events.minute)]  # fmt: skip
        count = np.bincount(lessons.answer, minlength=len(module.items.cold))
        share = torch.from_numpy((count / max(1, count.sum())).astype(np.float32))
        negatives = None if options.loss == "softmax" else options.negatives
        self._candidates = Candidates(torch.nonzero(~module.items.cold)[:, 0], share, negatives)
        self._row_of = torch.zeros(len(count), dtype=torch.int64)
        known = np.flatnonzero(~module.items.cold.numpy())
        rarest = np.argsort(count[known], kind="stable")[: max(1, round(_RARE * len(known)))]
        self._rare = torch.from_numpy(known[rarest])
        self._measured: Callable[[], float] | None = None

    def watch(self, measured: Callable[[], float] | None) -> None:
        """Let `measured`, a ranking metric of the module as it is when called, be the validation."""
        self._measured = measured

    def validate(self) -> float | None:
        """What `watch` was given measures, or None."""
        return None if self._measured is None else self._measured()

    def costs(self) -> npt.NDArray[np.int64]:
        """Events of each row."""
        return self._lessons.spans.length

    def loss(self, rows: npt.NDArray[np.int64], generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum of the questions' losses, and the sum of their weights."""
        self._follow()
        rows = np.asarray(rows, np.int64)
        item, kind, gap, minute = self._batch(rows)
        row, place, answer, weight = self._questions(rows)
        drawn = self._candidates.drawn(generator)
        rivals = torch.unique(torch.cat((answer, drawn)))
        # Everything the batch names, once: the item vectors are the dearest part of a small network.
        at_hand = torch.unique(torch.cat((item.flatten(), rivals)))
        self._row_of[at_hand] = torch.arange(len(at_hand), device=self._device)
        vectors = self.network.items(at_hand, generator)
        batch = Batch(item=self._row_of[item], kind=kind, gap=gap, minute=minute)
        states = self.network(batch, vectors, generator)[row, place]
        columns, own = vectors[self._row_of[rivals]], torch.searchsorted(rivals, answer)
        term = self._term(rows, rivals)
        if self.options.loss == "bce":
            logits = states @ columns.T if term is None else states @ columns.T + term(0, len(states))
            loss = binary_loss(logits, own, torch.isin(rivals, drawn), weight,
                               calibration=self.options.calibration, n_items=len(self._candidates.known))  # fmt: skip
        else:
            offset = self._candidates.offset(rivals, len(answer))
            loss = softmax_loss(states, columns, own, weight, offset=offset, term=term)
        return loss, float(weight.sum())

    def _term(self, rows: npt.NDArray[np.int64], items: Tensor) -> Callable[[int, int], Tensor] | None:
        """What the neighbourhood adds to the logits of the rows' questions, a block of questions at a time."""
        if self._neighbourhood is None:
            return None
        near = self._neighbourhood.near(self._lessons, rows, items.cpu().numpy())
        return lambda start, stop: torch.from_numpy(near.block(start, stop)).to(self._device)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What serves: the encoder's weights by name, and `vectors`, float32, shape (I, d), of all items."""
        module = self.network
        n_items = len(module.items.cold)
        with torch.no_grad():
            codes = torch.arange(n_items, device=module.norm.weight.device)
            pieces = [module.items(codes[at : at + _PIECE]) for at in range(0, n_items, _PIECE)]
            vectors = torch.cat(pieces)
            if not self.options.id_dropout:
                vectors[module.items.cold] += module.items.id.weight[self._rare].mean(0)
        kept = {name: one for name, one in module.state_dict().items() if not name.startswith("items.")}
        return {name: one.float().cpu().numpy().copy() for name, one in {**kept, "vectors": vectors}.items()}

    def _follow(self) -> None:
        """Bring what batches are made of to where the module is: the training loop moves that."""
        device = self.network.norm.weight.device
        if device != self._device:
            self._events = [part.to(device) for part in self._events]
            self._candidates, self._row_of = self._candidates.to(device), self._row_of.to(device)
            self._device = device

    def _batch(self, rows: npt.NDArray[np.int64]) -> list[Tensor]:
        """Item, kind, gap and minute of the rows' events, int64, shape (n, L); padding repeats a row's last event."""
        spans = self._lessons.spans
        first, length = spans.first[rows], spans.length[rows]
        place = np.minimum(np.arange(length.max()), length[:, None] - 1)
        event = torch.from_numpy(first[:, None] + place).to(self._device)
        return [part[event].long() for part in self._events]

    def _questions(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Row within the batch, place, answer and weight of the rows' questions, shape (q,) each."""
        lessons = self._lessons
        question, row = lessons.questions(rows)
        parts = (row, lessons.place[question], lessons.answer[question], lessons.weight[question])
        row_T, place_T, answer_T, weight_T = (torch.from_numpy(part).to(self._device) for part in parts)
        return row_T, place_T, answer_T, weight_T
