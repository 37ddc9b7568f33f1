"""The ranker whose first items a prompt puts in a new order, as it is named in the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mercer.training.inner import Named, resolved


def one_ranker(given: Any, task: Literal["recommend", "search"]) -> Named:
    """One ranker with all its options, from a name or from {name: options}.

    Raises ValueError for several, for a ranker that itself prompts, and what `resolved` raises.
    """
    named = {given: {}} if isinstance(given, str) else given
    if not isinstance(named, Mapping) or len(named) != 1:
        raise ValueError("one ranker is named, with its options: {NAME: {…}}")
    [(name, options)] = named.items()
    if str(name).startswith("prompted-"):
        raise ValueError(f"{name!r} can't be the base of a ranker that prompts")
    return {name: resolved(name, options or {}, task)}
