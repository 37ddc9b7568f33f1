"""Finding, forgetting and exporting one person over every store that exists.

`forget` puts a keyed hash of the id on the suppression list, erases the person from run folders, cache, online
state, exposure log and cases, leaves a tombstone for every file it altered, and looks again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from mercer.brief import Brief
from mercer.compliance import CaseStore, Pseudonyms
from mercer.contracts import Erasable
from mercer.data import FolderStore, SuppressionList, Tables, training_rows
from mercer.errors import MercerError, NotFoundError
from mercer.language.remote.answers import RemoteAnswers
from mercer.release.manifest import MANIFEST, Manifest
from mercer.serving.access import export_person
from mercer.serving.state import OnlineState

TOMBSTONES = "tombstones.jsonl"
REASON = "a person asked to be forgotten"


@dataclass(frozen=True, slots=True)
class TrainedRelease:
    """A release that the person's data had trained; it holds nothing of the person, but was learned from them."""

    run: str
    name: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetReport:
    """What `forget` did. Nothing in it names the person.

    removed: rows by store. releases: those that the person's data had trained. tombstones: altered files.
    """

    removed: Mapping[str, int]
    releases: tuple[TrainedRelease, ...]
    tombstones: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "removed": dict(self.removed), "suppressed": True}

    def lines(self) -> list[str]:
        """Sentences for a person."""
        held = [f"{store}: {rows} removed" for store, rows in self.removed.items() if rows]
        trained = [
            f"Release {one.name} ({one.hash[:12]}) in {one.run} was trained with this person's data; "
            "it holds nothing of them. Run its brief again to train without."
            for one in self.releases
        ]
        return [
            *(held or ["Nothing was held."]),
            f"{self.tombstones} files were altered; each has a tombstone.",
            *trained,
            "The id is on the suppression list: a later run on the same source leaves the person out.",
        ]


def find(user: str, *, runs: Sequence[Path], cache: Path, state_url: str | None = None) -> list[str]:
    """Where the person is found, one line a place; empty when nowhere.

    runs: run folders. cache: mercer's cache. state_url: the database of online state and cases; left out: the
    `state/mercer.db` of each run, where there is one. Raises NotFoundError for a folder that is no run.
    """
    with _stores(runs, cache, state_url) as stores:
        return [f"{store.store}: {line}" for store in stores for line in store.find(user)]


def forget(
    user: str, *, runs: Sequence[Path], cache: Path, state_url: str | None = None, at: datetime
) -> ForgetReport:
    """Erase a person everywhere, for good. at: when, aware; it goes into the tombstones.

    Arguments as for `find`. Raises MercerError when something of the person is left afterwards, which is a
    fault; NotFoundError for a folder that is no run.
    """
    with _stores(runs, cache, state_url) as stores:
        # First the list: a run that starts meanwhile must not bring the person back.
        SuppressionList(cache).add(user)
        trained = tuple(release for run in runs if (release := _trained(run, user)) is not None)
        removed: dict[str, int] = {}
        tombstones = 0
        for store in stores:
            removed[store.store] = store.erase(user)
            if isinstance(store, FolderStore):
                tombstones += _bury(store, at)
            if isinstance(store, CaseStore):
                _scrub(stores)
        left = [store.store for store in stores if store.find(user)]
    if left:
        raise MercerError(
            f"Something of the person is left in: {', '.join(left)}.",
            remedy="Close programs that write there, then forget the person again.",
        )
    return ForgetReport(removed=removed, releases=trained, tombstones=tombstones)


def export(user: str, *, runs: Sequence[Path], cache: Path, state_url: str | None = None) -> dict[str, Any]:
    """What is held of a person, what was shown, why, and under which policy, as JSON-able values.

    Arguments as for `find`.
    """
    with _stores(runs, cache, state_url) as stores:
        places = [f"{store.store}: {line}" for store in stores for line in store.find(user)]
        states = [store for store in stores if isinstance(store, OnlineState)]
        cases = [store for store in stores if isinstance(store, CaseStore)]
        return export_person(user, runs=runs, places=places, states=states, cases=cases)


def altered(folder: Path, known: Mapping[str, str]) -> list[str]:
    """Files of `folder` whose bytes are neither those known nor those that tombstones say they became.

    known: SHA-256 by path. A file that erasure altered, once or often, still verifies.
    """
    from mercer.release.files import sha256

    became: dict[tuple[str, str], str] = {}
    path = folder / TOMBSTONES
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        entry = json.loads(line)
        became[entry["file"], entry["before"]] = entry["after"]
    wrong = []
    for name, expected in known.items():
        while (name, expected) in became:
            expected = became.pop((name, expected))
        file = folder / name
        if (sha256(file) if file.is_file() else "") != expected:
            wrong.append(name)
    return wrong


@contextmanager
def _stores(runs: Sequence[Path], cache: Path, state_url: str | None) -> Iterator[list[Erasable]]:
    """Every store that exists, closed afterwards."""
    for run in runs:
        if not run.is_dir():
            raise NotFoundError(
                f"{run} is not a run folder.", remedy="Give a folder that `mercer run` wrote."
            )
    folders: list[Erasable] = [FolderStore(run, f"run {run.name}") for run in runs]
    if cache.is_dir():
        folders.append(FolderStore(cache, "cache"))
    answers = cache / "remote" / "answers"
    if answers.is_dir():
        folders.append(RemoteAnswers(answers, Pseudonyms.load(cache / "keys").of))
    urls = (
        [state_url] if state_url else [f"sqlite:///{(run / 'state' / 'mercer.db').resolve()}" for run in runs]
    )
    states, cases = [], []
    try:
        for url in dict.fromkeys(urls):
            if _exists(url):
                states.append(OnlineState(url))
                cases.append(CaseStore(url))
        yield [*folders, *states, *cases]
    finally:
        for state in states:
            state.close()
        for case in cases:
            case.dispose()


def _exists(url: str) -> bool:
    """Whether there is a database; a run that was never served has none, and none is made for it."""
    parsed = make_url(url)
    return parsed.get_backend_name() != "sqlite" or (
        parsed.database is not None and Path(parsed.database).is_file()
    )


def _trained(run: Path, user: str) -> TrainedRelease | None:
    """The run's release, if the person's events were among those that trained it."""
    if not (run / "release" / MANIFEST).is_file():
        return None
    manifest = Manifest.read(run / "release")
    try:
        tables = Tables.load(run / "data")
    except NotFoundError:
        return None
    events = tables.events()
    if events is None or not (events["user"] == user).any():
        return None
    brief = Brief.load(run / "release" / "brief.yaml")
    if not training_rows(tables, brief)[(events["user"] == user).to_numpy(bool)].any():
        return None
    return TrainedRelease(run.name, manifest.name, manifest.hash)


def _bury(store: FolderStore, at: datetime) -> int:
    """Write a tombstone for every file that the store altered; returns how many."""
    lines = [
        {
            "file": change.path,
            "before": change.before,
            "after": change.after,
            "reason": REASON,
            "at": at.isoformat(timespec="seconds"),
        }
        for change in store.changes
    ]
    if lines:
        with (store.folder / TOMBSTONES).open("a", encoding="utf-8") as handle:
            handle.writelines(json.dumps(line, sort_keys=True) + "\n" for line in lines)
            handle.flush()
            os.fsync(handle.fileno())
    return len(lines)


def _scrub(stores: Sequence[Erasable]) -> None:
    """Empty the write-ahead logs that online state and cases share."""
    for store in stores:
        if isinstance(store, OnlineState):
            store.database.scrub()
