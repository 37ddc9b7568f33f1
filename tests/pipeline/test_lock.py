"""One run at a time writes a run folder, and the lock goes with the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mercer.errors import OutputError
from mercer.pipeline.flow import locked

HOLD = """
import sys
from pathlib import Path
from mercer.pipeline.flow import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_another_run_writes_is_refused(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match="Another run is writing"), locked(tmp_path):
            pytest.fail("two runs hold one folder")
        other.kill()
        other.wait(30)
        with locked(tmp_path):
            pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"), locked(tmp_path / "file" / "run"):
        pytest.fail("a file was taken for a folder")
