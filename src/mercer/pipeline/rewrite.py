"""Write what `tune` found back into a brief's YAML: text is put in where it belongs, and nothing else is touched.

Reading YAML into a tree and writing the tree again moves comments and undoes alignment. Here the tree only says where
a key is, and the text is edited there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mercer.brief import Brief, Tuned
from mercer.errors import BriefError, MercerError
from mercer.pipeline.cache import write_text

Found = Mapping[str, Mapping[str, tuple[Mapping[str, Any], Tuned]]]
"""By target and model: the options to store (none: the defaults) and what finding them cost."""


def with_options(brief: Brief, found: Found) -> Brief:
    """The brief with the options found and their cost, as a new brief."""
    content = brief.model_dump(mode="json", by_alias=True)
    for name, models in found.items():
        target = content["targets"][name]
        for model, (options, cost) in models.items():
            target["options"].pop(model, None)
            if options:
                target["options"][model] = dict(options)
            target["tuned"][model] = cost.model_dump()
    return Brief.model_validate(content)


def write_options(path: Path, found: Found) -> Brief:
    """Store options and their cost in a brief's file, and return the brief it now holds.

    The file is read anew, so that what a person changed in it meanwhile stays. Raises BriefError when a target is no
    longer in it or can't be edited, OutputError when the file can't be written.
    """
    path = path.resolve()
    text = path.read_bytes().decode("utf-8")
    before = Brief.parse(text, name=str(path))
    for name in found:
        if name not in before.targets:
            raise BriefError(
                f"{path}: the target {name!r} is no longer there, so its options can't be stored."
            )
    rewritten = _checked(text, found, with_options(before, found))
    if rewritten is None:
        raise BriefError(
            f"{path} is laid out so that options can't be put in.",
            remedy="Write the target as a plain mapping, without anchors or merged keys.",
        )
    write_text(path, rewritten)
    return Brief.parse(rewritten, name=str(path))


def _checked(text: str, found: Found, wanted: Brief) -> str | None:
    """The text with options stored, or None where it would then not say what is wanted."""
    try:
        rewritten = store(text, found)
        return rewritten if Brief.parse(rewritten) == wanted else None
    except (yaml.YAMLError, BriefError):
        return None


def store(text: str, found: Found) -> str:
    """YAML text with options and cost stored."""
    for name, models in found.items():
        for model, (options, cost) in models.items():
            place = ("targets", name, "options")
            if options:
                text = put(text, (*place, model), dict(options))
            else:
                text = drop(text, (*place, model))
                text = text if _entry(text, place, least=1) else drop(text, place)
            text = put(text, ("targets", name, "tuned", model), cost.model_dump())
    return text


def put(text: str, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """The text with a mapping at a path of keys: replaced where it is, else added at the end of what holds it."""
    for depth in range(len(path), 0, -1):
        found = _entry(text, path[:depth])
        if found is not None:
            break
    else:
        raise MercerError(f"The brief has no key {path[0]!r}.")
    _, node = found
    missing = path[depth:]
    if not missing or not isinstance(node, yaml.MappingNode):
        for key in reversed(missing):
            value = {key: value}
        start, end = node.start_mark.index, _end(node)
        space = " " if start and text[start - 1] == ":" else ""
        return text[:start] + space + _flow(value) + text[end:]
    for key in reversed(missing[1:]):
        value = {key: value}
    return _added(text, node, missing[0], value)


def drop(text: str, path: Sequence[str]) -> str:
    """The text without the key at a path; as it was where there is none."""
    found = _entry(text, path)
    if found is None:
        return text
    key, node = found
    start, end = key.start_mark.index, _end(node)
    holder = _entry(text, path[:-1])
    if holder is not None and holder[1].flow_style:
        rest = text[end:].lstrip(" ")
        if rest.startswith(","):
            return text[:start] + rest[1:].lstrip(" ")
        return text[:start].rstrip(" ").removesuffix(",") + text[end:]
    return text[: text.rfind("\n", 0, start) + 1] + text[_line_end(text, end) :]


def _entry(text: str, path: Sequence[str], *, least: int = 0) -> tuple[Any, Any] | None:
    """The nodes of key and value at a path, or None; least: how many keys the value must hold."""
    key: Any = None
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for name in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        pair = next(((k, v) for k, v in node.value if k.value == name), None)
        if pair is None:
            return None
        key, node = pair
    return (key, node) if not least or len(node.value) >= least else None


def _added(text: str, node: Any, key: str, value: Mapping[str, Any]) -> str:
    """The text with one more key in a mapping that holds at least one."""
    end = _end(node)
    if node.flow_style:
        before = text[: end - 1].rstrip()
        comma = "" if before.endswith((",", "{")) else ","
        space = "" if before.endswith("{") else " "
        return f"{before}{comma}{space}{key}: {_flow(value)}{text[end - 1 :]}"
    line = "\r\n" if "\r\n" in text else "\n"
    indent = " " * node.start_mark.column
    at = _line_end(text, end)
    head = text[:at] if text[:at].endswith("\n") else text[:at] + line
    inner = next(iter(value.values()))
    if isinstance(inner, Mapping):
        body = "".join(f"{indent}  {name}: {_flow(one)}{line}" for name, one in value.items())
        return f"{head}{indent}{key}:{line}{body}{text[at:]}"
    return f"{head}{indent}{key}: {_flow(value)}{line}{text[at:]}"


def _end(node: Any) -> int:
    """Where a node's own text ends: a block ends with its last leaf, before comments that follow."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    """Past the line feed of the line that a position is on; the position itself where a line has just ended."""
    if at and text[at - 1] == "\n":
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _flow(value: Mapping[str, Any]) -> str:
    """A mapping on one line."""
    return yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    ).strip()
