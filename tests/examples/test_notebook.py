"""The notebook in examples/ runs from top to bottom, as a newcomer would run it."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "first_steps.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory):
    nbformat = pytest.importorskip(
        "nbformat", reason="nbformat is not installed: pip install 'mercer[notebook]'"
    )
    nbclient = pytest.importorskip(
        "nbclient", reason="nbclient is not installed: pip install 'mercer[notebook]'"
    )
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install 'mercer[notebook]'")
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(folder / "cache"))
        client = nbclient.NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )
        client.execute()
    return notebook, folder


def _text(notebook, starts: str) -> str:
    """What the first cell that holds a line with this beginning put out."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and any(line.startswith(starts) for line in cell.source.splitlines()):
            return "".join(
                output.get("text", "") or output.get("data", {}).get("text/plain", "")
                for output in cell.outputs
            )
    raise AssertionError(f"no cell has a line that starts with {starts!r}")


def test_the_notebook_makes_a_run_with_page_and_release(executed) -> None:
    notebook, folder = executed
    run = folder / "runs" / "first-steps"
    assert (run / "report.html").is_file()
    assert (run / "release" / "release.json").is_file()
    assert _text(notebook, "run.exit_code").startswith("(0,")


def test_the_notebook_shows_leaderboard_lists_and_predictions(executed) -> None:
    notebook, _ = executed
    assert "★ " in _text(notebook, "run.leaderboard")
    assert "position" in _text(notebook, "shop.recommend(histories, k=5)")
    assert "low" in _text(notebook, "predictions[")


def test_who_objected_is_answered_as_a_stranger_in_the_notebook(executed) -> None:
    assert _text(executed[0], "of_objector.tolist()") == "True"


def test_the_notebook_is_stored_without_outputs() -> None:
    nbformat = pytest.importorskip(
        "nbformat", reason="nbformat is not installed: pip install 'mercer[notebook]'"
    )
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(
        not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code"
    )
