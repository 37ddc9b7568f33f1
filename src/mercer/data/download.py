"""Bringing the files of a public data set: from the web, or from a folder; nothing gets its name before its checksum.

What has arrived is kept beside the target as `.NAME.part` when a download breaks, and the next try goes on from there.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from io import BufferedReader
from pathlib import Path

from mercer.contracts import Progress, Silent
from mercer.data.public_sets import PublicFile, PublicSet
from mercer.errors import ConflictError, DataError, NotFoundError, OutputError

PATIENCE = 30.0
"""Seconds without a byte after which a server is given up."""

TRIES = 3
"""How often a download that broke off is taken up again."""

_PIECE = 1 << 16
_REMEDY = "Try again later, give another address with --mirror, or a folder that has the file with --from."


def get_public(
    one: PublicSet,
    to: Path,
    *,
    from_folder: Path | None = None,
    mirror: str | None = None,
    progress: Progress | None = None,
    patience: float = PATIENCE,
) -> tuple[Path, ...]:
    """Put the files of a data set into the folder `to`; returns their paths.

    from_folder: copy them from there. mirror: a folder on the web to take them from instead of the set's own address.
    progress: is told bytes. patience: seconds to wait for a byte. A file that is there already is kept as it is.
    Raises NotFoundError for a folder without the file, DataError when the web does not give the file with its
    checksum, ConflictError for another file of the name, OutputError when `to` can't be written.
    """
    bar = progress or Silent()
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _unwritable(to, fault) from fault
    done, places = 0, []
    for file in one.files:
        place = to / file.name
        if place.exists():
            _refuse_other(place, file)
        elif from_folder is not None:
            _copy(file, from_folder, place, _Count(bar, done, one.size))
        else:
            _download(
                f"{(mirror or one.address).rstrip('/')}/{file.name}", file, place,
                _Count(bar, done, one.size), patience,
            )  # fmt: skip
        done += file.size
        places.append(place)
    return tuple(places)


class _Count:
    """Tells a progress how many bytes of all there are."""

    def __init__(self, bar: Progress, before: int, total: int) -> None:
        self._bar, self._before, self._total = bar, before, total

    def __call__(self, size: int) -> None:
        done = self._before + size
        self._bar.advance(done, self._total, f"{done / 1e6:,.1f} of {self._total / 1e6:,.1f} MB")


def _refuse_other(place: Path, file: PublicFile) -> None:
    with place.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != file.sha256:
        raise ConflictError(
            f"{place} is there already and has other content.",
            remedy="Remove it, or give another folder with --to.",
        )


def _copy(file: PublicFile, folder: Path, place: Path, count: _Count) -> None:
    source = folder / file.name
    if not source.is_file():
        raise NotFoundError(
            f"{folder} holds no {file.name}.", remedy="Give the folder that does with --from."
        )
    part = _part(place)
    part.unlink(missing_ok=True)
    with source.open("rb") as handle:
        _append(handle, file, part, count)
    _finish(part, file, place, str(source))


def _download(url: str, file: PublicFile, place: Path, count: _Count, patience: float) -> None:
    """Take up a broken download where it stopped; what does not have its checksum then is fetched once more whole."""
    part, fault = _part(place), None
    resumed = part.exists()
    for _ in range(TRIES):
        try:
            _fetch(url, file, part, count, patience)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            if refusal.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                break
            raise DataError(f"{url} answers {refusal.code} ({refusal.reason}).", remedy=_REMEDY) from None
        except (OSError, http.client.HTTPException) as broken:
            fault = broken
        if _size(part) >= file.size:
            break
    if not part.exists():
        raise DataError(f"{url} can't be reached ({_reason(fault)}).", remedy=_REMEDY) from fault
    if fault is not None and _size(part) < file.size:
        raise DataError(
            f"{url}: only {_size(part):,} of {file.size:,} bytes came ({_reason(fault)}).",
            remedy="Run the command again: it goes on from there. " + _REMEDY,
        ) from fault
    if resumed and _digest(part) != file.sha256:
        part.unlink()
        _download(url, file, place, count, patience)
        return
    _finish(part, file, place, url)


def _fetch(url: str, file: PublicFile, part: Path, count: _Count, patience: float) -> None:
    """Append what the server sends to what is there; a server that can't send a rest begins anew."""
    have = _size(part)
    if have >= file.size:
        return
    headers = {"User-Agent": "mercer", **({"Range": f"bytes={have}-"} if have else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the user's own address, checked by content
    with urllib.request.urlopen(request, timeout=patience) as answer:  # noqa: S310
        if have and answer.status != http.client.PARTIAL_CONTENT:
            part.unlink()
        _append(answer, file, part, count)
    # urllib takes a connection that closes early for the end of the file.
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)


def _append(
    source: http.client.HTTPResponse | BufferedReader, file: PublicFile, part: Path, count: _Count
) -> None:
    """Write what a source gives, but never more than a byte beyond the size of the file."""
    size = _size(part)
    while size <= file.size and (piece := source.read1(_PIECE)):
        try:
            with part.open("ab") as out:
                out.write(piece[: file.size + 1 - size])
        except OSError as fault:
            raise _unwritable(part, fault) from fault
        size += len(piece)
        count(min(size, file.size))


def _finish(part: Path, file: PublicFile, place: Path, source: str) -> None:
    """Give the file its name if it is what it must be; else remove it."""
    size, digest = part.stat().st_size, _digest(part)
    if digest != file.sha256:
        part.unlink()
        wrong = f"{size:,} bytes, not {file.size:,}" if size < file.size else f"SHA-256 {digest[:12]}…"
        wrong = f"more than {file.size:,} bytes" if size > file.size else wrong
        raise DataError(
            f"{source} is not the {file.name} that mercer knows ({wrong}; expected SHA-256 {file.sha256[:12]}…).",
            remedy="Nothing was kept. " + _REMEDY,
        )
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    part.replace(place)


def _digest(place: Path) -> str:
    with place.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _size(place: Path) -> int:
    return place.stat().st_size if place.exists() else 0


def _part(place: Path) -> Path:
    return place.with_name(f".{place.name}.part")


def _reason(fault: Exception | None) -> str:
    reason = getattr(fault, "reason", fault)
    return "no answer in time" if isinstance(reason, TimeoutError) else str(reason) or type(fault).__name__


def _unwritable(place: Path, fault: OSError) -> OutputError:
    return OutputError(
        f"{place} can't be written ({fault.strerror}).", remedy="Give another folder with --to."
    )
