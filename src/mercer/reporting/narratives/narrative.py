"""A narrative: sentences with the ids of their evidence, who worded them, and why a wording was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mercer.reporting.narratives.fact import Fact

Check = Literal[
    "form", "citation", "word", "number", "negation", "direction", "comparison", "relation", "advice", "protected",
    "incomplete",
]  # fmt: skip
TEMPLATE = "template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence. facts: ids of the facts that it rests on."""

    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a check found. sentence: its place from 1, 0 for the whole. fact: an id, where one is meant. No text."""

    check: Check
    sentence: int = 0
    fact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrative:
    """Sentences about facts.

    made_by: `template`, or the fingerprint of the language model whose wording passed. refused: why a language
    model's wording was not used, empty where none was asked for or it passed: a check with its place, or `generator`
    with the kind of its failure; never what it wrote.
    """

    facts: tuple[Fact, ...]
    sentences: tuple[Sentence, ...]
    made_by: str = TEMPLATE
    refused: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as a paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "made_by": self.made_by,
            "refused": list(self.refused),
            "facts": [fact.to_json() for fact in self.facts],
            "sentences": [{"text": one.text, "facts": list(one.facts)} for one in self.sentences],
        }


def reasons_of(faults: Sequence[Fault]) -> tuple[str, ...]:
    """Faults as a record keeps them: `number in sentence 2 (f6)`, each once, in order."""
    said = []
    for fault in faults:
        where = f" in sentence {fault.sentence}" if fault.sentence else ""
        said.append(f"{fault.check}{where}{f' ({fault.fact})' if fault.fact else ''}")
    return tuple(dict.fromkeys(said))
