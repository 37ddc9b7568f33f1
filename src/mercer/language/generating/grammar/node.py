"""What may still be written, byte by byte: a state of an automaton that is built while it is walked.

A node stands for a set of texts. `ends`: whether the empty text is one of them. `options`: bytes that may come
next. `after`: the node for what may follow a byte. Equal nodes are one object, so that what is known about one is
kept. The set is regular and never empty. Source: derivatives of Brzozowski, Journal of the ACM, 1964.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mercer.language.generating.grammar.nodes import Nodes


class Node(ABC):
    """A set of texts. `shortest` is one of the shortest of them."""

    def __init__(self, made: Nodes) -> None:
        self.made = made
        self._after: dict[int, Node | None] = {}

    @property
    @abstractmethod
    def ends(self) -> bool:
        """Whether nothing more is needed."""

    @cached_property
    @abstractmethod
    def options(self) -> bytes:
        """Bytes that may come next, sorted; none where the text is complete."""

    @cached_property
    @abstractmethod
    def shortest(self) -> bytes:
        """A shortest text of the set; the same one each time."""

    @abstractmethod
    def _step(self, byte: int) -> Node | None: ...

    def after(self, byte: int) -> Node | None:
        """What may follow the byte; None where it may not come."""
        try:
            return self._after[byte]
        except KeyError:
            found = self._after[byte] = self._step(byte)
            return found

    def follow(self, text: bytes) -> Node | None:
        """What may follow the text; None where it may not come."""
        node: Node | None = self
        for byte in text:
            if node is None:
                return None
            node = node.after(byte)
        return node

    @property
    def is_complete(self) -> bool:
        """Whether nothing more may come."""
        return self.ends and not self.options

    @cached_property
    def forced(self) -> bytes:
        """The longest text that every text of the set begins with."""
        written = bytearray()
        node: Node = self
        while not node.ends and len(node.options) == 1:
            byte = node.options[0]
            written.append(byte)
            following = node.after(byte)
            assert following is not None
            node = following
        return bytes(written)
