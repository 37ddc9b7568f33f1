"""Free text as tokens: a byte-level BPE learned from the catalogue, or the tokenizer of a pretrained language model.

Text is data: no text becomes a token that is not text. Bytes are the alphabet, so every text has tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from mercer.errors import DamagedError

if TYPE_CHECKING:
    from mercer.language.decoders import Decoder


@dataclass(frozen=True)
class TextTokens:
    """Texts to numbers 0 to size - 1, and back. told: the tokenizer as JSON of the library `tokenizers`.

    end: the number that ends a text. leads: whether these rows come first in the vocabulary, as those of a pretrained
    model do. size: rows, padding of that model counted. hash: SHA-256 of what decides the numbers.
    """

    told: str
    size: int
    end: int
    leads: bool = False
    decoder: Decoder | None = None

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
        raw.train_from_iterator([_clean(text) for text in texts], trainer)
        return cls.of(raw.to_str())

    @classmethod
    def of(cls, told: str) -> Self:
        """A learned vocabulary from its JSON. Raises DamagedError where it is none."""
        from tokenizers import Tokenizer

        try:
            size = Tokenizer.from_str(told).get_vocab_size()
        except Exception as fault:
            raise DamagedError("The tokenizer of texts can't be read.", remedy="Train again.") from fault
        return cls(told, size + 1, size)

    @classmethod
    def pretrained(cls, decoder: Decoder) -> Self:
        """The tokenizer of a pretrained decoder; its rows lead the vocabulary."""
        model: Any = decoder.model
        rows = int(model.get_input_embeddings().weight.shape[0])
        return cls("", rows, int(decoder.tokenizer.eos_token_id), leads=True, decoder=decoder)

    @cached_property
    def hash(self) -> str:
        """See the class."""
        if self.decoder is not None:
            return self.decoder.tokenizer_hash
        return hashlib.sha256(self.told.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def _raw(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.told)

    def encode(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """The first `longest` tokens of each text; what is no UTF-8 becomes "?"."""
        if self.decoder is not None:
            return [self.decoder.encode(text)[:longest] for text in texts]
        return [one.ids[:longest] for one in self._raw.encode_batch([_clean(text) for text in texts])]

    def decode(self, numbers: Sequence[int]) -> str:
        """The text of some numbers, up to the end of the text; bytes that are no UTF-8 become U+FFFD."""
        kept = list(numbers)
        if self.end in kept:
            kept = kept[: kept.index(self.end)]
        return self.decoder.decode(kept) if self.decoder is not None else str(self._raw.decode(kept))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
