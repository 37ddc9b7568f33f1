"""Loading a release: whole and verified, or refused with what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.contracts import ITEM_COLUMNS, Vocabulary, plugins
from mercer.errors import DamagedError, MercerError, NotFoundError
from mercer.release.candidate import Release
from mercer.release.columns import read_columns
from mercer.release.files import listed, refuse_unsafe
from mercer.release.manifest import MANIFEST, Manifest, TargetEntry, file_entries

BRIEF = "brief.yaml"
ITEMS = "catalogue/items.parquet"
VOCABULARY = "catalogue/vocabulary.parquet"
MODELS = "models"
FALLBACKS = "fallbacks"
_SHOWN = 6
_REMEDY = "Build the release again: mercer run BRIEF --out DIR"


def locate(place: Path) -> Path:
    """The release folder meant by `place`: itself, or the folder `release` of a run.

    Raises NotFoundError when neither holds a release.
    """
    for folder in (place, place / "release"):
        if (folder / MANIFEST).is_file():
            return folder
    raise NotFoundError(
        f"{place} holds no release ({MANIFEST} is missing).",
        remedy="Give a run folder that `mercer run` finished, or the release folder in it.",
    )


def load(place: Path | str) -> Release:
    """Verify every file of a release (or of a run's release) and load it whole.

    Raises NotFoundError when there is none; DamagedError when a file is missing, foreign, damaged or unsafe,
    or when the installed feature definitions are not its own: the message says what differs.
    """
    folder = locate(Path(place))
    manifest = verify(folder)
    brief = Brief.load(folder / BRIEF)
    vocabulary = Vocabulary.load(folder / VOCABULARY)
    items = _items(folder, vocabulary, manifest)
    _same_features(folder, manifest)
    models = {name: _model(folder / MODELS, name, entry) for name, entry in manifest.targets.items()}
    return Release(
        folder=folder,
        manifest=manifest,
        brief=brief,
        vocabulary=vocabulary,
        items=items,
        rankers={n: m for n, m in models.items() if manifest.targets[n].group == plugins.RANKERS},
        columns=read_columns(folder),
        predictors={n: m for n, m in models.items() if manifest.targets[n].group == plugins.PREDICTORS},
        fallbacks={n: _model(folder / FALLBACKS, n, entry) for n, entry in manifest.fallbacks.items()},
    )


def verify(folder: Path) -> Manifest:
    """Compare every file with the manifest. Raises DamagedError that says what differs."""
    manifest = Manifest.read(folder)
    found = file_entries(folder)
    differences = [
        *(f"{path} is missing" for path in manifest.files if path not in found),
        *(f"{path} is not part of it" for path in found if path not in manifest.files),
        *(
            f"{path} was changed (SHA-256 {found[path].sha256[:12]}…, expected {entry.sha256[:12]}…)"
            for path, entry in manifest.files.items()
            if path in found and found[path] != entry
        ),
    ]
    if differences:
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise DamagedError(
            f"The release in {folder} differs from its manifest: {'; '.join(differences[:_SHOWN])}{more}.",
            remedy=_REMEDY,
        )
    for path in listed(folder):
        try:
            refuse_unsafe(path)
        except MercerError as fault:
            raise DamagedError(f"The release in {folder}: {fault.message}", remedy=_REMEDY) from fault
    return manifest


def _items(folder: Path, vocabulary: Vocabulary, manifest: Manifest) -> pd.DataFrame:
    try:
        items: pd.DataFrame = pq.read_table(folder / ITEMS).to_pandas()
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError(f"{folder}: {ITEMS} can't be read.", remedy=_REMEDY) from fault
    if not set(ITEM_COLUMNS) <= set(items.columns) or len(items) != len(vocabulary):
        raise DamagedError(f"{folder}: {ITEMS} does not fit its vocabulary.", remedy=_REMEDY)
    if vocabulary.fingerprint != manifest.vocabulary:
        raise DamagedError(f"{folder}: {VOCABULARY} is another vocabulary.", remedy=_REMEDY)
    return items


def _same_features(folder: Path, manifest: Manifest) -> None:
    if not manifest.features_hash:
        return
    from mercer.features import definitions_hash

    if manifest.features_hash != definitions_hash():
        raise DamagedError(
            f"The release in {folder} was made with feature definitions {manifest.features_hash[:12]}…; "
            f"this mercer computes {definitions_hash()[:12]}….",
            remedy="Serve it with the mercer that made it, or build it again.",
        )


def _model(place: Path, name: str, entry: TargetEntry) -> Any:
    try:
        return plugins.load(entry.group, entry.model).load(place / name)
    except (OSError, ValueError, KeyError) as fault:
        raise DamagedError(
            f"The release in {place.parent}: model {entry.model!r} of target {name!r} can't be read.",
            remedy=_REMEDY,
        ) from fault
