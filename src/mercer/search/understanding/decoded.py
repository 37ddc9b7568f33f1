"""Ranker `understood-decoder`: queries read by a language model, as it came or fine-tuned on the catalogue.

    FOLDER/decoder.json   name, hash and precision of the language model (never its weights), examples of the prompt
    FOLDER/prompt.yaml    the prompt's whole content
    FOLDER/adapter/       what fine-tuning learned, where there was one

The model itself stays in the model store; a release names it by its hash and is refused without it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from mercer.contracts import Budget, Dataset, Estimate, Runtime, searched
from mercer.contracts import Options as BaseOptions
from mercer.errors import DamagedError, DataError, UsageError
from mercer.language.decoders import Decoder, ModelStore, hash_of_named
from mercer.language.finetuning import FineTuningOptions, estimate_finetuning, finetune
from mercer.language.prompts.examples import Examples
from mercer.language.prompts.library import load_prompt, write_prompt
from mercer.language.prompts.models import Bound, Precision
from mercer.search.understanding.decoding import DecoderMaker, Form, Reads
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.pairs import Pair, Part, make_pairs
from mercer.search.understanding.ranking import UnderstoodOptions, UnderstoodRanker
from mercer.search.understanding.ruled import words_of_language
from mercer.search.understanding.rules import RuleMaker, RuleOptions
from mercer.search.understanding.values import CatalogueValues
from mercer.training import TrainingRecord

STATE, PROMPT, ADAPTER = "decoder.json", "prompt.yaml", "adapter"
FORMAT = 2
VALIDATION = 300
"""Pairs of other templates that choose among the states of a training."""
_SECONDS_A_PAIR, _MIB = 0.25, 3_000
"""A rule of thumb for a model of 135 million weights on one core; `measure` measures."""


class DecoderOptions(UnderstoodOptions, RuleOptions, FineTuningOptions):
    """Which model, how it is asked, and how it is fine-tuned; the rest are options of the rules and the base search."""

    model: str = Field("smollm2-135m-instruct", description="a language model of the store, by name or hash")
    model_hash: str = Field(
        "", validate_default=True, description="of the model; left out: of what `model` names now"
    )
    way: Literal["zero-shot", "few-shot", "tuned"] = Field(
        "tuned", description="as it came; with examples in the prompt; or fine-tuned on made pairs"
    )
    reads: Reads = Field(
        "category",
        description="what the model reads; the rules read the rest. category, names (category and brand): where it is "
        "sure, else the rules do",
    )
    sure: float = Field(
        0.5, gt=0, le=1, description="how probable an answer of names must be for the model to have the word"
    )
    wording: int = searched(
        0, choices=(0, 1, 2), description="wording of the instruction, for a model as it came"
    )
    shots: int = Field(4, ge=1, le=20, description="few-shot: examples in the prompt, the nearest in meaning")
    pairs: int = Field(8_000, ge=10, description="made queries that are learned from")
    precision: Precision = Field(
        "auto",
        description="of the model when it answers; auto: bf16 where the machine computes in it, else fp32",
    )
    learning_rate: float = searched(
        1e-3, low=1e-4, high=3e-3, log=True, gt=0, description="the highest learning rate"
    )
    batch_tokens: int = Field(
        256, ge=1, description="tokens a batch, padding counted: about ten queries, so that steps are many"
    )
    epochs: int = searched(1, low=1, high=4, ge=1, description="passes over the made queries")
    evaluate_every: float = Field(0.25, gt=0, description="epochs between two evaluations on validation")

    @field_validator("model_hash")
    @classmethod
    def _hash_of_the_model(cls, given: str, info: ValidationInfo) -> str:
        return given or hash_of_named(info, "model")


class UnderstoodDecoder(UnderstoodRanker):
    """Items that meet the filters which a language model reads from a query come higher.

    training: the record of the fine-tuning, None for a model as it came. notes: on model, pairs and time.
    Stability: experimental.
    """

    name: ClassVar[str] = "understood-decoder"

    class Options(DecoderOptions):
        """Options of `understood-decoder`."""

    options: Options
    maker: DecoderMaker

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        vars(self)["stochastic"] = self.base.stochastic or self.options.way != "zero-shot"
        self.training: TrainingRecord | None = None
        self.notes: tuple[str, ...] = ()
        self._bound: Bound
        self._adapter: Path | None = None
        self._kept: tempfile.TemporaryDirectory[str] | None = None
        self._examples = Examples()

    def make(self, train: Dataset, *, budget: Budget, seed: int, runtime: Runtime) -> None:
        """Bind the model, and fine-tune it on pairs made from the catalogue where the options say so.

        Raises DataError where the catalogue has nothing of what the model is to read, NotFoundError with
        `mercer models import` where the store lacks the model, and what `finetune` raises.
        """
        self._bind()
        self._adapter, self.training, self.notes = None, None, ()
        rules = self._rules(train, self.values, self.facts)
        form = self._form(self.values)
        if not form.asks:
            raise DataError(
                f"The catalogue has nothing of what the model is to read ({self.options.reads}).",
                remedy="Give the items a category, or set `reads` to names: brands are read as well.",
            )
        if self.options.way == "tuned":
            self._tune(train, rules, form, budget=budget, seed=seed, runtime=runtime)
        elif self.options.way == "few-shot":
            made = _pairs(train, self.values, self.facts, rules, n=500, seed=seed)
            told = [(p.text, {"query": p.text, "filters": form.answer(p.understood)}) for p in made]
            self._examples = Examples.of(told, n=self.options.shots, by="nearest", seed=seed)
        self.maker = DecoderMaker(self._decoder(runtime.device), form, rules, self._examples)

    def measure(self, train: Dataset, *, validation: Any, seed: int, runtime: Runtime) -> Estimate:  # noqa: ARG002
        """What `fit` is expected to take: the base search, and a fine-tuning priced by a few of its steps."""
        before = super().estimate(train)
        if self.options.way != "tuned":
            return before
        values = CatalogueValues.of(train.items)
        facts = ItemFacts.of(train.items, values)
        rules = self._rules(train, values, facts)
        self._bind()
        model, form = self._base(), self._form(values)
        made = _pairs(train, values, facts, rules, n=min(self.options.pairs, 2_000), seed=seed)
        examples = [form.example(pair, model) for pair in made]
        found = estimate_finetuning(model, examples, self._tuning, seed=seed, runtime=runtime)
        more = found.epoch * (self.options.pairs / len(made) - 1) * self.options.epochs
        return replace(
            found, seconds=found.seconds + more + before.seconds, start=found.start + before.seconds
        )

    def estimate(self, train: Dataset) -> Estimate:
        """The base search, and by rule of thumb a quarter of a second a pair."""
        before = super().estimate(train)
        pairs = self.options.pairs * self.options.epochs if self.options.way == "tuned" else 0
        return Estimate(before.seconds + 10 + _SECONDS_A_PAIR * pairs, before.peak_mib + _MIB)

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order; a language model is named as such."""
        [(name, why), *others] = super().parameters()
        return [(name, f"{why}; they are read by a language model ({self.options.model})"), *others]

    def write_maker(self, folder: Path) -> None:
        """Write the rules, the prompt, which model it is, and what fine-tuning learned."""
        self.maker.rules.save(folder)
        write_prompt(self.maker.form.prompt, folder / PROMPT)
        bound = self._bound
        state = {
            "format": FORMAT,
            "model": bound.name,
            "hash": bound.hash,
            "prompt": self.maker.form.prompt.hash,
            "precision": bound.precision,
            "examples": self._examples.to_json(),
            "notes": list(self.notes),
        }
        (folder / STATE).write_text(json.dumps(state, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
        if self._adapter is not None and self._adapter.resolve() != (folder / ADAPTER).resolve():
            shutil.copytree(self._adapter, folder / ADAPTER, dirs_exist_ok=True)

    def read_maker(self, folder: Path) -> None:
        """Read what `write_maker` wrote.

        Raises DamagedError when something is missing or not whole, NotFoundError with `mercer models import` where the
        store lacks the model.
        """
        try:
            state = json.loads((folder / STATE).read_text("utf-8"))
            prompt = load_prompt(str(folder / PROMPT))
            if state["format"] != FORMAT or state["prompt"] != prompt.hash:
                raise ValueError("another format, or another prompt")
            self._bound = Bound(state["model"], state["hash"], precision=state["precision"])
            self._examples = Examples.from_json(state["examples"])
            self.notes = tuple(state["notes"])
        except (OSError, ValueError, KeyError, TypeError, UsageError) as fault:
            raise DamagedError(
                f"{STATE} and {PROMPT} are damaged, missing, or not of one fit.",
                remedy="Fit the ranker again.",
            ) from fault
        self._adapter = folder / ADAPTER if (folder / ADAPTER).is_dir() else None
        rules = RuleMaker.load(folder, self.values, self.facts, self.options)
        form = Form(self.values, prompt, self._wording, self.options.reads, self.options.sure)
        self.maker = DecoderMaker(self._decoder("cpu"), form, rules, self._examples)

    def _tune(
        self, train: Dataset, rules: RuleMaker, form: Form, *, budget: Budget, seed: int, runtime: Runtime
    ) -> None:
        """Learn from pairs of some templates; pairs of others choose among the states of the training."""
        begun = time.monotonic()
        model = self._base()
        parts: Mapping[Part, int] = {"training": self.options.pairs, "validation": VALIDATION}
        made = {
            part: _pairs(train, self.values, self.facts, rules, n=n, seed=seed, part=part)
            for part, n in parts.items()
        }
        examples, held = ([form.example(pair, model) for pair in made[part]] for part in parts)
        # It goes with the ranker; `save` copies what is in it.
        self._kept = tempfile.TemporaryDirectory(prefix="mercer-adapter-", ignore_cleanup_errors=True)
        self._adapter = Path(self._kept.name)
        left = Budget(max(1.0, budget.seconds - (time.monotonic() - begun)))
        found = finetune(
            model, examples, self._tuning, folder=self._adapter, validation=held, seed=seed,
            runtime=runtime, budget=left,
        )  # fmt: skip
        self.training = found.record
        self.notes = (
            *found.record.notes,
            f"Fine-tuned on {len(examples):,} queries made from the catalogue.",
        )

    def _rules(self, train: Dataset, values: CatalogueValues, facts: ItemFacts) -> RuleMaker:
        return RuleMaker.build(train.items, values, facts, self.options, real=words_of_language())

    def _bind(self) -> None:
        named = self.options.model_hash or self.options.model
        self._bound = Bound.find(named, weights="pretrained", precision=self.options.precision, seed=0)

    def _base(self) -> Decoder:
        """The model as it came, in the precision that it is trained in."""
        return Decoder.load(ModelStore().get(self._bound.hash), precision="fp32")

    def _decoder(self, place: str) -> Decoder:
        """The model that answers."""
        if self._adapter is None:
            return self._bound.decoder(place)
        return Decoder.load(
            ModelStore().get(self._bound.hash),
            adapter=self._adapter,
            precision=self._bound.precision,
            device=place,
        )

    def _form(self, values: CatalogueValues) -> Form:
        tuned = self.options.way == "tuned"
        return Form.of(
            values, tuned=tuned, wording=self._wording, reads=self.options.reads, sure=self.options.sure
        )

    @property
    def _wording(self) -> int:
        return 0 if self.options.way == "tuned" else self.options.wording

    @property
    def _tuning(self) -> FineTuningOptions:
        names = FineTuningOptions.model_fields
        return FineTuningOptions(**{name: getattr(self.options, name) for name in names})


def _pairs(
    train: Dataset, values: CatalogueValues, facts: ItemFacts, rules: RuleMaker, *, n: int, seed: int,
    part: Part = "training",
) -> list[Pair]:  # fmt: skip
    return make_pairs(train.items, values, facts, rules.lexicon, n=n, seed=seed, part=part)
