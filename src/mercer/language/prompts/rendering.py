"""A prompt and its values made into messages, or into the texts that a scorer compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.errors import UsageError, nearest
from mercer.language.prompts.prompt import Message, Prompt, Variable
from mercer.language.prompts.templates import fill, names
from mercer.language.prompts.values import Tokens, written

Values = Mapping[str, Any]
Messages = tuple[dict[str, str], ...]

_CHARACTERS = 64
"""Characters kept for each token that is allowed: a longer text is cut before it is split into tokens."""


@dataclass(frozen=True)
class Renderer:
    """Renders one prompt in one of its wordings, for the tokens of one model.

    Stability: callers stable.
    """

    prompt: Prompt
    of: Tokens
    wording: int = 0

    def __post_init__(self) -> None:
        n = len(self.prompt.wordings)
        if not 0 <= self.wording < n:
            raise UsageError(
                f"{self.prompt.name} has no wording {self.wording}.", remedy=f"Choose one of 0 to {n - 1}."
            )

    def messages(
        self,
        values: Values,
        *,
        examples: Sequence[Values] = (),
        candidates: Sequence[Values] = (),
        templates: Sequence[Message] | None = None,
    ) -> Messages:
        """The messages with `values` put in; a variable that the templates do not name need not have one.

        examples: values of each example, in their order. candidates: of each candidate of a prompt that lists them.
        templates: left out, the prompt's messages.
        Raises UsageError for a value that is missing, unknown or of another type.
        """
        templates = self.prompt.messages if templates is None else templates
        given = {
            **self._texts(values, [message.template for message in templates]),
            "instruction": self.prompt.wordings[self.wording],
            "examples": "".join(self.text(self.prompt.example, one) for one in examples),
            "candidates": "".join(self.candidate(one, label) for one, label in _labelled(candidates)),
        }
        return tuple({"role": one.role, "content": fill(one.template, given)} for one in templates)

    def candidate(self, values: Values, label: str) -> str:
        """One candidate of a prompt that lists them."""
        template: str = self.prompt.answer.candidate  # type: ignore[union-attr]
        return fill(template, {**self._texts(values, [template]), "label": label})

    def text(self, template: str, values: Values) -> str:
        """One template filled with cleaned and bounded values."""
        return fill(template, self._texts(values, [template]))

    def _texts(self, values: Values, templates: Sequence[str]) -> dict[str, str]:
        """The values that the templates name, as texts."""
        known = self.prompt.variables
        for name in values:
            if name not in known:
                raise UsageError(f"{self.prompt.name} has no variable {name!r}.", remedy=nearest(name, known))
        named = {name for template in templates for name in names(template)}
        return {name: self._value(name, values.get(name)) for name in known if name in named}

    def _value(self, name: str, value: object) -> str:
        variable = self.prompt.variables[name]
        if value is None:
            if variable.required:
                raise UsageError(f"{self.prompt.name} needs a value for {name!r}.", remedy="Give one.")
            return variable.empty
        text = written(value, variable.type)
        parts = (text,) if isinstance(text, str) else text[-variable.most :]
        return variable.separator.join(self._bounded(part, variable) for part in parts) or variable.empty

    def _bounded(self, text: str, variable: Variable) -> str:
        return self.of.cut(text[: variable.tokens * _CHARACTERS], variable.tokens).strip() or variable.empty


def plain(messages: Messages) -> str:
    """The texts of messages joined, for a prompt without a chat template."""
    return "".join(message["content"] for message in messages)


LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What listed candidates are called: one token each in every vocabulary at hand."""


def _labelled(candidates: Sequence[Values]) -> list[tuple[Values, str]]:
    if len(candidates) > len(LABELS):
        raise UsageError(
            f"{len(candidates)} candidates stand in one prompt.", remedy=f"List {len(LABELS)} at most."
        )
    return list(zip(candidates, LABELS, strict=False))
