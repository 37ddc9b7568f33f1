"""What training minimises: how badly a state tells its answer from other items. Three ways, one form.

Source of the sampled softmax with log-q correction: Bengio and Senécal 2008; Yi et al., RecSys 2019. Of generalised
BCE: Petrov and Macdonald, gSASRec, RecSys 2023.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from mercer.recommend.sequence.chunked import softmax_loss


class Candidates:
    """The items that a batch's answers are told from, out of those that have an event."""

    def __init__(self, known: Tensor, share: Tensor, negatives: int | None) -> None:
        """known: int64, shape (w,), item codes. share: float32, shape (I,), of the answers that an item is.

        negatives: how many are drawn for a batch; None, or as many as there are, takes all.
        """
        self.known, self.share = known, share
        self.negatives = negatives if negatives is not None and negatives < len(known) else None

    def to(self, device: torch.device) -> Candidates:
        """The same on another device."""
        return Candidates(self.known.to(device), self.share.to(device), self.negatives)

    def drawn(self, generator: torch.Generator) -> Tensor:
        """int64: different items, in ascending order."""
        if self.negatives is None:
            return self.known
        places = torch.randint(
            len(self.known), (self.negatives,), generator=generator, device=self.known.device
        )
        different: Tensor = torch.unique(self.known[places])
        return different

    def offset(self, items: Tensor, n_answers: int) -> Tensor | None:
        """Logarithm of how likely each item is to be a candidate of a batch, float32, shape (m,); None: certain.

        It is one when it is among the draws or among the batch's own answers.
        """
        if self.negatives is None:
            return None
        missed = self.negatives * math.log1p(-1 / len(self.known))
        never = n_answers * torch.log1p(-self.share[items].clamp(max=1 - 1e-6)) + missed
        likely: Tensor = torch.log(-torch.expm1(never))
        return likely


def binary_loss(
    logits: Tensor, own: Tensor, drawn: Tensor, weight: Tensor, *, calibration: float, n_items: int
) -> Tensor:
    """Sum of generalised binary cross-entropy: each row's answer against every item drawn.

    logits: (q, m). own: int64, shape (q,), the answer's column. drawn: bool, shape (m,): columns of items that were
    drawn; the answer is never held against itself. calibration: t in [0, 1]; 1 takes off all the overconfidence that
    sampling brings, 0 is plain BCE. n_items: items that were drawn from.
    """
    share = min(1.0, int(drawn.sum()) / max(1, n_items - 1))
    power = share * (calibration * (1 - 1 / share) + 1 / share)
    wanted = functional.logsigmoid(logits.gather(1, own[:, None])[:, 0])
    against = functional.softplus(logits) * drawn
    against = against.scatter(1, own[:, None], 0.0).sum(1)
    return ((against - power * wanted) * weight).sum()


__all__ = ["Candidates", "binary_loss", "softmax_loss"]
