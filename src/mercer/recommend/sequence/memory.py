"""Whether a fit has room: what network, optimiser and one batch take, against what is free."""

from __future__ import annotations

from mercer.errors import TooLargeError
from mercer.recommend.sequence.options import SequenceOptions

_MIB = 2**20
_COPIES = 4
"""Numbers held for a weight: itself, its gradient and two moments; a running average is a fifth."""
_KEPT = 24
"""Numbers of the width kept of an event in a block until its gradient is known, roughly."""
_OWN_MIB = 250.0
"""What PyTorch takes before anything is computed."""


def needed_mib(n_items: int, n_events: int, options: SequenceOptions) -> float:
    """MiB a fit takes, roughly: from above for what grows with the shop."""
    o = options
    parameters = n_items * o.width + o.blocks * (8 + 4 * o.inner) * o.width**2
    copies = _COPIES + (o.average > 0)
    batch = o.batch_tokens * o.width * _KEPT * o.blocks + o.batch_tokens * o.heads * o.window * 3 * o.blocks
    drawn = n_items if o.loss == "softmax" else min(n_items, o.negatives + o.batch_tokens)
    items = 3 * drawn * o.width + n_items * min(o.text_width, 384 if "title" in o.content else 0)
    return _OWN_MIB + (4 * (parameters * copies + batch + items) + 48 * n_events) / _MIB


def refuse_without_room(n_items: int, n_events: int, options: SequenceOptions) -> None:
    """Raises TooLargeError naming the option to change when less memory is free than a fit takes."""
    import psutil

    needed, free = needed_mib(n_items, n_events, options), psutil.virtual_memory().available / _MIB
    if needed <= free:
        return
    narrow = options.model_copy(update={"width": max(1, options.width // 2)})
    short = options.model_copy(update={"batch_tokens": max(1, options.batch_tokens // 2)})
    saved = {"width": needed - needed_mib(n_items, n_events, narrow),
             "batch_tokens": needed - needed_mib(n_items, n_events, short)}  # fmt: skip
    name = max(saved, key=lambda option: saved[option])
    raise TooLargeError(
        f"The fit would take about {needed:,.0f} MiB for {n_items:,} items, and {free:,.0f} MiB are free.",
        remedy=f"Lower the option `{name}` (now {getattr(options, name)}): half of it saves {saved[name]:,.0f} MiB.",
    )
