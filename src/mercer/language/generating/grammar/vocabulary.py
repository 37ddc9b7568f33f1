"""The tokens of a vocabulary as bytes, and those that may come next in a state of a grammar.

Two ways to write bytes are known: the byte-level alphabet of GPT-2 (LLaMA 3, SmolLM2) and SentencePiece with
"▁" for a space and <0x..> for a byte (LLaMA 2, Mistral). Control tokens are no text and never among the tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mercer.errors import UnsupportedError
from mercer.language.generating.grammar.leaves import BACKSLASH, QUOTE, Text
from mercer.language.generating.grammar.node import Node
from mercer.language.generating.grammar.nodes import Chain

if TYPE_CHECKING:
    from mercer.language.decoders.decoder import Decoder

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
Ints = npt.NDArray[np.int32]


@dataclass(slots=True)
class _Branch:
    """A place in the trie of tokens: the token that ends here (-1: none) and what follows."""

    token: int = -1
    following: dict[int, _Branch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Tokens that may come next, sorted, and for each the place in `nodes` of the state after it."""

    tokens: Ints
    ends: Ints
    nodes: tuple[Node, ...]

    def after(self, place: int) -> Node:
        """The state after the token at a place."""
        return self.nodes[int(self.ends[place])]


class Vocabulary:
    """The tokens of a decoder as bytes."""

    def __init__(self, decoder: Decoder) -> None:
        self.bytes: dict[int, bytes] = _token_bytes(decoder)
        self._encode = decoder.encode
        self._all, self._special = _Branch(), _Branch()
        plain: list[tuple[int, int]] = []
        for token, text in self.bytes.items():
            _grow(self._all, text, token)
            characters = _plain_characters(text)
            if characters:
                plain.append((token, characters))
            else:
                _grow(self._special, text, token)
        self._plain = np.array(plain, np.int32).reshape(-1, 2)

    def allowed(self, node: Node) -> Allowed:
        """Every token that the grammar lets through in this state. Slow: keep the answer."""
        inside = node.first if isinstance(node, Chain) else node
        if not isinstance(inside, Text) or inside.pending != () or inside.most == 0:
            return _table(list(_walk(self._all, node)))
        fits = self._plain if inside.most is None else self._plain[self._plain[:, 1] <= inside.most]
        longest = int(fits[:, 1].max(initial=0))
        # Tokens of plain characters alone are the most by far: they need no walk.
        reached = {count: _less(node, inside, count) for count in range(1, longest + 1)}
        return _table(
            list(_walk(self._special, node)), (fits[:, 0], [reached[count] for count in fits[:, 1].tolist()])
        )

    def text_tokens(self, text: bytes) -> list[int]:
        """Tokens of a text: as the tokenizer cuts it, else the longest that fit, from the left.

        Raises UnsupportedError where the vocabulary lacks a byte.
        """
        try:
            ids = self._encode(text.decode(), joined=True)
        except UnicodeDecodeError:
            ids = []
        if b"".join(self.bytes.get(token, b"\xff") for token in ids) == text:
            return ids
        return list(self._longest(text))

    def goes_on(self, text: bytes, node: Node) -> bool:
        """Whether a token begins with this text, is longer, and goes on as the grammar lets it from `node`."""
        branch: _Branch | None = self._all
        for byte in text:
            branch = branch.following.get(byte) if branch is not None else None
        return branch is not None and any(True for _ in _walk(branch, node))

    def _longest(self, text: bytes) -> Iterator[int]:
        begin = 0
        while begin < len(text):
            branch, token, end = self._all, -1, begin
            for place in range(begin, len(text)):
                following = branch.following.get(text[place])
                if following is None:
                    break
                branch = following
                if branch.token >= 0:
                    token, end = branch.token, place + 1
            if token < 0:
                raise UnsupportedError(
                    f"The vocabulary has no token for the byte {text[begin]:#04x}.",
                    remedy="Use a model whose tokens cover every byte.",
                )
            yield token
            begin = end


