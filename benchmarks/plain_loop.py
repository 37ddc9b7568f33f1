"""The loop that a tutorial writes for SASRec: histories padded to the window, items as IDs, all logits of a batch.

What mercer's rankers are measured against (benchmarks/sequence.py). Logits are made where there is an answer alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recommend_quality import some
from torch import nn

from mercer.contracts import Dataset, Floats32, Holdout, Requests
from mercer.evaluation import score_ranking, value
from mercer.recommend.sequence import SequenceRanker
from mercer.recommend.sequence.events import Spans
from mercer.recommend.sequence.ranker import _log
from mercer.recommend.signals import signals

ROWS = 128
"""Histories a batch."""


class Plain(nn.Module):
    """SASRec as a tutorial writes it; width, blocks, heads and dropout are those of the options."""

    def __init__(self, n_items: int, o: Any) -> None:
        super().__init__()
        self.items, self.places = (
            nn.Embedding(n_items + 1, o.width, padding_idx=n_items),
            nn.Embedding(o.window, o.width),
        )
        layer = nn.TransformerEncoderLayer(
            o.width, o.heads, int(o.inner * o.width), o.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, o.blocks, nn.LayerNorm(o.width), enable_nested_tensor=False
        )
        self.drop = nn.Dropout(o.embedding_dropout)
        self.register_buffer("future", nn.Transformer.generate_square_subsequent_mask(o.window))
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        hidden = self.items(history) * self.items.embedding_dim**0.5 + self.places.weight
        return self.encoder(self.drop(hidden), mask=self.future, is_causal=True)


class PlainLoop:
    """The network, its optimiser, and the questions of a training log as padded tensors."""

    def __init__(self, ranker: SequenceRanker, train: Dataset, *, rate: float | None = None) -> None:
        """rate: of learning, constant; left out: the highest of the ranker's options."""
        o = self.options = ranker.options
        heard, weights = signals(_log(train), o)
        lessons = ranker._lessons(train, heard, weights)
        n_items, n = len(train.vocabulary), len(lessons)
        history, answer = np.full((n, o.window), n_items), np.full((n, o.window), -1)
        for row in range(n):
            first, length = lessons.spans.first[row], lessons.spans.length[row]
            history[row, :length] = heard.item[first : first + length]
            asked = slice(lessons.indptr[row], lessons.indptr[row + 1])
            answer[row, lessons.place[asked]] = lessons.answer[asked]
        self._history, self._answer = torch.from_numpy(history), torch.from_numpy(answer)
        torch.manual_seed(1)
        self._network = Plain(n_items, o)
        self._optimizer = torch.optim.AdamW(self._network.parameters(), lr=rate or o.learning_rate)

    def batches(self) -> list[torch.Tensor]:
        """Rows of the batches of an epoch, drawn anew."""
        return list(torch.randperm(len(self._history)).split(ROWS))

    def step(self, rows: torch.Tensor) -> None:
        network = self._network.train()
        answer = self._answer[rows]
        there = answer >= 0
        logits = network(self._history[rows])[there] @ network.items.weight[:-1].T
        loss = nn.functional.cross_entropy(logits, answer[there])
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        self._optimizer.step()

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy."""
        return {name: one.clone() for name, one in self._network.state_dict().items()}

    def take(self, weights: dict[str, torch.Tensor]) -> None:
        self._network.load_state_dict(weights)

    @torch.no_grad()
    def score(self, requests: Requests) -> Floats32:
        """Scores of the catalogue, shape (n, I); requests without a history get those of an item that is not there."""
        network = self._network.eval()
        heard, _ = signals(requests.history, self.options)
        spans = Spans.ends(heard, self.options.window)
        history = np.full((len(spans), self.options.window), len(requests.items))
        for row, (first, length) in enumerate(zip(spans.first, spans.length, strict=True)):
            history[row, :length] = heard.item[first : first + length]
        last = torch.from_numpy(np.maximum(spans.length - 1, 0))
        states = network(torch.from_numpy(history))[torch.arange(len(spans)), last]
        scores: Floats32 = (states @ network.items.weight[:-1].T).numpy()
        return scores


def epoch_seconds(ranker: SequenceRanker, train: Dataset, batches: int) -> tuple[float, int]:
    """CPU seconds of an epoch of the plain loop, from `batches` of its batches; and how many an epoch has."""
    loop = PlainLoop(ranker, train)
    plan = loop.batches()
    loop.step(plan[0])
    begun = time.process_time()
    picked = plan[1 : batches + 1]
    for rows in picked:
        loop.step(rows)
    return (time.process_time() - begun) / len(picked) * len(plan), len(plan)


def quality(
    ranker: SequenceRanker,
    train: Dataset,
    held: Holdout,
    *,
    seconds: float,
    rate: float,
    say: Callable[[str], None],
) -> None:
    """Train the plain loop until validation gains no more, or `seconds` of CPU time are spent, its evaluations not
    counted; say after every epoch what it ranks of the held-out requests that stop the ranker, too.
    """
    loop = PlainLoop(ranker, train, rate=rate)
    few = some(held, ranker.options.validation_rows)
    best, best_epoch, kept, spent, epoch = 0.0, 0, loop.weights(), 0.0, 0
    while spent < seconds and epoch - best_epoch < ranker.options.patience:
        begun = time.process_time()
        for rows in loop.batches():
            loop.step(rows)
        spent += time.process_time() - begun
        epoch += 1
        found = value(score_ranking(few, score=loop.score), "ndcg@10")
        say(f"plain loop, epoch {epoch}, {spent:.0f} CPU s: ndcg@10 {found:.4f} of {len(few)} requests")
        if found > best:
            best, best_epoch, kept = found, epoch, loop.weights()
    loop.take(kept)
    whole = score_ranking(held, score=loop.score)
    say(
        f"plain loop, {epoch} epochs, {spent:.0f} CPU s at a rate of {rate:g}, best after epoch {best_epoch}: "
        f"recall@10 {value(whole, 'recall@10'):.4f}, ndcg@10 {value(whole, 'ndcg@10'):.4f} of {len(held)} requests"
    )
