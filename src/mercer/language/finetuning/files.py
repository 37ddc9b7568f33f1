"""Examples from a file of JSON lines, and the list of what was left out.

    {"prompt": "...", "answer": "..."}
    {"messages": [{"role": "user", "content": "..."}], "answer": "..."}
    {"prompt": "...", "chosen": "...", "rejected": "..."}         with `messages` in place of `prompt`, too

A line that is none of these is left out with its number and a reason. The list quotes nothing of the lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mercer.errors import DataError, NotFoundError
from mercer.language.finetuning.examples import Example, LeftOut, Preference, Prompt

QUARANTINE = "quarantine.jsonl"

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class ExampleFile:
    """Examples of a file with the number of each one's line, counted from 1, and the lines that hold none."""

    examples: tuple[Example, ...] | tuple[Preference, ...]
    lines: tuple[int, ...]
    left_out: tuple[LeftOut, ...]

    def by_line(self, left_out: Iterable[LeftOut]) -> list[LeftOut]:
        """What was left out later, numbered by line, with what the file itself held none of; in order."""
        later = [LeftOut(self.lines[one.number - 1], one.reason) for one in left_out]
        return sorted([*self.left_out, *later], key=lambda one: one.number)


def read_examples(path: Path, *, preferences: bool = False) -> ExampleFile:
    """Read examples, or preferences, from a file of JSON lines; empty lines are passed over.

    Raises NotFoundError without the file, DataError where no line can be used or the file is no UTF-8.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError as fault:
        raise NotFoundError(f"There is no file {path}.", remedy="Give a file of JSON lines.") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"{path} can't be read as UTF-8 text.", remedy="Save it as UTF-8.") from fault
    found: list[Any] = []
    numbers: list[int] = []
    left_out: list[LeftOut] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_example(line, preferences=preferences))
            numbers.append(number)
        except _UnfitError as fault:
            left_out.append(LeftOut(number, str(fault)))
    if not found:
        first = f" Line {left_out[0].number}: {left_out[0].reason}." if left_out else ""
        kind = '{"prompt", "chosen", "rejected"}' if preferences else '{"prompt", "answer"}'
        raise DataError(
            f"{path} holds no example.{first}", remedy=f"Each line is a JSON object such as {kind}."
        )
    return ExampleFile(tuple(found), tuple(numbers), tuple(left_out))


def write_quarantine(folder: Path, left_out: Iterable[LeftOut]) -> Path:
    """Write what was left out into FOLDER/quarantine.jsonl: {"line", "reason"} each."""
    path = folder / QUARANTINE
    rows = [{"line": one["number"], "reason": one["reason"]} for one in map(asdict, left_out)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


class _UnfitError(Exception):
    """Why a line holds no example."""


def _example(line: str, *, preferences: bool) -> Example | Preference:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise _UnfitError("it is no JSON") from fault
    if not isinstance(told, dict):
        raise _UnfitError("it is no JSON object")
    prompt = _prompt(told)
    if preferences:
        return Preference(prompt, _text(told, "chosen"), _text(told, "rejected"))
    return Example(prompt, _text(told, "answer"))


def _prompt(told: dict[str, Any]) -> Prompt:
    if ("prompt" in told) == ("messages" in told):
        raise _UnfitError("it needs prompt or messages, one of them")
    if "prompt" in told:
        return _text(told, "prompt")
    messages = told["messages"]
    if not isinstance(messages, list) or not messages:
        raise _UnfitError("messages is no list with something in it")
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _UnfitError(f"a message has no role of {', '.join(ROLES)}")
        if not isinstance(message.get("content"), str):
            raise _UnfitError("a message has no content that is text")
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _text(told: dict[str, Any], field: str) -> str:
    text = told.get(field)
    if not isinstance(text, str):
        raise _UnfitError(f"it has no {field} that is text")
    return text