def _table(walked: list[tuple[int, Node]], plain: tuple[Ints, list[Node]] | None = None) -> Allowed:
    tokens = np.array([token for token, _ in walked], np.int32)
    nodes = [node for _, node in walked]
    if plain is not None:
        tokens, nodes = np.concatenate([tokens, plain[0]]), nodes + plain[1]
    places: dict[int, int] = {}
    distinct: list[Node] = []
    ends = np.empty(len(nodes), np.int32)
    for row, node in enumerate(nodes):
        place = places.setdefault(id(node), len(distinct))
        if place == len(distinct):
            distinct.append(node)
        ends[row] = place
    order = np.argsort(tokens)
    return Allowed(tokens[order], ends[order], tuple(distinct))


def _less(node: Node, inside: Text, characters: int) -> Node:
    left = inside.less(characters)
    return node.made.chain(left, node.then) if isinstance(node, Chain) else left


def _walk(branch: _Branch, node: Node) -> Iterator[tuple[int, Node]]:
    """Tokens below a branch that a state lets through, and the state after each."""
    waiting = [(branch, node)]
    while waiting:
        branch, node = waiting.pop()
        for byte in node.options:
            following = branch.following.get(byte)
            if following is None:
                continue
            reached = node.after(byte)
            if reached is None:
                continue
            if following.token >= 0:
                yield following.token, reached
            if following.following:
                waiting.append((following, reached))


def _grow(branch: _Branch, text: bytes, token: int) -> None:
    for byte in text:
        branch = branch.following.setdefault(byte, _Branch())
    branch.token = token


def _plain_characters(text: bytes) -> int:
    """How many characters of the inside of a JSON string a token is; 0 where it is more or less than that."""
    try:
        characters = text.decode()
    except UnicodeDecodeError:
        return 0
    if any(byte < 0x20 or byte in (QUOTE, BACKSLASH) for byte in text):
        return 0
    return len(characters)


def _token_bytes(decoder: Decoder) -> dict[int, bytes]:
    """Bytes of each token that is text; of several with the same bytes, the one that the tokenizer uses."""
    told = json.loads(decoder.tokenizer.backend_tokenizer.to_str())
    control = set(decoder.plain.control.values())
    kinds = set(_kinds(told["pre_tokenizer"])) | set(_kinds(told["decoder"]))
    of: Callable[[str], bytes]
    if "ByteLevel" in kinds:
        of = partial(_by_alphabet, _byte_alphabet())
    elif kinds & {"ByteFallback", "Metaspace"}:
        of = _by_sentencepiece
    else:
        raise UnsupportedError(
            "The tokenizer writes bytes in a way that is not known.",
            remedy="Use a model with a byte-level or a SentencePiece vocabulary.",
        )
    found: dict[bytes, tuple[bool, int]] = {}
    for token, number in told["model"]["vocab"].items():
        text = of(token)
        if number in control or not text:
            continue
        ranked = (bool(_BYTE.fullmatch(token)), number)
        found[text] = min(found.get(text, ranked), ranked)
    return {number: text for text, (_, number) in sorted(found.items(), key=lambda pair: pair[1][1])}


def _kinds(part: Any) -> Iterator[str]:
    if part is None:
        return
    yield part["type"]
    for name in ("pretokenizers", "decoders"):
        for inside in part.get(name, []):
            yield from _kinds(inside)


def _byte_alphabet() -> dict[str, int]:
    """Character to byte, as GPT-2 writes bytes: visible Latin-1 as itself, the rest from U+0100 on."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {chr(byte): byte for byte in visible} | {chr(0x100 + n): byte for n, byte in enumerate(hidden)}


def _by_alphabet(alphabet: dict[str, int], token: str) -> bytes:
    return bytes(alphabet[sign] for sign in token) if all(sign in alphabet for sign in token) else b""


def _by_sentencepiece(token: str) -> bytes:
    single = _BYTE.fullmatch(token)
    return bytes([int(single[1], 16)]) if single else token.replace("▁", " ").encode()
