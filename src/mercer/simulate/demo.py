"""The brief of the demo, which comes with the package."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path


def demo_brief() -> Path:
    """The path of demo.yaml; `briefs/demo.yaml` of the repository is the same file."""
    with as_file(files("mercer.simulate").joinpath("demo.yaml")) as path:
        return path
