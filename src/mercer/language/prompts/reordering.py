"""A base ranker whose first items a prompt puts in a new order: what both rankers that prompt are made of.

    FOLDER/base/           the base, as it saves itself
    FOLDER/prompt.yaml     the prompt's whole content
    FOLDER/prompted.json   its hash, name and hash of the language model (never its weights), titles, examples,
                           scale and weight

The rankers differ in what they ask, and of which items.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from mercer.contracts import Budget, Dataset, Estimate, Floats32, Holdout, Ranker, Runtime
from mercer.environment import device
from mercer.errors import DamagedError, UsageError
from mercer.language.prompts.examples import Examples
from mercer.language.prompts.joining import WEIGHT, Asked, Codes, Floats, Scale, best_weight
from mercer.language.prompts.library import load_prompt, write_prompt
from mercer.language.prompts.models import Bound
from mercer.language.prompts.options import PromptOptions
from mercer.language.prompts.prompt import Prompt
from mercer.language.prompts.rendering import Values
from mercer.language.prompts.scoring import PromptScorer
from mercer.training.inner import Named, keep, new_one, read

BASE, PROMPT, STATE = "base", "prompt.yaml", "prompted.json"
FORMAT = 2

_SECONDS_A_CANDIDATE = 0.1
"""A rule of thumb for a small model on two cores; `cost` is measured."""


@dataclass
class Reordering:
    """The base, and the prompt with everything that its word hangs on.

    titles: of the whole catalogue. scale, weight: constants of the fit. notes: sentences on the fit.
    seconds: what one request took at the fit, base included; None where none was asked, and after loading.
    """

    base: Ranker
    titles: tuple[str, ...]
    bound: Bound
    prompt: Prompt
    options: PromptOptions
    scorer: PromptScorer
    examples: Examples
    scale: Scale = field(default_factory=Scale)
    weight: float = WEIGHT
    notes: tuple[str, ...] = ()
    seconds: float | None = None

    @classmethod
    def build(
        cls,
        base: Ranker,
        train: Dataset,
        prompt: Prompt,
        options: PromptOptions,
        pairs: Sequence[tuple[str, Values]],
        *,
        told: int,
        seed: int,
        runtime: Runtime,
    ) -> Self:
        """Find the model, and choose the pool of examples.

        base: fitted. pairs: examples of the training data, each with the key that it is found by. told: texts of
        a list that a question holds, at most.
        Raises NotFoundError for a model that is not there, UsageError where the longest prompt would not fit into
        the model's window, MissingExtraError without the libraries.
        """
        named = options.model_hash or options.model
        bound = Bound.find(named, weights=options.weights, precision=options.precision, seed=seed)
        examples = Examples.of(pairs, n=options.shots, by=options.shots_by, seed=seed)
        scorer = _scorer(prompt, bound, options, runtime.device)
        scorer.check_window(examples=options.shots, candidates=options.candidates, told=told)
        notes = [f"Language model {bound.name} ({bound.hash[:12]}), prompt {prompt.name} {prompt.version}."]
        if options.weights == "random":
            notes.append("A control: its weights are random, so it knows nothing.")
        if options.shots and not pairs:
            notes.append("The training data hold no example for the prompt, so it has none.")
        return cls(base, titles_of(train), bound, prompt, options, scorer, examples, notes=tuple(notes))

    def ask(self, base: Floats32, codes: Codes, asked: Values | None, key: str = "") -> Asked:
        """One request: what the base says of the catalogue, shape (I,), and the prompt of the candidates `codes`.

        asked: the question; None where nothing is known to ask, and the prompt says nothing. key: what examples are
        found by.
        """
        if asked is None:
            return Asked(base, codes, np.full(len(codes), self.scale.centre))
        candidates = [{"title": self.titles[code]} for code in codes.tolist()]
        return Asked(base, codes, self.scorer.say(asked, candidates, self.examples.chosen(key)))

    def join(self, asked: Asked) -> Floats32:
        """Scores of the whole catalogue for one request, shape (I,)."""
        return asked.joined(self.scale, self.weight)

    def settle(
        self,
        training: Iterable[Asked],
        held: Holdout | None,
        ask: Callable[[int], Asked],
        *,
        deadline: float,
    ) -> None:
        """Measure the scale on training requests, and choose the weight on held-out ones.

        ask: puts a row of `held` to base and prompt. deadline: of time.monotonic(), after which no further request
        is asked, and the notes say so. Rows are taken by the order of their units' names, so no seed changes them.
        """
        began, n = time.monotonic(), 0
        said: list[Floats] = []
        for one in training:
            said.append(one.said)
            n += 1
            if time.monotonic() > deadline:
                break
        self.scale = Scale.of(said)
        if self.options.weight is not None:
            self.weight = self.options.weight
        elif held is not None and len(held):
            n += self._choose(held, ask, deadline)
        else:
            self.notes += (f"No held-out request chose the weight: it is {WEIGHT}.",)
        if n:
            self.seconds = (time.monotonic() - began) / n

    def _choose(self, held: Holdout, ask: Callable[[int], Asked], deadline: float) -> int:
        """Choose the weight; returns how many requests were asked."""
        names = np.argsort(np.array(held.units, object).astype(str), kind="stable")
        rows = names[spread(len(names), self.options.validation_rows)]
        asked: list[Asked] = []
        for row in rows.tolist():
            if time.monotonic() > deadline:
                break
            asked.append(ask(row))
        if len(asked) < len(rows):
            limit = (
                f"The time limit ended the choice of the weight after {len(asked)} of {len(rows)} requests."
            )
            self.notes += (limit,)
        if asked:
            self.weight = best_weight(held.take(rows[: len(asked)]), asked, self.scale)
            self.notes += (
                f"Weight of the prompt: {self.weight:g}, chosen on {len(asked)} held-out requests.",
            )
        return len(asked)

    def said(self, price_per_hour: float | None) -> tuple[str, ...]:
        """All notes of the fit, the cost of requests last."""
        return tuple(note for note in (*self.notes, self.cost(price_per_hour)) if note)

    def cost(self, price_per_hour: float | None) -> str:
        """What 1,000 requests cost, in a sentence; "" where no request was timed."""
        if self.seconds is None:
            return ""
        thousand = 1000 * self.seconds
        said = f"1,000 requests take about {thousand:,.0f} seconds of this machine"
        if price_per_hour is None:
            return f"{said}."
        return f"{said}: {thousand / 3600 * price_per_hour:.3g} at {price_per_hour:g} an hour."

    def save(self, folder: Path) -> None:
        """Write base, prompt and state into an existing folder."""
        write_prompt(self.prompt, folder / PROMPT)
        state = {
            "format": FORMAT,
            "base": keep(self.base, folder / BASE).hex(),
            "titles": list(self.titles),
            "prompt": self.prompt.hash,
            "model": asdict(self.bound),
            "examples": self.examples.to_json(),
            "scale": asdict(self.scale),
            "weight": self.weight,
            "notes": list(self.notes),
        }
        (folder / STATE).write_text(json.dumps(state, sort_keys=True, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path, base: Named, options: PromptOptions) -> Self:
        """Read what `save` wrote, and find the model of that hash in the store.

        Raises DamagedError when a file is missing, damaged or of another fit, NotFoundError with
        `mercer models import` where the store lacks the model.
        """
        try:
            state: Mapping[str, Any] = json.loads((folder / STATE).read_text("utf-8"))
            if state["format"] != FORMAT:
                raise ValueError(state["format"])
            digest, titles = bytes.fromhex(state["base"]), tuple(map(str, state["titles"]))
            bound, scale = Bound(**state["model"]), Scale(**state["scale"])
            examples = Examples.from_json(state["examples"])
            weight, notes = float(state["weight"]), tuple(map(str, state["notes"]))
            prompt = load_prompt(str(folder / PROMPT))
            if prompt.hash != state["prompt"]:
                raise ValueError("another prompt")
        except (OSError, ValueError, KeyError, TypeError, UsageError) as fault:
            raise DamagedError(
                f"{folder.name} does not hold a whole ranker that prompts.", remedy="Fit the ranker again."
            ) from fault
        [name] = base
        fitted = read(name, folder / BASE, digest)
        scorer = _scorer(prompt, bound, options, device())
        return cls(fitted, titles, bound, prompt, options, scorer, examples, scale, weight, notes)


def fitted_base(
    named: Named, train: Dataset, *, validation: Holdout | None, seconds: float, seed: int, runtime: Runtime
) -> Ranker:
    """The base, fitted as if it stood alone."""
    return new_one(named).fit(
        train, validation=validation, budget=Budget(max(0.0, seconds)), seed=seed, runtime=runtime
    )


def estimated(named: Named, train: Dataset, options: PromptOptions) -> Estimate:
    """What the base takes, and some hundred prompts; a model of 135 million parameters and its window in memory."""
    base = new_one(named).estimate(train)
    asked = options.calibration_rows + (options.validation_rows if options.weight is None else 0)
    return Estimate(base.seconds + _SECONDS_A_CANDIDATE * asked * options.candidates, base.peak_mib + 1200)


def titles_of(train: Dataset) -> tuple[str, ...]:
    """The title of each item, "" where it has none."""
    if "title" not in train.items.columns:
        return ("",) * len(train.vocabulary)
    return tuple("" if title is None or title != title else str(title) for title in train.items["title"])


def spread(n: int, wanted: int) -> Codes:
    """`wanted` positions of n, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, wanted)).astype(np.int64))


def _scorer(prompt: Prompt, bound: Bound, options: PromptOptions, where: str) -> PromptScorer:
    return PromptScorer(prompt, bound.decoder(where), options.wording, options.per, options.orders)
