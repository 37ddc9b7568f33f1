"""The release: what binds a model to everything it needs and to its evidence, and the one path that answers.

files.py      which files are safe, and their hashes
manifest.py   release.json
build.py      a candidate for the gates, then final with the evidence
load.py       verified and loaded whole, or refused with what differs
candidate.py  the loaded release: recommend, search, predict, explain, disclosure
rules.py      serving rules: age limits, availability, withdrawals, objections
understanding.py  rankers that understand queries, with the prices and ages that hold now
filters.py    filters that a caller names: which are none of the catalogue's
policy.py     a deterministic ranker as a policy
columns.py    flat columns, typed as a model reads them
histories.py  events in columns to the histories that models read
frames.py     the same answers in pandas: `mercer.load`
"""

from mercer.release.build import ReleasedModel, build, finalize
from mercer.release.candidate import Answer, Release
from mercer.release.columns import typed_frame, unseen
from mercer.release.frames import FrameRelease
from mercer.release.frames import load as load_frames
from mercer.release.histories import histories
from mercer.release.load import load, locate, verify
from mercer.release.manifest import Manifest, TargetEntry
from mercer.release.policy import DeterministicPolicy
from mercer.release.rules import NO_OVERLAY, Catalogue, Overlay
from mercer.release.understanding import UnderstandingRanker

__all__ = [
    "NO_OVERLAY",
    "Answer",
    "Catalogue",
    "DeterministicPolicy",
    "FrameRelease",
    "Manifest",
    "Overlay",
    "Release",
    "ReleasedModel",
    "TargetEntry",
    "UnderstandingRanker",
    "build",
    "finalize",
    "histories",
    "load",
    "load_frames",
    "locate",
    "typed_frame",
    "unseen",
    "verify",
]
