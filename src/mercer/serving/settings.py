"""What a served app is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mercer.compliance import CaseStore
from mercer.release import Release
from mercer.serving.answering import Answering, now
from mercer.serving.state import OnlineState


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The parts of an app.

    release: what answers. state: what it knows of people and catalogue. cases: what people are to decide.
    max_body_bytes: larger bodies are refused. clock: the present, microseconds since 1970 in UTC.
    """

    release: Release
    state: OnlineState
    cases: CaseStore
    max_body_bytes: int = 2_000_000
    clock: Callable[[], int] = field(default=now)

    def answering(self) -> Answering:
        """What turns calls into answers."""
        return Answering(release=self.release, state=self.state, clock=self.clock)
