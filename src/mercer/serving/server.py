"""Start a server for a run or a release: load, verify, seed the state, refuse what was not decided."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fastapi import FastAPI

from mercer.compliance import CaseStore
from mercer.contracts import Context, Requests
from mercer.errors import GateError, OutputError, UsageError
from mercer.release import Release, histories, load, locate
from mercer.serving.answering import now
from mercer.serving.app import build_app
from mercer.serving.deadline import DEADLINE_MS
from mercer.serving.hurry import DEADLINE_MS as ANSWER_DEADLINE_MS
from mercer.serving.settings import Settings
from mercer.serving.state import SCOPES, OnlineState, seed_from_run

DEV = "dev"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An app that is ready.

    dev_key: the key of `dev` mode, else None. notes: what a person should know.
    """

    app: FastAPI
    release: Release
    state: OnlineState
    dev_key: str | None
    notes: tuple[str, ...]


def state_url_of(place: Path) -> str:
    """Where the state of a run lives unless a URL is given: `state/mercer.db` in the run folder."""
    folder = locate(place)
    run = folder.parent if folder.name == "release" else folder
    return f"sqlite:///{(run / 'state' / 'mercer.db').resolve()}"


def create_key(state_url: str, name: str, scopes: Collection[str] = tuple(SCOPES)) -> str:
    """Make an API key in a state; it can be seen this once. Raises UsageError for an unknown scope."""
    state = OnlineState(state_url)
    try:
        return state.keys.create(name, scopes, time=now())
    finally:
        state.close()


def prepare(
    place: Path,
    *,
    host: str,
    state_url: str | None = None,
    dev: bool = False,
    understand_deadline_ms: int = DEADLINE_MS,
    answer_deadline_ms: int = ANSWER_DEADLINE_MS,
) -> Served:
    """Everything but the listening.

    place: a run folder or a release folder. dev: make one key and allow what was not decided, on the loopback
    only. understand_deadline_ms: how long understanding a query may take where the call does not say.
    answer_deadline_ms: how long a target's own ranker may take where a fallback stands by and the call does not say.
    Raises DamagedError for a release that is not whole, GateError for one that may not be served, UsageError for
    `dev` on another address than the loopback.
    """
    if dev and host not in _LOOPBACK:
        raise UsageError(
            f"--dev makes a key for this machine alone and can't listen on {host}.",
            remedy="Leave --host out, or leave --dev out and make a key.",
        )
    release = load(place)
    notes = _judged(release, dev=dev)
    warm(release)
    url = state_url or state_url_of(place)
    state = OnlineState(url)
    folder = release.folder
    seeded = seed_from_run(state, folder.parent) if folder.name == "release" else None
    if seeded is not None and not seeded.again:
        notes.append(f"Loaded {seeded.events} events of the run into the online state.")
    key = None
    if dev:
        state.keys.revoke(DEV, time=now())
        key = state.keys.create(DEV, SCOPES, time=now())
    settings = Settings(
        release=release,
        state=state,
        cases=CaseStore(url),
        understand_deadline_ms=understand_deadline_ms,
        answer_deadline_ms=answer_deadline_ms,
    )
    app = build_app(settings)
    return Served(app=app, release=release, state=state, dev_key=key, notes=tuple(notes))


def serve(
    place: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    state_url: str | None = None,
    dev: bool = False,
    understand_deadline_ms: int = DEADLINE_MS,
    answer_deadline_ms: int = ANSWER_DEADLINE_MS,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until interrupted. port: 0 takes a free one. announce: is told address, key and notes, by lines.

    Raises as `prepare` does, and OutputError when the address can't be listened on.
    """
    import uvicorn

    if place.exists():
        announce(f"Checking and loading {place} …")
    served = prepare(
        place,
        host=host,
        state_url=state_url,
        dev=dev,
        understand_deadline_ms=understand_deadline_ms,
        answer_deadline_ms=answer_deadline_ms,
    )
    listening = _listen(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    for note in served.notes:
        announce(note)
    if served.dev_key:
        announce(f"Key of this session: {served.dev_key}")
        announce(f"Console: {url}/#key={served.dev_key}")
    announce(f"Serving {served.release.manifest.name} on {url} (reference: {url}/docs). Ctrl-C ends it.")
    config = uvicorn.Config(
        served.app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
        served.state.close()


def warm(release: Release) -> None:
    """Ask every ranking target, and every fallback, once, unlogged: what is missing shows before a customer asks.

    Raises whatever the models raise, such as MissingExtraError.
    """
    for name in release.rankers:
        stranger = Requests(
            users=(None,),
            history=histories({"item": (), "time": ()}, row=(), users=["stranger"], items=release.vocabulary),
            time=np.zeros(1, np.int64),
            context=Context.unknown(1),
            query=("warm up",) if release.spec(name).task == "search" else None,
        )
        release.answer(name, stranger, 1)
        if name in release.fallbacks:
            release.stand_in(name, stranger, 1)


def _judged(release: Release, *, dev: bool) -> list[str]:
    """Notes on a release that was not decided for; refused unless `dev`."""
    manifest = release.manifest
    if manifest.phase == "final" and manifest.decision == "need-more-data":
        return ["The decision on this release is: need more data."]
    if manifest.phase == "final" and manifest.decision != "do-not-ship":
        return []
    said = "was not judged by the gates" if manifest.phase == "candidate" else "is not to be shipped"
    if not dev:
        raise GateError(
            f"The release {manifest.name!r} {said}.",
            remedy="Finish the run with `mercer run`, read its page, or look at it here with --dev.",
        )
    return [f"This release {said}; it is served for a look on this machine."]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # from here on a connection waits instead of being refused: the address is announced next
    except OSError as fault:
        listening.close()
        raise OutputError(
            f"{host}:{port} can't be listened on ({fault.strerror}).", remedy="Choose another with --port."
        ) from fault
    return listening
