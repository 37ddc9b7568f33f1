"""The softmax loss in blocks equals the plain one, value and gradients, whatever the blocks."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from mercer.recommend.sequence.chunked import softmax_loss


def plain(states, vectors, own, weight, offset):
    logits = states @ vectors.T
    if offset is not None:
        logits = logits - offset
        logits = logits.scatter_add(1, own[:, None], offset[own][:, None])
    return (functional.cross_entropy(logits, own, reduction="none") * weight).sum()


def parts(n: int, m: int, seed: int, *, corrected: bool):
    chance = torch.Generator().manual_seed(seed)
    states, vectors = torch.randn(n, 6, generator=chance), torch.randn(m, 6, generator=chance)
    own = torch.randint(m, (n,), generator=chance)
    offset = -torch.rand(m, generator=chance) * 3 if corrected else None
    return states, vectors, own, torch.rand(n, generator=chance), offset


def outcome(loss, states, vectors):
    states, vectors = states.clone().requires_grad_(), vectors.clone().requires_grad_()
    found = loss(states, vectors)
    (found * 0.5).backward()
    return found.detach(), states.grad, vectors.grad


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.booleans(), st.integers(1, 100))
def test_it_equals_the_plain_form(n: int, m: int, seed: int, corrected: bool, cells: int) -> None:
    states, vectors, own, weight, offset = parts(n, m, seed, corrected=corrected)
    got = outcome(lambda s, v: softmax_loss(s, v, own, weight, offset=offset, cells=cells), states, vectors)
    want = outcome(lambda s, v: plain(s, v, own, weight, offset), states, vectors)
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_logits_of_any_size_stay_finite() -> None:
    states, vectors, own, weight, _ = parts(4, 5, 1, corrected=False)
    for one in outcome(lambda s, v: softmax_loss(s, v, own, weight), states * 1e4, vectors):
        assert torch.isfinite(one).all()
