"""mercer: personalization for commerce and payments that can be proved before it ships.

    run(brief, out)      the whole flow; returns a Run with leaderboard, gates, decision, release
    tune(brief)          search the models' options on validation rows and store the best in the brief
    check(brief)         what the data are good for, before any training
    load(release)        a release: .recommend(...), .search(...), .predict(...), pandas frames in and out
    evaluate_rankings()  score a system that mercer did not build, under the same protocol
    Brief, Run           the question, and what came of it

Rooms are imported when first used, so that `import mercer` is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mercer.brief import Brief
    from mercer.pipeline import Run, check, evaluate_rankings, run, tune
    from mercer.release import load_frames as load

__all__ = ["Brief", "Run", "__version__", "check", "evaluate_rankings", "load", "run", "tune"]

_PLACES = {
    "Brief": ("mercer.brief", "Brief"),
    "Run": ("mercer.pipeline", "Run"),
    "check": ("mercer.pipeline", "check"),
    "evaluate_rankings": ("mercer.pipeline", "evaluate_rankings"),
    "load": ("mercer.release", "load_frames"),
    "run": ("mercer.pipeline", "run"),
    "tune": ("mercer.pipeline", "tune"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module 'mercer' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
