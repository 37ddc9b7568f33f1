"""How a run says where it is."""

from __future__ import annotations

from typing import Protocol

from mercer.contracts import Progress, Silent


class RunProgress(Protocol):
    """Told of every step of a run; a terminal, or nothing."""

    def begin(self, step: str) -> Progress:
        """A step starts; what it returns is told of the work inside it."""
        ...

    def end(self, step: str, *, seconds: float, cached: bool) -> None:
        """The step is done; `cached` when an earlier run had done it."""
        ...

    def note(self, text: str) -> None:
        """Something a person should know, in one line."""
        ...


class Quiet:
    """A RunProgress that says nothing."""

    def begin(self, step: str) -> Progress:  # noqa: ARG002
        """Return a silent progress."""
        return Silent()

    def end(self, step: str, *, seconds: float, cached: bool) -> None:
        """Ignore the report."""

    def note(self, text: str) -> None:
        """Ignore the note."""
