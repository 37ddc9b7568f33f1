"""`generative`: a decoder writes the next item as its semantic ID, token by token, inside the rules of the request.

Sources: Rajput et al., Recommender Systems with Generative Retrieval (TIGER), NeurIPS 2023; Zheng et al., Adapting
Large Language Models by Integrating Collaborative Semantics (LC-Rec), ICDE 2024.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer import training
from mercer.contracts import (
    NO_ITEM,
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Ragged,
    Rankings,
    Requests,
    Runtime,
    Times,
    Vocabulary,
)
from mercer.contracts import Options as BaseOptions
from mercer.errors import ConflictError, UnsupportedError
from mercer.evaluation import score_ranking, value
from mercer.language.events.embeddings import Pooling, event_embeddings
from mercer.recommend.generative.catalogue import drawn, encoder_of, encoding_seconds, named
from mercer.recommend.generative.counted import Counted, masses
from mercer.recommend.generative.lessons import lines_of
from mercer.recommend.generative.options import GenerativeOptions
from mercer.recommend.generative.parts import Parts
from mercer.recommend.generative.search import spread
from mercer.recommend.neighbours import unpacked
from mercer.recommend.neural import NeuralRanker
from mercer.recommend.scoring import ScoringRanker
from mercer.recommend.sequence.neighbourhood import counted
from mercer.recommend.sequence.weighing import FACTORS
from mercer.recommend.signals import log_of, signals
from mercer.recommend.tail import popularity
from mercer.training.place import needs_torch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from mercer.language.beams import Found

METRIC = "ndcg@10"
"""What held-out requests are asked, of beams as they are served."""

_ONE = np.ones(1, np.float32)

_ENCODING_SHARE = 0.4
"""Share of the budget that encoding texts may take."""


class Generative(NeuralRanker):
    """score(j) = log-probability of the path of j after the history, of the items that a beam reaches.

    Inside every step stands what others bought next, counted (`counted.py`), so the decoder learns the rest.

    Beams are kept inside the rules of the request, so an answer is full wherever enough items may be answered, and
    nothing else can be decoded. In `score` the rules say where beams go and never change a number: an item that may not
    be answered is not looked for, and like all that no beam reached it is tied below what was. Without anything to
    learn from, answers follow popularity. Nothing is kept of any person.
    notes: on IDs, tokens and limits.
    """

    name = "generative"

    class Options(GenerativeOptions):
        """Options of `generative`; see GenerativeOptions."""

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.parts_: Parts | None = None
        self._near: csr_array | None = None

    def restored(self) -> None:
        """Put the counts together."""
        self._near = unpacked(self.state) if "indptr" in self.state else None

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Learn from `train`; `validation` stops the training and chooses among its states, nothing else.

        A fit that would pass its budget encodes fewer texts and trains for less, and says so.
        Raises MissingExtraError where PyTorch, Transformers or the text encoder is not installed, DataError for fields
        that the log does not have, and what `mercer.training.train` raises.
        """
        runtime = runtime or Runtime()
        deadline = time.perf_counter() + (budget or Budget()).seconds
        self.notes, self.training, self.parts_ = (), None, None
        self._catalogue = train.vocabulary.fingerprint
        heard, weights = signals(log_of(train), self.options)
        self.state, self._near = {"share": popularity(heard, weights)}, None
        if not np.isin(heard.kind, heard.kind_codes(self.options.answers)).any():
            self._note("The log holds nothing to foretell: answers follow popularity.")
            return self
        needs_torch()
        self._count(train, heard)
        catalogue, said = named(
            train.items, train.vocabulary, heard, self.options, seed=seed, runtime=runtime,
            seconds=_ENCODING_SHARE * (deadline - time.perf_counter()),
        )  # fmt: skip
        parts = Parts.new(catalogue, replace(train, interactions=heard), self.options, seed=seed)
        lines = lines_of(parts.tokenizer, train, heard, weights, self.options)
        known = self._known(parts, heard, weights, repeats=train.repeats)
        trainee = parts.trainee(lines, self.options, known)
        trainee.watch(self._validation(parts, validation, seed))
        self.training = training.train(
            trainee, self.options, seed=seed, runtime=runtime, facts=self._facts(parts, lines.hash),
            budget=Budget(max(0.0, deadline - time.perf_counter())),
        )  # fmt: skip
        parts.decoder.model.eval()
        self.parts_ = parts
        if self.options.neighbours:
            self.state = {**self.state, "factor": np.array([self._factor(validation, seed)], np.float32)}
        self.notes = (*said, *parts.said(), *self.training.notes)
        return self

    def _count(self, train: Dataset, heard: Interactions) -> None:
        """Count what others bought next, where it is heard."""
        if self.options.neighbours:
            self.state = {**self.state, **counted(train, heard, self.options)}
        self.restored()

    def _known(
        self, parts: Parts, heard: Interactions, weights: npt.NDArray[np.float64], *, repeats: bool
    ) -> Counted | None:
        """The counted term of every lesson."""
        if self._near is None:
            return None
        prefixes = parts.tokenizer.prefixes
        return Counted.of(self.state, prefixes, heard, weights, self.options, repeats=repeats)

    def _factor(self, validation: Holdout | None, seed: int) -> float:
        """What the counted term's weight is multiplied with in answers: the best of FACTORS on validation."""
        if self.options.factor is not None:
            return self.options.factor
        assert self.parts_ is not None
        judged = self._judge(self.parts_, validation, seed)
        return FACTORS[0] if judged is None else max(FACTORS, key=judged)

    def _validation(self, parts: Parts, validation: Holdout | None, seed: int) -> Callable[[], float] | None:
        """A function that ranks a sample of the held-out requests by beams, and measures it."""
        judged = self._judge(parts, validation, seed)
        return None if judged is None else lambda: judged(self.options.factor or FACTORS[0])

    def _judge(self, parts: Parts, validation: Holdout | None, seed: int) -> Callable[[float], float] | None:
        """A function that measures METRIC on a sample of the held-out requests, for a factor of the counted term."""
        if validation is None or not len(validation):
            return None
        held = self._held(validation, seed)
        judged = type(self)(self.options.model_copy(update={"beams": self.options.validation_beams}))
        judged._catalogue, judged.parts_ = self._catalogue, parts
        catalogue, state = np.arange(len(validation.requests.items), dtype=np.int32), self.state

        def measured(factor: float) -> float:
            judged.state = {**state, "factor": np.array([factor], np.float32)}
            judged.restored()
            return value(score_ranking(held, score=lambda asked: judged.score(asked, catalogue)), METRIC)

        return measured

    def _facts(self, parts: Parts, lines: str) -> dict[str, str]:
        """Hashes of all that a training started from: a checkpoint of other data or options is not gone on with."""
        return {**self._own_facts(), "tokens": parts.tokenizer.fingerprint, "lines": lines}

    def rank(self, requests: Requests, k: int) -> Rankings:
        """The k likeliest items of each request among those that its rules permit; pinned ones first.

        Raises UsageError for k < 1, UnsupportedError before fit, DataError for another catalogue.
        """
        if self.parts_ is None or k < 1 or not len(requests):
            return super().rank(requests, k)
        return Rankings.concatenate([self._ranked(block, k) for block in self._blocks(requests)])

    def _ranked(self, seen: Requests, k: int) -> Rankings:
        most = min(k, len(seen.items))
        found = self._found(seen, width=self._width(k, len(seen.items)), k=most)
        items = np.full((len(seen), k), NO_ITEM, np.int32)
        scores = np.full((len(seen), k), -np.inf, np.float32)
        items[:, :most], scores[:, :most] = found.items, found.log_probability
        if seen.pin is not None and len(seen.pin.values):
            self._pin_first(items, scores, seen)
        return Rankings(items, scores)

    def _found(self, seen: Requests, *, width: int, k: int, within: Ragged | None = None) -> Found:
        """What the beams find. seen: holds only what may be used; events of unknown items are left out."""
        assert self.parts_ is not None
        there = (seen.history.item >= 0) & (seen.history.item < len(seen.items))
        seen = seen if there.all() else replace(seen, history=seen.history.where(there))
        mass = (
            None
            if self._near is None
            else masses(seen, self._near, self.options, float(self.state.get("factor", _ONE)[0]))
        )
        return self.parts_.search.found(seen, width=width, k=k, within=within, mass=mass)

    def _pin_first(self, items: Any, scores: Any, seen: Requests) -> None:
        """Put the pinned items that may be answered first, in the order given, with their own log-probabilities."""
        assert seen.pin is not None
        rows = np.flatnonzero(seen.pin.lengths > 0)
        asked = seen.take(rows)
        assert asked.pin is not None
        most = min(int(asked.pin.lengths.max()), len(seen.items))
        found = self._found(asked, width=most, k=most, within=asked.pin)
        for place, row in enumerate(rows):
            own = dict(zip(found.items[place].tolist(), found.log_probability[place].tolist(), strict=True))
            first = [
                (code, own[code])
                for code in dict.fromkeys(asked.pin[place].tolist())
                if code in own and code >= 0
            ]
            rest = [
                pair for pair in zip(items[row].tolist(), scores[row].tolist(), strict=True)
                if pair[0] not in dict(first)
            ]  # fmt: skip
            for column, (code, score) in enumerate((first + rest)[: items.shape[1]]):
                items[row, column], scores[row, column] = code, score

    def score_rows(self, requests: Requests) -> Floats32:
        """Log-probabilities of what the beams reach, all else tied below; popularity where nothing was trained."""
        if self.parts_ is None:
            return np.tile(self.state["share"], (len(requests), 1))
        n_items = len(requests.items)
        width = self._width(1, n_items)
        return spread(self._found(requests, width=width, k=width), n_items)

    def score_listed(self, requests: Requests, items: Ragged) -> Floats32:
        """Log-probabilities of the items listed for each request, float32, shape (m,), as `items.values`.

        Every one has its own, where `score` ties what no beam reaches; no rule is applied. It takes as long as as many
        beams as the longest list has items. Raises UnsupportedError before fit, DataError for another catalogue.
        """
        parts, at = [np.zeros(0, np.float32)], 0
        for block in self._blocks(requests):
            listed = items.take(np.arange(at, at + len(block)))
            parts.append(self._listed(block, listed))
            at += len(block)
        return np.concatenate(parts)

    def _listed(self, block: Requests, listed: Ragged) -> Floats32:
        if self.parts_ is None or not len(listed.values):
            return np.asarray(self.state["share"][listed.values], np.float32)
        free = replace(block, repeats=True, candidates=None, allow=None, deny=None)
        most = int(listed.lengths.max())
        found = self._found(free, width=most, k=most, within=listed)
        whole = spread(found, len(block.items))
        return np.asarray(whole[listed.row_of, listed.values], np.float32)

    def _width(self, k: int, n_items: int) -> int:
        return min(max(self.options.beams, k), n_items)

    def grown(self, items: pd.DataFrame, vocabulary: Vocabulary, *, runtime: Runtime | None = None) -> Self:
        """The same ranker over a catalogue that has grown; nothing is trained, and no old item's path changes.

        items: a frame of ITEM_COLUMNS of all items, the old ones first and in their order. A new item gets the path
        that its text says. Raises ConflictError where the old items do not lead.
        """
        self._need_fit()
        n_old = len(self.state["share"])
        if Vocabulary(vocabulary.ids[:n_old]).fingerprint != self._catalogue:
            raise ConflictError(
                f"The first {n_old:,} items are not those that the ranker was fitted on.",
                remedy="Put the new items after the old ones, or fit again.",
            )
        larger = type(self)(self.options)
        share = np.zeros(len(vocabulary), np.float32)
        share[:n_old] = self.state["share"]
        larger.state, larger._catalogue = {**self.state, "share": share}, vocabulary.fingerprint
        if self._near is not None:
            # Nothing was bought next to what is new.
            indptr = self.state["indptr"]
            larger.state["indptr"] = np.pad(indptr, (0, len(vocabulary) - n_old), mode="edge")
        larger.restored()
        larger.notes, larger.training = self.notes, self.training
        if self.parts_ is not None:
            larger.parts_ = self.parts_.grown(
                items, vocabulary, encoder_of(self.options), n_old=n_old, runtime=runtime
            )
        return larger

    def embeddings(self, log: Interactions, as_of: int | Times, *, pooling: Pooling = "both") -> pd.DataFrame:
        """Histories as features, a row a user of the log: what `event_embeddings` makes of the events that are read.

        Raises UnsupportedError before fit and where nothing was trained, DataError for a log of another catalogue.
        """
        self._need_fit()
        if self.parts_ is None:
            raise UnsupportedError(
                f"{self.name} had nothing to learn from, so it has no decoder.",
                remedy=f"Fit it on a log that holds an event of {' or '.join(self.options.answers)}.",
            )
        self._need_catalogue(
            log.items,
            "the log",
            remedy="Build the log from the same tables, or take the ranker to the larger catalogue with `grown`.",
        )
        heard, kind = self.parts_.search.heard(log), self.options.answers[0]
        return event_embeddings(self.parts_.decoder, heard, as_of, pooling=pooling, kind=kind)

    def save(self, folder: Path) -> None:
        """Write options.yaml, weights.safetensors, and where something was trained its parts and training.json."""
        self._need_fit()
        if self.parts_ is not None:
            self.state = {**self.state, "parts": self.parts_.save(folder)}
        super().save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises DamagedError when a file is missing, damaged, another ranker's or of another fit, ConflictError where
        codebook, catalogue and decoder do not go together, MissingExtraError without PyTorch and Transformers.
        """
        ranker = super().load(folder)
        if "parts" in ranker.state:
            ranker.parts_ = Parts.load(
                folder, ranker.options, catalogue=ranker._catalogue, digest=ranker.state["parts"]
            )
        return ranker

    def measure(self, train: Dataset, *, validation: Holdout | None, seed: int, runtime: Runtime) -> Estimate:
        """What `fit` is expected to take: texts that the cache lacks, and a training priced by a few of its steps.

        Paths are drawn for it: they are as long as those that a codebook gives.
        """
        heard, weights = signals(log_of(train), self.options)
        if not np.isin(heard.kind, heard.kind_codes(self.options.answers)).any():
            return ScoringRanker.estimate(self, train)
        judged = type(self)(self.options)
        judged._catalogue, judged.state = train.vocabulary.fingerprint, {"share": popularity(heard, weights)}
        begun = time.perf_counter()
        judged._count(train, heard)
        catalogue = drawn(len(train.items), train.vocabulary, self.options, seed=seed)
        parts = Parts.new(catalogue, replace(train, interactions=heard), self.options, seed=seed)
        lines = lines_of(parts.tokenizer, train, heard, weights, self.options)
        trainee = parts.trainee(
            lines, self.options, judged._known(parts, heard, weights, repeats=train.repeats)
        )
        before = time.perf_counter() - begun + encoding_seconds(train.items, self.options, runtime)
        trainee.watch(judged._validation(parts, validation, seed))
        found = training.estimate(trainee, self.options, runtime=runtime, seed=seed)
        return replace(found, seconds=found.seconds + before, start=found.start + before)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            ("The order of what you bought", "Items that tend to come next after yours come first."),
            ("How lately you bought an item", "Your latest purchases say most of what you want now."),
            (
                "Likeness of items",
                "Items of like titles, and items bought by like customers, share the beginning of their names and are "
                "found together, new ones too.",
            ),
            (
                "What customers buy first",
                "It orders the items where nothing is known of you, or you asked not to be profiled.",
            ),
        ]
