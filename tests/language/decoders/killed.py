"""An import as a process of its own that kills itself: python -m language.decoders.killed SOURCE STORE MOMENT.

MOMENT is a step that the import's progress names, or "rename": the moment before the folder gets its name.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from mercer.language.decoders import ModelStore, import_model


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    source, store, moment = sys.argv[1:]

    class Deadly:
        def advance(self, done: int, total: int, note: str = "") -> None:
            if note == moment:
                die()

    def before(event: str, arguments: tuple) -> None:
        if event == "os.rename" and Path(arguments[0]).parent == Path(store):
            die()

    if moment == "rename":
        sys.addaudithook(before)
    import_model(source, store=ModelStore(Path(store)), progress=Deadly())


if __name__ == "__main__":
    main()
