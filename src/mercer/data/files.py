"""A file in the folders of a brief's data."""

from __future__ import annotations

from pathlib import Path

from mercer.errors import DataError, nearest


def find_file(name: str, folders: tuple[Path, ...]) -> Path:
    """The file in the first folder that has it. Raises DataError naming the folders and the nearest file there."""
    for folder in folders:
        place = folder / name
        if place.is_file():
            return place
    there = [
        file.name for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file()
    ]
    looked = ", ".join(str(folder) for folder in folders) or "no folder"
    raise DataError(
        f"{name}: no such file in {looked}.",
        remedy=nearest(name, there) if there else "Give the folder with --data.",
    )
