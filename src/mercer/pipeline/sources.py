"""Where a brief's files are looked for."""

from __future__ import annotations

from pathlib import Path

from mercer.errors import NotFoundError


def data_folders(brief: Path | None, given: Path | None) -> tuple[Path, ...]:
    """Where source files are looked for, in order: the folder given, beside the brief, data/ there."""
    if given is not None:
        if not given.is_dir():
            raise NotFoundError(
                f"The data folder {given} does not exist.", remedy="Give another with --data."
            )
        return (given,)
    beside = (brief.parent if brief is not None else Path()).resolve()
    return (beside, beside / "data")
