"""`mercer doctor`: what is installed, what is missing, how to mend it."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from mercer.environment import cache_folder, encoder_folder, threads

EXTRAS = {
    "decoder": ("pretrained language models", ("torch", "transformers", "peft", "gguf")),
    "encoder": ("export of the text encoder (needed once)", ("torch", "transformers", "onnx")),
    "postgres": ("PostgreSQL as state", ("psycopg",)),
    "spark": ("Spark as engine", ("pyspark",)),
    "notebook": ("the example notebooks", ("nbclient", "nbformat")),
    "browser": ("browser checks", ("playwright",)),
}
CORE = (
    "duckdb",
    "ibis-framework",
    "lightgbm",
    "numpy",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "tantivy",
)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell what is installed, what is missing, and the command that mends it.

    Exits 0 when the core is whole, 2 when something that every run needs is missing.
    """
    from mercer.cli.terminal import out, print_json

    rows = diagnose()
    if as_json:
        print_json(rows)
    else:
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("", "part", "found", "to mend it"):
            table.add_column(heading)
        marks = {"ok": "[green]✓[/]", "optional": "[yellow]–[/]", "missing": "[red]✗[/]"}
        for row in rows:
            table.add_row(marks[row["state"]], row["part"], row["found"], row["remedy"])
        out.print(table)
    if any(row["state"] == "missing" for row in rows):
        raise typer.Exit(2)


def diagnose() -> list[dict[str, Any]]:
    """One row a part: part, found, state (ok, optional, missing), remedy."""
    rows = [
        _row("python", sys.version.split()[0], ok=sys.version_info >= (3, 11), remedy="install Python 3.11")
    ]
    for name in CORE:
        found = _version(name)
        rows.append(_row(name, found or "absent", ok=bool(found), remedy="pip install mercer"))
    rows.append(_encoder())
    rows.append(_language_models())
    rows.append(_cache())
    for extra, (use, modules) in EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        rows.append(
            _row(
                f"extra {extra}",
                f"{use}: " + ("there" if not missing else f"without {', '.join(missing)}"),
                ok=not missing,
                remedy=f"pip install 'mercer[{extra}]'",
                optional=True,
            )
        )
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    rows.append(
        _row(
            "chromium",
            "there" if browser else "absent",
            ok=bool(browser),
            remedy="apt-get install chromium",
            optional=True,
        )
    )
    rows.append(_row("threads", str(threads()), ok=True))
    return rows


def _row(part: str, found: str, *, ok: bool, remedy: str = "", optional: bool = False) -> dict[str, Any]:
    state = "ok" if ok else ("optional" if optional else "missing")
    return {"part": part, "found": found, "state": state, "remedy": "" if ok else remedy}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _encoder() -> dict[str, Any]:
    exported = any(encoder_folder().rglob("*.onnx"))
    return _row(
        "text encoder", "exported" if exported else "not exported yet", ok=exported, remedy="make setup"
    )


def _language_models() -> dict[str, Any]:
    """Names only: `mercer models list` says more, and hashing what is large would take long."""
    from mercer.language.decoders import ModelStore

    store = ModelStore()
    names, broken = sorted({model.card.name for model in store.list()}), store.damaged()
    found = ", ".join(names) or "none imported"
    if broken:
        found += f"; damaged: {', '.join(broken)}"
    return _row(
        "language models",
        found,
        ok=bool(names) and not broken,
        remedy="delete the damaged folder, import again" if broken else "mercer models import smollm2",
        optional=True,
    )


def _cache() -> dict[str, Any]:
    folder = cache_folder()
    place = folder
    while not place.exists():
        place = place.parent
    writable = _writable(place)
    return _row("cache", str(folder), ok=writable, remedy="set MERCER_CACHE to a folder that can be written")


def _writable(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK)
