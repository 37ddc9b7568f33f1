from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from language.remote.entries import LONG, kept, key, mark
from mercer.contracts import Erasable
from mercer.errors import DamagedError, UsageError
from mercer.language.remote import RemoteAnswers
from mercer.testing.stores import ErasableContract

if TYPE_CHECKING:
    from language.remote.server import ChatServer

HOW: dict[str, Any] = {"max_tokens": 20, "temperature": 0.0, "seed": 1}


class TestRemoteAnswers(ErasableContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Erasable:
        answers = RemoteAnswers(tmp_path / "answers", mark)
        answers.put(key(1), kept(), [mark(self.user)])
        answers.put(key(2), kept(), [mark(self.other)])
        return answers

    @pytest.fixture
    def files(self, store: RemoteAnswers) -> Path:
        return store.folder


def test_an_answer_about_two_people_goes_with_either(tmp_path: Path) -> None:
    answers = RemoteAnswers(tmp_path, mark)
    answers.put(key(1), kept(), answers.marks(["a", "b"]))
    assert answers.erase("a") == 1
    assert answers.find("b") == []


def test_people_who_come_later_are_added(tmp_path: Path) -> None:
    answers = RemoteAnswers(tmp_path, mark)
    answers.put(key(1), kept(), [mark("a")])
    assert answers.get(key(1), [mark("b")]) == kept()
    assert (len(answers.find("a")), len(answers.find("b"))) == (1, 1)
    assert answers.erase("b") == 1
    assert answers.get(key(1)) is None


def test_people_need_a_keyed_hash(tmp_path: Path, server: ChatServer, remote: Any) -> None:
    with pytest.raises(UsageError, match="keyed hash"):
        RemoteAnswers(tmp_path).marks(["a"])
    with pytest.raises(UsageError, match="keyed hash"):
        remote(server).generate([{"role": "user", "content": "x"}], subjects=["a"], **HOW)
    assert not server.bodies


def test_a_person_in_a_question_is_found_and_erased(server: ChatServer, remote: Any, tmp_path: Path) -> None:
    generator = remote(server, mark=mark)
    generator.generate([{"role": "user", "content": "running shoes"}], subjects=["customer-7"], **HOW)
    assert len(generator.answers.find("customer-7")) == 1
    assert generator.answers.erase("customer-7") == 1
    assert generator.answers.find("customer-7") == []
    assert not any(b"customer-7" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-9], lambda text: text.replace("an answer", "another")]
)
def test_a_damaged_entry_is_said(tmp_path: Path, damage: Any) -> None:
    answers = RemoteAnswers(tmp_path)
    answers.put(key(1), kept())
    (path,) = tmp_path.glob("*/*.json")
    path.write_text(damage(path.read_text()))
    with pytest.raises(DamagedError, match="not as it was written"):
        answers.get(key(1))


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    RemoteAnswers(tmp_path / "answers").put(key(1), kept())
    for path in (tmp_path / "answers").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


WRITER = """
import sys
from pathlib import Path
from mercer.language.remote import RemoteAnswers
from language.remote.entries import LONG, kept, key, mark
answers = RemoteAnswers(Path(sys.argv[1]), mark)
answers.put(key(0), kept(LONG), [mark("customer-7")])
print("ready", flush=True)
at = 0
while True:
    answers.put(key(at % 3), kept(LONG), [mark("customer-7")])
    at += 1
"""


def _kill_a_writer(folder: Path) -> None:
    """Start a process that writes without end, and kill it while it is at it."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[2]) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        while not any(folder.glob("*/*.draft")):
            assert writer.poll() is None
        os.kill(writer.pid, signal.SIGKILL)


def test_a_process_killed_while_writing_leaves_nothing_half(tmp_path: Path) -> None:
    answers = RemoteAnswers(tmp_path, mark)
    # Now and then a write ends between the look and the kill: then once more.
    for _ in range(10):
        _kill_a_writer(tmp_path)
        found = [answers.get(key(at)) for at in range(3)]
        assert found[0] == kept(LONG)
        assert all(one is None or one == kept(LONG) for one in found)
        answers.put(key(9), kept())
        if any(tmp_path.glob("*/*.draft")):
            break
    assert any(tmp_path.glob("*/*.draft")), "no process was killed in the middle of a write"
    answers.erase("customer-7")
    left = [path for path in tmp_path.glob("*/*") if path.is_file()]
    assert [path.stem for path in left] == [key(9)], "drafts of killed processes are erased too"


ASKER = """
import json, sys
from pathlib import Path
from mercer.language.remote import RemoteGenerator
url, folder, *texts = sys.argv[1:]
options = RemoteGenerator.Options(base_url=url, model="tiny", folder=Path(folder))
with RemoteGenerator(options) as generator:
    answers = [
        generator.generate([{"role": "user", "content": text}], max_tokens=20, temperature=0, seed=1) for text in texts
    ]
print(json.dumps([[one.text, one.cached] for one in answers]))
"""


def test_two_processes_share_what_is_kept(server: ChatServer, tmp_path: Path) -> None:
    texts = ["running shoes", "a mug, please", "café"]
    told = []
    for order in (texts, texts[::-1]):
        command = [sys.executable, "-c", ASKER, server.base_url, str(tmp_path), *order]
        told.append(json.loads(subprocess.run(command, check=True, capture_output=True, timeout=100).stdout))
    assert [text for text, _ in told[0]] == [text for text, _ in told[1]][::-1]
    assert [cached for _, cached in told[0] + told[1]] == [False] * 3 + [True] * 3
    assert len(server.bodies) == 3
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["answered"] * 3 + ["kept"] * 3
