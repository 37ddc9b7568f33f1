"""`finetune`: a decoder, examples and options in; an adapter or a model in a folder out."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mercer.contracts import Budget, Runtime
from mercer.environment import torchrun
from mercer.errors import OutputError, UsageError
from mercer.language.decoders.decoder import Decoder, Stored
from mercer.language.decoders.store import ModelStore, StoredModel
from mercer.language.finetuning.adapters import save_adapter
from mercer.language.finetuning.examples import Example, LeftOut, Lessons, Preference, lessons
from mercer.language.finetuning.options import FineTuningOptions
from mercer.language.finetuning.weights import frozen_precision, needs_peft, prepared
from mercer.training import TrainingEstimate, TrainingOptions, TrainingRecord, estimate, train

if TYPE_CHECKING:
    from mercer.language.finetuning.preference import PreferenceTrainee
    from mercer.language.finetuning.supervised import SupervisedTrainee

Examples = Sequence[Example] | Sequence[Preference]
Judge = Callable[[Decoder], float]
"""Measures a decoder as it is when called; higher is better."""

CHECKPOINTS = "checkpoints"

_UNKNOWN = "unknown"
"""The licence of a model that no card describes."""


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A fine-tuning that has ended.

    record: of the training (tokens, seconds, memory, money, losses, validations). folder: the adapter, for
    `Decoder.load(base, adapter=folder)`; with the method full a model, for `Decoder.load(folder)`.
    left_out: examples that were not learned from, numbered from 1, and why.
    """

    record: TrainingRecord
    folder: Path
    left_out: tuple[LeftOut, ...]


def finetune(
    model: Decoder | Path | Stored | str,
    examples: Examples,
    options: FineTuningOptions | None = None,
    *,
    folder: Path,
    validation: Examples | Judge | None = None,
    seed: int = 1,
    runtime: Runtime | None = None,
    budget: Budget | None = None,
) -> FineTuned:
    """Fine-tune a decoder on examples, or go on where an interrupted fine-tuning stopped.

    model: a decoder (which stays as it is, and whose precision is kept), a folder, or a model of the store or its
    name. examples: `Example`s, or `Preference`s with the method dpo. validation: held-out ones, whose mean
    log-likelihood (an answer token; a preference) is the metric that chooses the weights; or a function of the
    decoder. folder: for the result, for training.json, and, until it is done, for checkpoints, unless the runtime
    names a folder for them; after an end by `budget` they stay, and the same call with more seconds goes on.

    Raises DataError where no example is left, UsageError for examples of the wrong kind, OutputError for a folder
    that can't be written, MissingExtraError without the libraries, and what `mercer.training.train` raises.
    """
    options, runtime, budget = options or FineTuningOptions(), runtime or Runtime(), budget or Budget()
    work = _prepare(model, examples, options, validation=validation, seed=seed, runtime=runtime)
    own_checkpoints = folder / CHECKPOINTS if runtime.checkpoint_folder is None else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{folder} can't be written ({fault.strerror}).", remedy="Give another folder."
        ) from fault
    record = train(
        work.trainee,
        options,
        seed=seed,
        facts=work.facts,
        runtime=replace(runtime, checkpoint_folder=own_checkpoints or runtime.checkpoint_folder),
        budget=budget,
    )
    record = replace(record, notes=(*record.notes, *_said(work.learned.left_out)))
    if torchrun().rank == 0:
        _save(work, folder, options, record)
        if own_checkpoints is not None and record.stopped_because != "budget":
            shutil.rmtree(own_checkpoints, ignore_errors=True)
    return FineTuned(record, folder, work.learned.left_out)


def estimate_finetuning(
    model: Decoder | Path | Stored | str,
    examples: Examples,
    options: FineTuningOptions | None = None,
    *,
    validation: Examples | Judge | None = None,
    seed: int = 1,
    runtime: Runtime | None = None,
    steps: int = 12,
) -> TrainingEstimate:
    """What `finetune` would take on this machine, measured in some of its steps. Raises what `finetune` raises."""
    options, runtime = options or FineTuningOptions(), runtime or Runtime()
    work = _prepare(model, examples, options, validation=validation, seed=seed, runtime=runtime)
    return estimate(work.trainee, options, runtime=runtime, seed=seed, steps=steps)


@dataclass(frozen=True, slots=True)
class _Work:
    decoder: Decoder
    model: Any
    trainee: SupervisedTrainee | PreferenceTrainee
    learned: Lessons
    facts: dict[str, str]
    licence: str


