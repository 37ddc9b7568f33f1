"""The sentences written by hand in paraphrases.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mercer.reporting.narratives import Fact, Sentence

Facts = tuple[Fact, ...]


@cache
def _content() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("paraphrases.yaml").read_text("utf-8"))
    return read


def fact_sets() -> dict[str, Facts]:
    """The facts of each narrative, by its name."""
    return {name: tuple(Fact.from_json(one) for one in facts) for name, facts in _content()["facts"].items()}


def sentences(part: str) -> list[tuple[Sentence, Facts]]:
    """Sentences of `tuned`, `held`, `untrue` or `untrue_held`, with the facts of their narrative."""
    sets = fact_sets()
    return [
        (Sentence(text=one["text"], facts=tuple(one["facts"])), sets[one["of"]]) for one in _content()[part]
    ]
