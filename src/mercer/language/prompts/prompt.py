"""A prompt: a versioned file of typed variables, messages, wordings, examples and the form of the answer.

A prompt is told apart by its content: `hash` covers everything that can change an answer. What was fitted with a
prompt keeps the whole of it, so that a file edited later changes nothing that was released.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from mercer.errors import nearest
from mercer.language.prompts.templates import names
from mercer.language.prompts.values import Kind


def _checked(template: Any) -> Any:
    if isinstance(template, str):
        names(template)
    return template


Template = Annotated[str, BeforeValidator(_checked)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

OWN = ("instruction", "examples", "candidates")
"""Names that a prompt fills itself: the wording chosen, the examples rendered, the candidates listed."""


class Part(BaseModel):
    """Base of the parts of a prompt: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Variable(Part):
    """One variable. tokens: what its value is cut to (of each text of a list). most: texts of a list, the last ones.

    required: False lets it be left out, and `empty` stands in its place, as it does for a text without a letter.
    separator: between the texts of a list.
    """

    type: Kind
    tokens: int = Field(ge=1, le=4096)
    most: int = Field(20, ge=1, le=1000)
    required: bool = True
    empty: str = "-"
    separator: str = "; "


class Message(Part):
    """One message of a chat; in a plain prompt the messages follow each other without a mark."""

    role: Literal["system", "user", "assistant"]
    template: Template


class Free(Part):
    """The model writes; tokens: at most."""

    form: Literal["free"]
    tokens: int = Field(ge=1, le=4096)


class Scored(Part):
    """Each candidate is scored on its own: how much likelier `template` is after `messages` than after `without`."""

    form: Literal["scored"]
    template: Template
    without: tuple[Message, ...] = Field(min_length=1)


class Listed(Part):
    """The candidates stand in one prompt, each as `candidate` with its {label}; the label is what is scored."""

    form: Literal["listed"]
    candidate: Template
    template: Template = " {label}"


class Structured(Part):
    """The model writes JSON that is valid against `schema`; tokens: at most."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    form: Literal["json"]
    json_schema: Mapping[str, Any] = Field(alias="schema")
    tokens: int = Field(ge=1, le=4096)


Answer = Annotated[Free | Scored | Listed | Structured, Field(discriminator="form")]


class Prompt(Part):
    """A prompt. style: `chat` puts the messages into the model's chat template, `plain` joins their texts.

    wordings: ways to say the instruction, {instruction} in the messages. example: how one example is rendered where
    {examples} stands; "" for a prompt that takes none.
    Stability: callers stable.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    task: Literal["search", "recommend", "behavior", "language"]
    purpose: str = Field(min_length=1)
    style: Literal["plain", "chat"] = "plain"
    variables: Mapping[Name, Variable] = Field(min_length=1)
    wordings: tuple[str, ...] = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=1)
    example: Template = ""
    answer: Answer

    @field_validator("variables")
    @classmethod
    def _names_are_free(cls, variables: Mapping[str, Variable]) -> Mapping[str, Variable]:
        for own in (*OWN, "label"):
            if own in variables:
                raise ValueError(f"{own!r} is a name that prompts fill themselves")
        return variables

    @model_validator(mode="after")
    def _templates_name_variables(self) -> Self:
        own = {"instruction", *(["examples"] if self.example else [])}
        if isinstance(self.answer, Listed):
            own.add("candidates")
            self._need(self.answer.candidate, {"label"}, "answer.candidate")
            if names(self.answer.template) != ("label",):
                raise ValueError("answer.template holds {label} and no variable")
        for message in self.messages:
            self._need(message.template, own, "messages")
        if isinstance(self.answer, Scored):
            for message in self.answer.without:
                self._need(message.template, own, "answer.without")
            self._need(self.answer.template, set(), "answer.template")
        self._need(self.example, set(), "example")
        return self

    def _need(self, template: str, own: set[str], where: str) -> None:
        known = {*self.variables, *own}
        for name in names(template):
            if name not in known:
                raise ValueError(f"{where} names {name!r}, which is no variable. {nearest(name, known)}")

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits; the same for two files that differ in layout alone."""
        content = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
