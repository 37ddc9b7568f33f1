"""The command line in this process: what it prints and exits with, as a terminal would see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mercer.cli import main, terminal

Typed = Callable[..., "Said"]
"""Types `mercer ARGUMENTS` and returns what came of it."""


@dataclass(frozen=True)
class Said:
    """Exit code, standard output and standard error of one command."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Standard error in one line, however the terminal wrapped it."""
        return re.sub(r"[\s│╭╮╰╯─]+", " ", self.err).strip()


def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    monkeypatch.setattr("sys.argv", ["mercer", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    # A console that was made under another width keeps it.
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "_width", 200)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    code = ended.value.code
    return Said(code if isinstance(code, int) else 0 if code is None else 1, said.out, said.err)
