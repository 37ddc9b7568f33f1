"""Prompts as files: those that come with mercer, by name, and a shop's own, by path."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from mercer.errors import NotFoundError, UsageError, nearest
from mercer.language.prompts.prompt import Free, Listed, Message, Prompt, Scored, Structured, Variable

_PARTS: dict[str, type[BaseModel]] = {
    "variables": Variable,
    "messages": Message,
    "without": Message,
    "free": Free,
    "scored": Scored,
    "listed": Listed,
    "json": Structured,
}


def prompt_names() -> tuple[str, ...]:
    """Names of the prompts that come with mercer, sorted."""
    return tuple(
        sorted(path.name.removesuffix(".yaml") for path in _library() if path.name.endswith(".yaml"))
    )


def load_prompt(name: str) -> Prompt:
    """The prompt of mercer called `name`, or that of a file where `name` ends in .yaml.

    Raises NotFoundError where there is none, UsageError where it is not a valid prompt: the message names the key and
    the nearest valid one.
    """
    if name.endswith(".yaml"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise NotFoundError(f"There is no prompt file {path.name}.", remedy="Check the path.")
        return read_prompt(path.read_bytes(), path.name)
    if name not in prompt_names():
        raise NotFoundError(f"No prompt is called {name!r}.", remedy=nearest(name, prompt_names()))
    [found] = [path for path in _library() if path.name == f"{name}.yaml"]
    return read_prompt(found.read_bytes(), found.name)


def read_prompt(content: bytes, where: str) -> Prompt:
    """The prompt that a file's bytes hold; where: the file's name, for messages. Raises UsageError as `load_prompt`."""
    try:
        return Prompt.model_validate(yaml.safe_load(content.decode("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise UsageError(f"{where} is no YAML in UTF-8.", remedy="Mend the file.") from fault
    except ValidationError as fault:
        error = fault.errors(include_input=False, include_url=False)[0]
        raise UsageError(
            f"{where}: {_said(error)}", remedy="Mend the file; see docs/how-to/write-a-prompt.md."
        ) from None


def write_prompt(prompt: Prompt, path: Path) -> None:
    """Write a prompt so that `load_prompt` reads an equal one."""
    content = prompt.model_dump(mode="json", by_alias=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def _library() -> list[Any]:
    return [path for path in files("mercer.language.prompts").joinpath("library").iterdir() if path.is_file()]


def _said(error: Any) -> str:
    place: Sequence[str | int] = error["loc"]
    where = ".".join(map(str, place)) or "the file"
    if error["type"] == "extra_forbidden":
        return f"unknown key {where!r}. {nearest(str(place[-1]), _valid(place))}"
    if error["type"] == "missing":
        return f"{where!r} is missing."
    return f"{where}: {error['msg'].removeprefix('Value error, ')}."


def _valid(place: Sequence[str | int]) -> list[str]:
    """The keys that are legal where an unknown one stood."""
    part: type[BaseModel] = Prompt
    for step in place[:-1]:
        part = _PARTS.get(str(step), part)
    return [field.alias or name for name, field in part.model_fields.items()]
