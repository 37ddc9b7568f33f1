"""Building a release: first as a candidate for the gates, then final with the evidence bound in.

Both write a temporary sibling folder and rename it, so that no reader ever sees half a release.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief, RecommendTarget
from mercer.contracts import ITEM_COLUMNS, FlatColumn, Vocabulary, plugins
from mercer.errors import DataError, NotFoundError, OutputError, UnsupportedError, nearest
from mercer.release.candidate import Release
from mercer.release.columns import write_columns
from mercer.release.files import listed, refuse_unsafe
from mercer.release.load import BRIEF, FALLBACKS, ITEMS, MODELS, VOCABULARY, load, verify
from mercer.release.manifest import (
    EVIDENCE,
    MANIFEST,
    Decision,
    Manifest,
    TargetEntry,
    content_hash,
    file_entries,
)

_GROUP = {"recommend": plugins.RANKERS, "search": plugins.RANKERS, "behavior": plugins.PREDICTORS}
_NOT_THE_MODELS = frozenset({"step.json"})
"""Records that a step cache leaves beside a model: costs and times, no part of what answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedModel:
    """A fitted model that is to answer a target.

    model_name: its entry point in `group` (`mercer.rankers` or `mercer.predictors`). model_folder: what its
    `save` wrote. options: as resolved. fit_on: "train", "train+validation" or "all". columns: what it reads, where
    the target predicts from flat columns.
    """

    model_name: str
    group: str
    model_folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int
    fit_on: str
    columns: tuple[FlatColumn, ...] = ()


def build(
    folder: Path,
    *,
    brief: Brief,
    targets: Mapping[str, ReleasedModel],
    vocabulary: Vocabulary,
    items: pd.DataFrame,
    features_hash: str,
    evidence: Mapping[str, Path],
    created: datetime,
    fallbacks: Mapping[str, ReleasedModel] | None = None,
) -> Release:
    """Write a candidate release to `folder` (replaced if it exists), load and return it.

    items: contracts.ITEM_COLUMNS, row i is item code i. features_hash: of the feature definitions, "" when no
    model reads them. evidence: name in the release -> file. created: aware time of the build. fallbacks: by
    recommend target, the ranker that answers where the target's own is late.
    Raises UnsupportedError for a file that could run code when read and for a model that keeps per-user
    parameters; NotFoundError for a target that the brief lacks; DataError for items that do not fit the
    vocabulary; OutputError when the folder can't be written.
    """
    entries = {name: _entry(name, model, brief) for name, model in targets.items()}
    spare = dict(fallbacks or {})
    spare_entries = {name: _fallback_entry(name, model, brief, entries) for name, model in spare.items()}
    missing = [column for column in ITEM_COLUMNS if column not in items.columns]
    if missing or items["item"].astype(str).tolist() != list(vocabulary.ids):
        raise DataError(
            f"The catalogue does not fit its vocabulary (missing columns: {', '.join(missing) or 'none'}).",
            remedy="Row i must be the item of code i, with every column of contracts.ITEM_COLUMNS.",
        )
    if created.tzinfo is None:
        raise DataError("`created` carries no time zone.", remedy="Give an aware time, such as UTC.")

    def fill(work: Path) -> None:
        (work / BRIEF).write_text(brief.dump(), "utf-8")
        (work / ITEMS).parent.mkdir()
        vocabulary.save(work / VOCABULARY)
        pq.write_table(pa.Table.from_pandas(items, preserve_index=False), work / ITEMS)
        for name, model in targets.items():
            _copy_model(model.model_folder, work / MODELS / name)
            if model.columns:
                write_columns(work, name, model.columns)
        for name, model in spare.items():
            _copy_model(model.model_folder, work / FALLBACKS / name)
        _copy_evidence(evidence, work)
        _manifest(
            work,
            brief,
            entries,
            spare_entries,
            vocabulary,
            features_hash,
            created.isoformat(timespec="seconds"),
        ).write(work)

    _written(folder, fill)
    return load(folder)


