"""A process that kills itself when a checkpoint is about to be in place."""

from __future__ import annotations

import os
import signal
import sys


def die_at(number: int) -> None:
    """Kill this process when a checkpoint is about to be renamed into place for the Nth time."""
    seen: list[str] = []

    def hook(event: str, arguments: tuple) -> None:
        if event == "os.rename" and "step-" in str(arguments[1]):
            seen.append(event)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
