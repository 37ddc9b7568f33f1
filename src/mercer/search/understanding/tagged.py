"""Ranker `understood-tagger`: queries read by a small network that learned from pairs made of the catalogue."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field

from mercer import training
from mercer.contracts import Budget, Dataset, Estimate, Runtime
from mercer.contracts import Options as BaseOptions
from mercer.language import MiniLm
from mercer.language.onnx_export import pretrained_minilm
from mercer.search.understanding.lexicon import Lexicon
from mercer.search.understanding.linking import Linker, Names
from mercer.search.understanding.pairs import Part, make_pairs
from mercer.search.understanding.ranking import BASE, UnderstoodOptions, UnderstoodRanker
from mercer.search.understanding.rules import RuleMaker, RuleOptions
from mercer.search.understanding.tagger import GRAPH, TOKENIZER, TaggerMaker, TaggerOptions
from mercer.search.understanding.tagging import Lesson, lesson, open_tokenizer
from mercer.training.place import needs_torch

_ENCODER = "encoder"
_PIECES_PER_PAIR, _PIECES_PER_SECOND = 12.2, 700.0


class TaggedOptions(training.TrainingOptions):
    """How the tagger is trained."""

    pairs: int = Field(20_000, ge=100, description="training pairs that are written from the catalogue")
    held_pairs: int = Field(500, ge=0, description="validation pairs, of templates that training lacks")
    trained_layers: int = Field(3, ge=0, le=6, description="last layers of the encoder that learn")
    epochs: int = Field(1, ge=1, description="passes over the training pairs")
    batch_tokens: int = Field(384, ge=1, description="word pieces a batch, padding counted")
    learning_rate: float = Field(3e-4, gt=0, description="the highest learning rate")
    estimate_steps: int = Field(0, ge=0, description="steps measured before the training; 0: none")


class UnderstoodTagger(UnderstoodRanker):
    """Items that meet the filters which a tagger reads from a query come higher. Stability: caller experimental.

    training: the record of the last fit. notes: what a reader of the results should know.
    """

    name: ClassVar[str] = "understood-tagger"
    stochastic: ClassVar[bool] = True

    class Options(TaggedOptions, UnderstoodOptions, RuleOptions, TaggerOptions):
        """Options of `understood-tagger`: of the training, the base search, the filters and the linking."""

    options: Options
    maker: TaggerMaker

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.training: training.TrainingRecord | None = None
        self.notes: tuple[str, ...] = ()

    def make(self, train: Dataset, *, budget: Budget, seed: int, runtime: Runtime) -> None:
        """Write pairs, train, export.

        Raises MissingExtraError without the extra `encoder`, and what `mercer.training.train` raises.
        """
        needs_torch()
        import torch

        from mercer.search.understanding.tagger_training import TaggerNetwork, TaggerTrainee, export_tagger

        o, encoder = self.options, MiniLm()
        rules = RuleMaker.build(train.items, self.values, self.facts, self.options, real=encoder.words)
        self._names = Names.of(train.items, self.values, encoder)
        network, tokenizer = pretrained_minilm()
        lessons = self._lessons(train, rules.lexicon, o.pairs, seed, "training", tokenizer)
        held = self._lessons(train, rules.lexicon, o.held_pairs, seed, "validation", tokenizer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = TaggerNetwork(network, trained_layers=o.trained_layers)
        self.training = training.train(
            TaggerTrainee(module, lessons, held),
            o,
            seed=seed,
            facts={"model": self.name, "pairs": _digest(lessons), "encoder": encoder.fingerprint},
            runtime=runtime,
            budget=budget,
        )
        self.notes = self.training.notes
        self._work = tempfile.TemporaryDirectory(prefix="mercer-tagger-")
        work = Path(self._work.name)
        export_tagger(module, work / GRAPH)
        shutil.copyfile(tokenizer, work / TOKENIZER)
        self._open(work, rules, encoder)

    def write_maker(self, folder: Path) -> None:
        """Write the graph, the tokenizer, the vectors of names, the words, and the record of the training."""
        for name in (GRAPH, TOKENIZER):
            if (self._folder / name).resolve() != (folder / name).resolve():
                shutil.copyfile(self._folder / name, folder / name)
        self._names.save(folder, self._encoder.fingerprint)
        self._parser.save(folder)
        if self.training is not None:
            self.training.save(folder)

    def read_maker(self, folder: Path) -> None:
        """Read what `write_maker` wrote. Raises DamagedError when something is not whole, or of another encoder."""
        bundled = folder / BASE / _ENCODER
        encoder = MiniLm(bundled) if bundled.is_dir() else MiniLm()
        self._names = Names.load(folder, self.values, encoder.fingerprint)
        self._open(folder, RuleMaker.load(folder, self.values, self.facts, self.options), encoder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when a file is missing, damaged or another ranker's."""
        ranker = super().load(folder)
        if (folder / training.RECORD_FILE).is_file():
            ranker.training = training.TrainingRecord.load(folder / training.RECORD_FILE)
            ranker.notes = ranker.training.notes
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """What the base search takes, and the training of the tagger on one core."""
        base, o = super().estimate(train), self.options
        seconds = 20 + o.epochs * o.pairs * _PIECES_PER_PAIR / _PIECES_PER_SECOND
        return Estimate(base.seconds + seconds, base.peak_mib + 900)

    def _open(self, folder: Path, rules: RuleMaker, encoder: MiniLm) -> None:
        self._folder, self._encoder, self._parser = folder, encoder, rules
        self.maker = TaggerMaker(folder, Linker(rules, self._names, encoder), rules, self.options)

    def _lessons(
        self, train: Dataset, lexicon: Lexicon, n: int, seed: int, part: Part, tokenizer: Path
    ) -> Sequence[Lesson]:
        pairs = make_pairs(train.items, self.values, self.facts, lexicon, n=n, seed=seed, part=part)
        opened = open_tokenizer(tokenizer)
        return [lesson(pair, opened) for pair in pairs]


def _digest(lessons: Sequence[Lesson]) -> str:
    found = hashlib.sha256()
    for one in lessons:
        found.update(one.pieces.tobytes() + one.tags.tobytes() + bytes([one.intent]))
    return found.hexdigest()