def _prepare(
    model: Decoder | Path | Stored | str,
    examples: Examples,
    options: FineTuningOptions,
    *,
    validation: Examples | Judge | None,
    seed: int,
    runtime: Runtime,
) -> _Work:
    """All that a training begins with."""
    needs_peft()
    _check_kinds(examples, options)
    if validation is not None and not callable(validation):
        _check_kinds(validation, options)
    decoder, licence = _taken(model, frozen_precision(options, runtime))
    base = (decoder.base, decoder.tokenizer_hash)
    ready = prepared(decoder, options, seed=seed)

    def as_tokens(some: Examples) -> Lessons:
        return lessons(decoder, some, longest=options.longest, named=options.added_tokens)

    from mercer.language.finetuning.network import AnswerNetwork
    from mercer.language.finetuning.preference import PreferenceTrainee
    from mercer.language.finetuning.supervised import SupervisedTrainee

    learned = as_tokens(examples)
    network = AnswerNetwork(ready)
    trainee: SupervisedTrainee | PreferenceTrainee
    if callable(validation):
        held_out, judged = None, _Judged(validation, decoder)
    else:
        held_out, judged = None if validation is None else as_tokens(validation), None
    kept = None if held_out is None else held_out.kept
    if options.method == "dpo":
        trainee = PreferenceTrainee(network, learned.kept, options, judged or kept)
    else:
        trainee = SupervisedTrainee(network, learned.kept, options, judged or kept)
    how = options.model_dump(mode="json", include=set(FineTuningOptions.model_fields) - _LOOP)
    facts = {
        "base": base[0],
        "tokenizer": base[1],
        "examples": learned.hash,
        "validation": "a function"
        if held_out is None and judged
        else ""
        if held_out is None
        else held_out.hash,
        "how": _hash(how),
    }
    return _Work(decoder, ready, trainee, learned, facts, licence)


def _taken(model: Decoder | Path | Stored | str, precision: Literal["fp32", "bf16"]) -> tuple[Decoder, str]:
    """A decoder of our own, and the licence of its model where its card says so; read in this precision."""
    if isinstance(model, Decoder):
        mine = Decoder(
            copy.deepcopy(model.model),
            copy.deepcopy(model.tokenizer),
            base=model.base,
            tokenizer_hash=model.tokenizer_hash,
            precision=model.precision,
        )
        return mine, _UNKNOWN
    source = ModelStore().get(model) if isinstance(model, str) else model
    licence = source.card.licence if isinstance(source, StoredModel) else _UNKNOWN
    return Decoder.load(source, precision=precision), licence


class _Judged:
    """A function of a decoder as a validation. Every call names other weights, so no cache may mix them up."""

    def __init__(self, judge: Judge, decoder: Decoder) -> None:
        self._judge = judge
        self._decoder = decoder
        self._calls = 0

    def __call__(self) -> float:
        self._calls += 1
        now = Decoder(
            self._decoder.model,
            self._decoder.tokenizer,
            base=self._decoder.base,
            tokenizer_hash=self._decoder.tokenizer_hash,
            adapter=f"in training, {id(self)}, {self._calls}",
            precision=self._decoder.precision,
        )
        return float(self._judge(now))


def _check_kinds(examples: Examples, options: FineTuningOptions) -> None:
    wanted = Preference if options.method == "dpo" else Example
    wrong = next((number for number, one in enumerate(examples, 1) if not isinstance(one, wanted)), None)
    if wrong is not None:
        raise UsageError(
            f"Example {wrong} is no {wanted.__name__}, which the method {options.method} learns from.",
            remedy="Use the method dpo for preferences, lora or full for prompts with answers.",
        )


def _save(work: _Work, folder: Path, options: FineTuningOptions, record: TrainingRecord) -> None:
    """Write the result."""
    if options.method == "full":
        work.decoder.save(folder)
    else:
        training = _hash({"facts": record.facts, "options": record.options, "seed": record.seed})
        save_adapter(
            work.model, work.decoder, folder, options=options, training=training, licence=work.licence
        )
    record.save(folder)


def _said(left_out: Sequence[LeftOut]) -> list[str]:
    return (
        [f"{len(left_out)} examples were left out, the first for: {left_out[0].reason}."] if left_out else []
    )


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


_LOOP = frozenset(TrainingOptions.model_fields)
"""Options that the loop itself holds a checkpoint against."""
