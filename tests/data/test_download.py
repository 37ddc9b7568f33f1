"""Public data sets brought from a web server of the tests' own, which breaks off, lies, crawls and refuses."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import ROOT
from typer.testing import CliRunner

from mercer.cli.app import app
from mercer.data.download import get_public
from mercer.data.public_sets import PUBLIC_SETS, PublicFile, PublicSet, find_set
from mercer.errors import ConflictError, DataError, NotFoundError, OutputError

CONTENT = bytes(range(256)) * 2_000
"""Half a megabyte: several pieces."""

SET = PublicSet(
    name="made",
    title="",
    files=(PublicFile("made.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)),),
    address="http://127.0.0.1:1/",
    origin="",
    changed="",
    licence="",
    attribution="",
)

Answer = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """A server on the loopback; `answer` is what it does with a request, `asked` the ranges that it was asked for."""

    def __init__(self) -> None:
        self.answer: Answer = whole
        self.asked: list[str | None] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.headers["Range"])
                web.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def send(
    request: BaseHTTPRequestHandler, content: bytes, *, length: int | None = None, status: int = 200
) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(content) if length is None else length))
    request.end_headers()
    request.wfile.write(content)


def asked_from(request: BaseHTTPRequestHandler) -> int:
    return int((request.headers["Range"] or "bytes=0-").removeprefix("bytes=").rstrip("-"))


def whole(request: BaseHTTPRequestHandler) -> None:
    """The file, or the rest of it that was asked for."""
    start = asked_from(request)
    send(request, CONTENT[start:], status=206 if start else 200)


def half(request: BaseHTTPRequestHandler) -> None:
    """Half of what was asked for; then the connection breaks."""
    rest = CONTENT[asked_from(request) :]
    send(request, rest[: len(rest) // 2], length=len(rest), status=206 if asked_from(request) else 200)


def first_half_only(request: BaseHTTPRequestHandler) -> None:
    """Always from the beginning, whatever was asked for, and always broken in the middle."""
    send(request, CONTENT[: len(CONTENT) // 2], length=len(CONTENT))


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Told:
    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def advance(self, done: int, total: int, note: str = "") -> None:
        self.steps.append((done, total))


def get(web: Web, folder: Path, **more: object) -> bytes:
    places = get_public(SET, folder, mirror=web.url, **more)  # type: ignore[arg-type]
    assert places == (folder / "made.bin",)
    return places[0].read_bytes()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_file_is_brought_with_its_progress_told(web: Web, tmp_path: Path) -> None:
    told = Told()
    assert get(web, tmp_path / "new" / "data", progress=told) == CONTENT
    assert left(tmp_path / "new" / "data") == ["made.bin"]
    assert told.steps == sorted(told.steps)
    assert len(told.steps) > 3
    assert told.steps[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_crawls_is_waited_for(web: Web, tmp_path: Path) -> None:
    def crawl(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for start in range(0, len(CONTENT), 100_000):
            request.wfile.write(CONTENT[start : start + 100_000])
            request.wfile.flush()
            time.sleep(0.02)

    web.answer = crawl
    assert get(web, tmp_path) == CONTENT


def test_a_server_that_falls_silent_is_given_up_and_taken_up_again(web: Web, tmp_path: Path) -> None:
    silent = threading.Event()

    def stall(request: BaseHTTPRequestHandler) -> None:
        start = asked_from(request)
        send(
            request, CONTENT[start : start + 1_000], length=len(CONTENT) - start, status=206 if start else 200
        )
        request.wfile.flush()
        silent.wait(5)

    web.answer = stall
    try:
        with pytest.raises(DataError, match=r"bytes came \(no answer in time\)\. Run the command again"):
            get(web, tmp_path, patience=0.1)
    finally:
        silent.set()
    assert left(tmp_path) == [".made.bin.part"]
    web.answer = whole
    assert get(web, tmp_path) == CONTENT
    assert web.asked[-1] not in (None, "bytes=0-"), "it began anew"


def test_a_download_that_breaks_goes_on_from_there(web: Web, tmp_path: Path) -> None:
    web.answer = half
    with pytest.raises(DataError, match=r"only 448,000 of 512,000 bytes came .*goes on from there"):
        get(web, tmp_path)
    assert web.asked == [None, "bytes=256000-", "bytes=384000-"]
    web.answer = whole
    assert get(web, tmp_path) == CONTENT
    assert web.asked[-1] == "bytes=448000-"
    assert left(tmp_path) == ["made.bin"]


def test_a_server_that_knows_no_ranges_is_asked_for_the_whole(web: Web, tmp_path: Path) -> None:
    web.answer = first_half_only
    with pytest.raises(DataError, match=r"only 256,000 of 512,000"):
        get(web, tmp_path)
    web.answer = lambda request: send(request, CONTENT)
    assert get(web, tmp_path) == CONTENT


def test_what_another_file_left_is_thrown_away(web: Web, tmp_path: Path) -> None:
    (tmp_path / ".made.bin.part").write_bytes(b"x" * 1_000)
    assert get(web, tmp_path) == CONTENT
    assert web.asked == ["bytes=1000-", None]
    (tmp_path / "made.bin").unlink()
    (tmp_path / ".made.bin.part").write_bytes(b"x" * len(CONTENT))
    assert get(web, tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"y" * len(CONTENT),
            r"is not the made\.bin that mercer knows \(SHA-256 \w{12}…; expected SHA-256 \w{12}…\)",
        ),
        (CONTENT + b"!", r"\(more than 512,000 bytes;"),
        (b"<html>Sign in</html>", r"\(20 bytes, not 512,000;"),
        (b"", r"can't be reached|0 bytes, not 512,000"),
    ],
)
def test_other_content_is_not_kept(web: Web, tmp_path: Path, content: bytes, says: str) -> None:
    web.answer = lambda request: send(request, content)
    with pytest.raises(DataError, match=says):
        get(web, tmp_path)
    assert left(tmp_path) == []


def test_a_server_without_end_is_stopped(web: Web, tmp_path: Path) -> None:
    sent = 0

    def endless(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        request.end_headers()
        try:
            while sent < 100 * len(CONTENT):
                request.wfile.write(CONTENT)
                sent += len(CONTENT)
        except OSError:
            return

    web.answer = endless
    with pytest.raises(DataError, match="more than 512,000 bytes"):
        get(web, tmp_path)
    assert sent < 100 * len(CONTENT)
    assert left(tmp_path) == []


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_a_refusal_is_told_by_its_status(web: Web, tmp_path: Path, status: int) -> None:
    web.answer = lambda request: request.send_error(status)
    with pytest.raises(
        DataError, match=rf"/made\.bin answers {status} \(.+\)\. Try again later, give another address"
    ):
        get(web, tmp_path)
    assert left(tmp_path) == []


def test_without_a_network_the_other_ways_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"can't be reached \(.+\)\. Try .* --mirror, or a folder .* --from"):
        get_public(SET, tmp_path)


def test_a_folder_gives_the_file_by_the_same_checksum(tmp_path: Path) -> None:
    source, to = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    with pytest.raises(NotFoundError, match=r"holds no made\.bin"):
        get_public(SET, to, from_folder=source)
    (source / "made.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=r"\(511,999 bytes, not 512,000;"):
        get_public(SET, to, from_folder=source)
    assert left(to) == []
    (source / "made.bin").write_bytes(CONTENT)
    assert get_public(SET, to, from_folder=source)[0].read_bytes() == CONTENT


def test_a_file_that_is_there_is_kept(web: Web, tmp_path: Path) -> None:
    (tmp_path / "made.bin").write_bytes(CONTENT)
    assert get(web, tmp_path) == CONTENT
    assert web.asked == []
    (tmp_path / "made.bin").write_bytes(b"mine")
    with pytest.raises(ConflictError, match=r"made\.bin is there already and has other content"):
        get(web, tmp_path)
    assert (tmp_path / "made.bin").read_bytes() == b"mine"


def test_a_folder_that_cannot_be_written_is_told(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        get(web, tmp_path / "file" / "data")


def test_several_files_are_one_progress(web: Web, tmp_path: Path) -> None:
    files = tuple(replace(SET.files[0], name=name) for name in ("a.bin", "b.bin"))
    told = Told()
    places = get_public(replace(SET, files=files), tmp_path, mirror=web.url + "/", progress=told)
    assert [place.name for place in places] == ["a.bin", "b.bin"]
    assert told.steps == sorted(told.steps)
    assert told.steps[-1] == (2 * len(CONTENT), 2 * len(CONTENT))


def test_the_known_data_set_is_the_file_of_the_repository(tmp_path: Path) -> None:
    place = get_public(find_set("online-retail"), tmp_path, from_folder=ROOT / "briefs" / "data")[0]
    assert place.name == "online_retail.parquet"
    with pytest.raises(NotFoundError, match=r"'online-retial'\. Did you mean 'online-retail'"):
        find_set("online-retial")


def test_every_data_set_says_whose_it_is_and_is_told_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "data.md").read_text("utf-8")
    assert PUBLIC_SETS
    for name, one in PUBLIC_SETS.items():
        assert one.name == name
        assert one.origin.startswith("https://")
        assert all((one.licence, one.attribution, one.changed, one.files))
        assert f"`{name}`" in page
        assert one.attribution in page


def test_the_command_brings_the_file_and_tells_licence_and_attribution(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        app, ["data", "get", "online-retail", "--to", str(tmp_path), "--from", str(ROOT / "briefs" / "data")]
    )
    assert said.exit_code == 0, said.output
    assert "CC BY 4.0" in said.output
    assert "10.24432/C5BW33" in said.output
    assert (tmp_path / "online_retail.parquet").is_file()
    listed = CliRunner().invoke(app, ["data", "get"])
    assert "online-retail" in listed.output
