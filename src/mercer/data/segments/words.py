"""A group of customers in plain words, from how it differs from the rest."""

from __future__ import annotations

from collections.abc import Mapping

_PHRASES: Mapping[str, tuple[str, str]] = {
    "recency": ("bought lately", "quiet for long"),
    "frequency": ("buy often", "bought rarely"),
    "money": ("spend much", "spend little"),
}
"""(below the typical customer for recency, above it for the others; and the reverse)."""

TELLING = 0.35
"""Standard deviations from the typical customer that make a difference worth a word."""


def habit_name(distance: Mapping[str, float]) -> str:
    """Words for a group of habits. distance: column -> the group's mean in standard deviations from all customers."""
    said = []
    for name, (good, bad) in _PHRASES.items():
        value = distance.get(name, 0.0)
        if abs(value) >= TELLING:
            is_good = value < 0 if name == "recency" else value > 0
            said.append(good if is_good else bad)
    return ", ".join(said) if said else "close to the average"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
