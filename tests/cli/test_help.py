"""Every command says what it does, and saying so is quick."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.typed import Typed
from mercer import __version__
from mercer.cli.app import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and every group, as it is typed."""
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


EVERY = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_of_every_command(mercer: Typed, path: tuple[str, ...]) -> None:
    said = mercer(*path, "--help")
    assert said.code == 0
    assert said.err == ""
    assert "Usage: " + " ".join(("mercer", *path)) in said.out
    assert "--help" in said.out


@pytest.mark.parametrize("path", [path for path in EVERY if path], ids=" ".join)
def test_every_option_and_command_has_a_help_text(path: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    assert command.help
    assert command.help.split("\n")[0].strip().endswith((".", ":", ","))
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(path)}: {parameter.name}"


def test_the_version(mercer: Typed) -> None:
    said = mercer("--version")
    assert (said.code, said.out) == (0, f"mercer {__version__}\n")


def test_nothing_typed_shows_the_help(mercer: Typed) -> None:
    assert "Start with" in mercer().out


def test_help_is_quick_and_imports_no_room() -> None:
    """The CPU time is printed, for it depends on the machine; what is imported does not."""
    script = (
        "import sys\nsys.argv = ['mercer', '--help']\nfrom mercer.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'duckdb', 'pyarrow', 'lightgbm', 'sklearn', 'scipy', 'torch', 'fastapi',"
        " 'onnxruntime', 'altair', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"mercer --help: {spent:.2f} s of CPU")
    assert done.stderr.strip() == "[]"
