"""The tokenizer as text sees it: a copy without control tokens, so that no text can name one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import transformers


class PlainTokenizer:
    """Texts to token numbers. control: every added token of the vocabulary by its text.

    A copy is needed: Transformers' switch `split_special_tokens` still finds added tokens that are not marked as
    special. Some vocabularies hold a control token as a word too; where one comes out, the text is encoded in
    two pieces there.
    """

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerFast) -> None:
        from tokenizers import Tokenizer

        told = json.loads(tokenizer.backend_tokenizer.to_str())
        self.control: dict[str, int] = {token["content"]: token["id"] for token in told["added_tokens"]}
        self._numbers = frozenset(self.control.values())
        self.start = _start(tokenizer)
        told |= {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
        self._first = Tokenizer.from_str(json.dumps(told))
        self._joined = Tokenizer.from_str(json.dumps(_without_leading_space(told)))
        self.repeats_space = _repeats_space(told)
        named = sorted(self.control, key=len, reverse=True)
        self.control_pattern = re.compile("|".join(map(re.escape, named)) if named else r"(?!)")

    def encode(self, text: str, *, joined: bool = False) -> list[int]:
        """See `Decoder.encode`."""
        text = clean(text)
        ids = self._part(text, joined)
        return ids if self._numbers.isdisjoint(ids) else self._in_pieces(text, joined)

    def _in_pieces(self, text: str, joined: bool) -> list[int]:
        """Encode with every control token's text broken after its first character."""
        ids: list[int] = []
        begin = 0
        for found in self.control_pattern.finditer(text):
            middle = found.start() + 1
            ids += self._part(text[begin:middle], joined or begin > 0)
            begin = middle
        ids += self._part(text[begin:], joined or begin > 0)
        return [token for token in ids if token not in self._numbers]

    def _part(self, text: str, joined: bool) -> list[int]:
        encoder = self._joined if joined else self._first
        ids: list[int] = encoder.encode(text, add_special_tokens=False).ids
        return ids

    def cut(self, text: str, tokens: int) -> str:
        """See `Decoder.cut`."""
        text = clean(text)
        encoding = self._first.encode(text, add_special_tokens=False)
        if len(encoding.ids) <= tokens:
            return text
        end = encoding.offsets[tokens][0] if tokens > 0 else 0
        # The last word may split otherwise once what followed it is gone.
        while end > 0 and len(self.encode(text[:end])) > tokens:
            end -= 1
        return text[:end]


def clean(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 text can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _start(tokenizer: transformers.PreTrainedTokenizerFast) -> list[int]:
    ids: list[int] = tokenizer.backend_tokenizer.encode("", add_special_tokens=True).ids
    first = tokenizer.bos_token_id
    return [first] if first is not None and ids[:1] == [first] else []


def _parts(told: Any) -> list[dict[str, Any]]:
    """Normalisers and pre-tokenisers of a tokenizer, those inside a sequence too."""
    found: list[dict[str, Any]] = []
    for name, inside in (("normalizer", "normalizers"), ("pre_tokenizer", "pretokenizers")):
        part = told[name]
        if part is not None:
            found += part[inside] if part["type"] == "Sequence" else [part]
    return found


def _without_leading_space(told: dict[str, Any]) -> dict[str, Any]:
    """The same tokenizer for a text that goes on: nothing is put before its first word."""
    copy: dict[str, Any] = json.loads(json.dumps(told))
    for part in _parts(copy):
        if part["type"] == "Metaspace":
            part["prepend_scheme"] = "never"
        elif part["type"] == "ByteLevel" and part.get("add_prefix_space"):
            part["add_prefix_space"] = False
        elif part["type"] == "Prepend":
            part["prepend"] = ""
    return copy


def _repeats_space(told: dict[str, Any]) -> bool:
    """Whether the space before a first word comes again after each control token, as in older tokenizers."""
    return any(
        part["type"] == "Prepend" or (part["type"] == "Metaspace" and part["prepend_scheme"] == "always")
        for part in _parts(told)
    )
