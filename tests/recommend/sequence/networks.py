"""Networks with weights drawn by chance, on the small shop: what training can't be asked to make quickly."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mercer.contracts import Interactions, Runtime
from mercer.recommend.sequence import Ligr, Sasrec, SequenceOptions
from mercer.recommend.sequence.content import Content
from mercer.recommend.sequence.events import Events, Spans
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.sequence.network import Batch, Network
from mercer.recommend.sequence.trainee import SequenceTrainee, network
from mercer.testing.small_shop import small_dataset

RANKERS = {"sasrec": Sasrec, "ligr": Ligr}
SMALL: dict[str, Any] = {
    "width": 16, "blocks": 3, "window": 12, "content": ("brand", "category", "price"),
    "kinds": ("view", "purchase"), "negatives": 8,
}  # fmt: skip


def options(**changes: Any) -> SequenceOptions:
    return SequenceOptions(**{**SMALL, **changes})


def chance_network(encoder: str, heard: Interactions, chosen: SequenceOptions, seed: int = 1) -> Network:
    """Every weight is far from its start, those that start at 0 too."""
    content = Content.read(small_dataset().items, chosen, 0.0, Runtime())
    made = network(heard, content, chosen, encoder=encoder, seed=seed)
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=chance))
    return made.eval()


def trainee(encoder: str, chosen: SequenceOptions, seed: int = 1) -> SequenceTrainee:
    heard = small_dataset().interactions
    assert heard is not None
    events = Events.of(heard, chosen.kinds)
    lessons = Lessons.of(
        heard, np.ones(heard.n_events), window=chosen.window, asked=chosen.asked, answers=chosen.answers,
        repeats=True,
    )  # fmt: skip
    return SequenceTrainee(chance_network(encoder, heard, chosen, seed), events, lessons, chosen)


def batch(events: Events, spans: Spans) -> Batch:
    place = np.minimum(np.arange(spans.length.max()), np.maximum(spans.length[:, None] - 1, 0))
    parts = (events.item, events.kind, events.gap, events.minute)
    item, kind, gap, minute = (torch.from_numpy(part[spans.first[:, None] + place]) for part in parts)
    return Batch(item=item, kind=kind, gap=gap, minute=minute)


def states(made: Network, asked: Batch) -> torch.Tensor:
    """After every event, shape (n, L, d)."""
    with torch.no_grad():
        vectors = made.items(torch.arange(len(made.items.cold)))
        found: torch.Tensor = made(asked, vectors)
    return found
