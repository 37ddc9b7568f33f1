"""Softmax cross-entropy over many items that never holds all logits, with its gradient made on the way.

A block of rows is scored, turned into probabilities, and from them into its share of both gradients, before the
next block is looked at: three matrix products and one exponential, as much work as the plain form does, in memory
that does not grow with rows times items. Backward only scales what forward made.
Source of the idea: Wijmans et al., Cut Your Losses in Large-Vocabulary Language Models, ICLR 2025.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK_CELLS = 1_000_000
"""Logits held at once: 4 MB, which a processor keeps in its cache."""


class _ChunkedSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        vectors: Tensor,
        own: Tensor,
        weight: Tensor,
        offset: Tensor,
        term: Callable[[int, int], Tensor] | None,
        cells: int,
    ) -> Tensor:
        """See `softmax_loss`."""
        size = max(1, cells // len(vectors))
        loss = states.new_zeros(())
        grad_states, grad_vectors = torch.empty_like(states), torch.zeros_like(vectors)
        for at in range(0, len(states), size):
            block = states[at : at + size]
            column, row_weight = own[at : at + size, None], weight[at : at + size, None]
            logits = block @ vectors.T
            if term is not None:
                logits.add_(term(at, at + len(block)))
            if len(offset):
                # An answer is always among the candidates, so its own logit is not corrected.
                logits.sub_(offset).scatter_add_(1, column, offset[column])
            wanted = logits.gather(1, column)
            total = torch.logsumexp(logits, 1, keepdim=True)
            loss = loss + ((total - wanted) * row_weight).sum()
            slope = logits.sub_(total).exp_()
            slope.scatter_add_(1, column, torch.full_like(wanted, -1.0)).mul_(row_weight)
            grad_states[at : at + size] = slope @ vectors
            grad_vectors += slope.T @ block
        ctx.save_for_backward(grad_states, grad_vectors)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients that forward made, scaled."""
        grad_states, grad_vectors = ctx.saved_tensors
        return grad_states * grads[0], grad_vectors * grads[0], None, None, None, None, None


def softmax_loss(
    states: Tensor,
    vectors: Tensor,
    own: Tensor,
    weight: Tensor,
    *,
    offset: Tensor | None = None,
    term: Callable[[int, int], Tensor] | None = None,
    cells: int = BLOCK_CELLS,
) -> Tensor:
    """Sum over rows of weight * (logsumexp over items of the logits - the answer's logit).

    states: float32, shape (q, d). vectors: float32, shape (m, d). own: int64, shape (q,), each row's answer among
    the m. weight: float32, shape (q,). offset: float32, shape (m,), taken from every logit but the row's own answer;
    with the logarithm of how likely a candidate is to be drawn, this is the log-q correction.
    term: makes float32, shape (stop - start, m), to be added to the logits of rows from start to stop.
    """
    none = states.new_zeros(0) if offset is None else offset
    with torch.autocast(states.device.type, enabled=False):
        parts = (states.float(), vectors.float(), own, weight, none, term, cells)
        loss: Tensor = _ChunkedSoftmax.apply(*parts)  # type: ignore[no-untyped-call]
    return loss
