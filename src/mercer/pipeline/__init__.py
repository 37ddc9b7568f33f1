"""The flow: brief → data → fit → evaluate → gate → report → release, every step cached by its inputs.

runner.py    the flow, read from top to bottom
flow.py      what a run carries from step to step; the lock on a run folder
sources.py   where a brief's data are looked for
supported.py what a brief may say and this version does not do yet
ingest.py    simulate, ingest and clean
audit.py     the leakage audit
material.py  tables, interactions and splits, loaded when first asked for
models.py    fit and score
board.py     select on validation, then score the test sets and compare
judge.py     candidate, gates, cases, evidence, release
tuning.py    search the options of models; trials.py one trial, search.py what to try next
rewrite.py   options written back into a brief's text
checking.py  what can be said before any training; pricing.py what the fits will take
outside.py   systems that mercer did not build, under the same protocol
across.py    two runs, paired
draft.py     a first brief from a data file
card.py      the card of a model
cache.py     steps cached by content; writing by rename
manifest.py  code, packages, hardware
progress.py  how a run says where it is
result.py    a finished run; announce.py says it in a terminal
"""

from mercer.pipeline.checking import CheckReport, check
from mercer.pipeline.flow import STAGES, machine
from mercer.pipeline.judge import case_store, case_url
from mercer.pipeline.outside import evaluate_rankings
from mercer.pipeline.pricing import Price, price
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.result import Run
from mercer.pipeline.runner import run
from mercer.pipeline.tuning import TunedModel, TuningResult, tune

__all__ = [
    "STAGES",
    "CheckReport",
    "Price",
    "Quiet",
    "Run",
    "RunProgress",
    "TunedModel",
    "TuningResult",
    "case_store",
    "case_url",
    "check",
    "evaluate_rankings",
    "machine",
    "price",
    "run",
    "tune",
]