def finalize(folder: Path, evidence: Mapping[str, Path], *, decision: Decision = "") -> Release:
    """Bind the evidence and the decision into the candidate in `folder`, making it final; load and return it.

    evidence: name in the release -> file; replaces an entry of the same name. The content hash stays: what
    answers is the same to the byte. Raises DamagedError when the candidate is not whole.
    """
    before = verify(folder)

    def fill(work: Path) -> None:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        (work / MANIFEST).unlink()
        _copy_evidence(evidence, work)
        after = before.model_copy(
            update={"phase": "final", "decision": decision, "files": file_entries(work)}
        )
        after.sealed().write(work)

    _written(folder, fill)
    return load(folder)


def _entry(name: str, model: ReleasedModel, brief: Brief) -> TargetEntry:
    if name not in brief.targets:
        raise NotFoundError(f"The brief has no target {name!r}.", remedy=nearest(name, brief.targets))
    task = brief.targets[name].task
    if model.group != _GROUP[task]:
        raise UnsupportedError(
            f"Target {name!r} ({task}) can't be answered by {model.model_name!r} of {model.group}.",
            remedy=f"Give a model of {_GROUP[task]}.",
        )
    cls = plugins.load(model.group, model.model_name)
    if getattr(cls(cls.Options(**model.options)), "holds_users", False):
        raise UnsupportedError(
            f"Model {model.model_name!r} keeps parameters of single users; a release holds no personal data.",
            remedy="Release a model that reads users' histories from the request.",
        )
    return TargetEntry(
        task=task,
        model=model.model_name,
        group=model.group,
        policy=f"{name}/{model.model_name}",
        options=dict(model.options),
        seed=model.seed,
        fit_on=model.fit_on,
    )


def _fallback_entry(
    name: str, model: ReleasedModel, brief: Brief, targets: Mapping[str, TargetEntry]
) -> TargetEntry:
    if name not in targets or not isinstance(brief.targets[name], RecommendTarget):
        raise UnsupportedError(
            f"{name!r} is no recommend target of this release, so nothing stands in for it.",
            remedy="Give a fallback for a recommend target that is released.",
        )
    return _entry(name, model, brief)


def _manifest(
    work: Path,
    brief: Brief,
    targets: dict[str, TargetEntry],
    fallbacks: dict[str, TargetEntry],
    vocabulary: Vocabulary,
    features_hash: str,
    created: str,
) -> Manifest:
    files = file_entries(work)
    return Manifest(
        name=brief.name,
        mercer=version("mercer"),
        created=created,
        phase="candidate",
        targets=targets,
        fallbacks=fallbacks,
        features_hash=features_hash,
        vocabulary=vocabulary.fingerprint,
        n_items=len(vocabulary),
        files=files,
        content_hash=content_hash(files, targets, features_hash, fallbacks),
    ).sealed()


def _copy_model(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise NotFoundError(
            f"There is no model folder {source.name}.", remedy="Fit and save the model first."
        )
    for path in listed(source):
        if path.name in _NOT_THE_MODELS:
            continue
        refuse_unsafe(path)
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _copy_evidence(evidence: Mapping[str, Path], work: Path) -> None:
    for name, source in evidence.items():
        if Path(name).name != name or name.startswith("."):
            raise UnsupportedError(
                f"Evidence can't be called {name!r}.", remedy="Use a plain file name without folders."
            )
        refuse_unsafe(source)
        (work / EVIDENCE).mkdir(exist_ok=True)
        shutil.copyfile(source, work / EVIDENCE / name)


def _written(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary sibling, then put it in the folder's place."""
    work = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        fill(work)
        if folder.exists():
            folder.rename(old)
        work.rename(folder)
    except OSError as fault:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise OutputError(
            f"The release folder {folder} can't be written ({fault.strerror}).",
            remedy="Choose another folder with --out.",
        ) from fault
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
