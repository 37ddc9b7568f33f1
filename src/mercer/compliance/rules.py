"""Rules: dated facts about law and governance, read from the policy packs and never written in code.

A pack is a YAML file in `packs/`. A run is judged by the rules in force on the brief's `packs_date`; a rule
without a date is in force and says that its date is not verified. Nothing here is legal advice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mercer.errors import NotFoundError, nearest

PACKS = ("eu", "uk", "us", "us-states", "global")

Stage = Literal["data", "train", "evaluate", "serve"]
Verified = Literal["V", "S", "U"]
Parameter = float | str | list[str]

# A number in somebody's search index is no place that a reader can go to.
_CLOSED = re.compile(r"id \d+")

VERIFIED_MEANING = {"V": "read in a text", "S": "rests on a secondary source", "U": "unverified"}
UNVERIFIABLE = "unverifiable: no source that can be opened"


class Quote(BaseModel):
    """Words of a law, where they stand, and their hash.

    source: file of the collection of EU law. paragraph: the id at the start of the line, or a line's opening.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    source: str
    paragraph: str

    @model_validator(mode="after")
    def _whole(self) -> Quote:
        if quote_hash(self.text) != self.sha256:
            raise ValueError(f"the quote of {self.paragraph} does not have the hash it carries")
        return self


class Rule(BaseModel):
    """One rule of a pack.

    effective_from: None means in force, date unverified. review_by: when a person should read the source
    again. gate: entry-point name in the group `mercer.gates`. threshold: what is measured is held against it.
    parameters: further numbers of the gate. only_effects: the rule applies only where a behavior target has
    one of these effects. only_with: the rule applies only where the brief has this source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    citation: str
    jurisdiction: str
    effective_from: date | None
    review_by: date
    stage: Stage
    gate: str
    threshold: float | str
    threshold_unit: str = ""
    parameters: dict[str, Parameter] = {}
    only_effects: tuple[str, ...] = ()
    only_with: str = ""
    evidence: str
    obligation: str
    remedy: str
    verified: Verified
    source: str
    quote: Quote | None = None

    def in_force(self, day: date) -> bool:
        """Whether the rule binds on `day`."""
        return self.effective_from is None or self.effective_from <= day

    @property
    def date_note(self) -> str:
        """Since when, in words."""
        return str(self.effective_from) if self.effective_from else "in force, date unverified"

    @property
    def unverifiable(self) -> bool:
        """Whether it is marked unverified, or a reader can open none of its sources, whatever it claims."""
        closed = all(_CLOSED.match(part.strip()) for part in self.source.split(";"))
        return self.verified == "U" or (self.quote is None and closed)

    @property
    def standing(self) -> str:
        """How far the rule was verified, in words."""
        return UNVERIFIABLE if self.unverifiable else VERIFIED_MEANING[self.verified]


class Omitted(BaseModel):
    """An obligation that the research knows and no pack judges yet, with the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    why: str


def quote_hash(text: str) -> str:
    """SHA-256 of a quote's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of every pack, in the packs' order. Raises ValueError when a pack is not valid."""
    rules = [Rule.model_validate(entry) for pack in PACKS for entry in _read(pack)["rules"]]
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError("two rules of the packs have the same id")
    return tuple(rules)


@cache
def omitted() -> tuple[Omitted, ...]:
    """Obligations that are known but not judged."""
    return tuple(Omitted.model_validate(entry) for entry in _read("omitted")["omitted"])


def _read(pack: str) -> dict[str, list[dict[str, object]]]:
    text = (files("mercer.compliance") / "packs" / f"{pack}.yaml").read_text("utf-8")
    content: dict[str, list[dict[str, object]]] = yaml.safe_load(text)
    return content


def rule(name: str) -> Rule:
    """A rule by its id. Raises NotFoundError naming the nearest id."""
    for found in all_rules():
        if found.id == name:
            return found
    raise NotFoundError(f"No rule is called {name!r}.", remedy=nearest(name, [r.id for r in all_rules()]))


def _reaches(jurisdictions: Iterable[str]) -> set[str]:
    """Jurisdictions whose rules bind: a state brings its federation; card-scheme rules bind everywhere."""
    named = set(jurisdictions)
    return named | {code.split("-")[0] for code in named} | {"global"}


def load_rules(jurisdictions: Iterable[str], packs_date: date) -> list[Rule]:
    """Rules of these jurisdictions in force on `packs_date`, in the packs' order."""
    reached = _reaches(jurisdictions)
    return [r for r in all_rules() if r.jurisdiction in reached and r.in_force(packs_date)]


def upcoming(jurisdictions: Iterable[str], packs_date: date) -> list[Rule]:
    """Rules of these jurisdictions that will bind later, the next one first."""
    reached = _reaches(jurisdictions)
    later = [r for r in all_rules() if r.jurisdiction in reached and not r.in_force(packs_date)]
    return sorted(later, key=lambda r: (r.effective_from or date.max, r.id))
