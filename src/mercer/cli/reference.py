"""Reference pages that are written from the code: the command line and the brief. `python -m mercer.cli.reference`.

A test holds the pages in docs/reference/ equal to what this module writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

NOTE = "<!-- Written by `python -m mercer.cli.reference`; do not edit. -->\n"


def cli_reference() -> str:
    """docs/reference/cli.md: every command with its help and options."""
    import typer

    from mercer.cli.app import app

    root = typer.main.get_command(app)
    lines = [NOTE, "# The command line", "", str(root.help).replace("[bold]", "`").replace("[/]", "`"), ""]
    lines += [
        "Exit codes: 0 done, 1 a rule failed or is not assessed and not accepted, 2 wrong usage or input, 3 a fault.",
        "",
    ]

    def walk(command: Any, path: str) -> Iterator[str]:
        children = getattr(command, "commands", None)
        if children is not None:
            for name, child in children.items():
                yield from walk(child, f"{path} {name}")
            return
        yield f"## `{path}`"
        yield str(command.help).replace("\n\n", "\n\n").strip()
        yield ""
        yield "| argument or option | what it is |"
        yield "|---|---|"
        for parameter in command.params:
            if parameter.name == "help":
                continue
            named = (
                parameter.metavar or parameter.name.upper() if parameter.param_type_name == "argument" else ""
            )
            label = named or ", ".join((*parameter.opts, *parameter.secondary_opts))
            text = str(getattr(parameter, "help", None) or "").replace("|", "\\|")
            yield f"| `{label}` | {text} |"
        yield ""

    return "\n".join([*lines, *walk(root, "mercer")]).rstrip() + "\n"


def brief_reference() -> str:
    """docs/reference/brief.md: every key of a brief, its type, default and meaning."""
    from mercer import brief

    lines = [
        NOTE,
        "# The brief",
        "",
        "A YAML mapping. An unknown key is an error that names the nearest known one.",
        "",
    ]
    parts: list[type[BaseModel]] = [
        brief.Brief, brief.Decision, brief.Gain, brief.Guardrail, brief.Data, brief.Source, brief.ColumnNote,
        brief.RecommendTarget, brief.SearchTarget, brief.BehaviorTarget, brief.Tuned, brief.Split, brief.Value,
        brief.Tuning, brief.Fit, brief.Governance, brief.Acceptance, brief.Language, brief.RemoteModel,
    ]  # fmt: skip
    for part in parts:
        lines += [f"## {part.__name__}", (part.__doc__ or "").strip().split("\n\n")[0], ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for name, field in part.model_fields.items():
            key = field.alias or name
            meaning = (field.description or "").replace("|", "¦")
            lines.append(f"| `{key}` | {_type(field.annotation)} | {_default(field)} | {meaning} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _type(annotation: Any) -> str:
    arguments = get_args(annotation)
    if arguments and all(isinstance(one, str) for one in arguments):
        return " \\| ".join(arguments)
    text = getattr(annotation, "__name__", str(annotation)) if not arguments else str(annotation)
    for noise in ("mercer.brief.", "typing.", "datetime.", "<class '", "'>"):
        text = text.replace(noise, "")
    return (
        text.replace("|", "\\|")
        .replace("Annotated[RecommendTarget", "[RecommendTarget")
        .split(", FieldInfo")[0]
    )


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory is not None or field.default is PydanticUndefined:
        return "today"
    if isinstance(field.default, BaseModel):
        return "as below"
    return f"`{field.default!r}`".replace("None", "–")


PAGES = {"cli.md": cli_reference, "brief.md": brief_reference}


def main() -> None:
    """Write the pages into docs/reference."""
    folder = Path("docs/reference")
    for name, make in PAGES.items():
        (folder / name).write_text(make(), "utf-8")
        sys.stderr.write(f"wrote {folder / name}\n")


if __name__ == "__main__":
    main()
