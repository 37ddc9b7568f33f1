"""Free text as tokens: a byte-level BPE learned from the catalogue, or the tokenizer of a pretrained language model.

Text is data: no text becomes a token that is not text. Lone surrogates become "?"; all else has tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from mercer.errors import DamagedError
from mercer.language.decoders.plain import PlainTokenizer, clean

if TYPE_CHECKING:
    from mercer.language.decoders import Decoder


@dataclass(frozen=True)
class TextTokens:
    """Texts to numbers 0 to size - 1, and back.

    told: the tokenizer, as JSON of the library `tokenizers`. size: rows, those without a text counted. end: the number
    that ends a text. leads: whether the rows come first in the vocabulary, as those of a pretrained model do.
    """

    told: str
    size: int
    end: int
    leads: bool = False

    @classmethod
    def learned(cls, texts: Sequence[str], tokens: int) -> Self:
        """A vocabulary of at most `tokens`, learned from texts; the same texts give the same one."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        raw: Any = Tokenizer(models.BPE())
        raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        raw.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=tokens - 1,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        raw.train_from_iterator([clean(text) for text in texts], trainer)
        size = int(raw.get_vocab_size())
        return cls(raw.to_str(), size + 1, size)

    @classmethod
    def pretrained(cls, decoder: Decoder) -> Self:
        """The tokenizer of a pretrained decoder; its rows lead the vocabulary."""
        model: Any = decoder.model
        rows = int(model.get_input_embeddings().weight.shape[0])
        return cls(decoder.tokenizer.backend_tokenizer.to_str(), rows, decoder.end, leads=True)

    def to_json(self) -> str:
        """All of it as JSON."""
        told = {"tokenizer": json.loads(self.told), "size": self.size, "end": self.end, "leads": self.leads}
        return json.dumps(told)

    @classmethod
    def from_json(cls, content: str) -> Self:
        """What `to_json` gave. Raises DamagedError where it is something else."""
        try:
            told = json.loads(content)
            return cls(
                json.dumps(told["tokenizer"]), int(told["size"]), int(told["end"]), bool(told["leads"])
            )
        except (ValueError, KeyError, TypeError) as fault:
            raise DamagedError("The tokenizer of texts can't be read.", remedy="Train again.") from fault

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that decides the numbers."""
        told = json.dumps([json.loads(self.told), self.size, self.end, self.leads], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def _raw(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.told)

    @cached_property
    def _plain(self) -> PlainTokenizer:
        from transformers import PreTrainedTokenizerFast

        fast: Any = PreTrainedTokenizerFast
        return PlainTokenizer(fast(tokenizer_object=self._raw))

    def encode(self, text: str, longest: int) -> list[int]:
        """The first `longest` tokens of a text."""
        return self._plain.encode(text)[:longest]

    def decode(self, numbers: Sequence[int]) -> str:
        """The text of some numbers, up to the end of the text; bytes that are no UTF-8 become U+FFFD."""
        kept = list(numbers)
        return str(self._raw.decode(kept[: kept.index(self.end)] if self.end in kept else kept))
