"""Nodes made of others, and the maker of all nodes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property

from mercer.language.generating.grammar.leaves import Number, Text, Words
from mercer.language.generating.grammar.node import Node


class Chain(Node):
    """A text of the first set, then one of the second."""

    def __init__(self, made: Nodes, first: Node, then: Node) -> None:
        super().__init__(made)
        self.first, self.then = first, then

    @property
    def ends(self) -> bool:
        """Whether both may be empty."""
        return self.first.ends and self.then.ends

    @cached_property
    def options(self) -> bytes:
        """Of the first, and of the second where the first may be over."""
        more = self.then.options if self.first.ends else b""
        return bytes(sorted({*self.first.options, *more}))

    @cached_property
    def shortest(self) -> bytes:
        """Both shortest in turn."""
        return self.first.shortest + self.then.shortest

    def _step(self, byte: int) -> Node | None:
        found = []
        within = self.first.after(byte)
        if within is not None:
            found.append(self.made.chain(within, self.then))
        beyond = self.then.after(byte) if self.first.ends else None
        if beyond is not None:
            found.append(beyond)
        return self.made.either(found) if found else None


class Either(Node):
    """A text of any of the sets."""

    def __init__(self, made: Nodes, choices: tuple[Node, ...]) -> None:
        super().__init__(made)
        self.choices = choices

    @property
    def ends(self) -> bool:
        """Whether any may be empty."""
        return any(choice.ends for choice in self.choices)

    @cached_property
    def options(self) -> bytes:
        """Of all of them."""
        return bytes(sorted({byte for choice in self.choices for byte in choice.options}))

    @cached_property
    def shortest(self) -> bytes:
        """The first of the shortest ones."""
        return min((choice.shortest for choice in self.choices), key=len)

    def _step(self, byte: int) -> Node | None:
        found = [after for choice in self.choices if (after := choice.after(byte)) is not None]
        return self.made.either(found) if found else None


class Times(Node):
    """Texts of one set one after another, at least and at most so many; most None sets no limit."""

    def __init__(self, made: Nodes, item: Node, least: int, most: int | None) -> None:
        super().__init__(made)
        self._item, self._least, self._most = item, least, most

    @property
    def ends(self) -> bool:
        """Whether enough are there."""
        return self._least == 0

    @cached_property
    def options(self) -> bytes:
        """Of the next one."""
        return self._item.options

    @cached_property
    def shortest(self) -> bytes:
        """As few as are needed."""
        return self._item.shortest * self._least

    def _step(self, byte: int) -> Node | None:
        within = self._item.after(byte)
        if within is None:
            return None
        most = None if self._most is None else self._most - 1
        return self.made.chain(within, self.made.times(self._item, max(0, self._least - 1), most))


class Nodes:
    """Makes nodes; asked twice for the same, it gives the same object."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Node] = {}
        self.nothing = self.literal(b"")

    def _one(self, key: Hashable, node: type[Node], *arguments: object) -> Node:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = node(self, *arguments)
        return found

    def literal(self, text: bytes) -> Node:
        """Exactly this text."""
        return self.any_of([text])

    def any_of(self, texts: Iterable[bytes]) -> Node:
        """One of these texts; there must be one."""
        words = tuple(sorted(set(texts)))
        return self.words(words, (0, len(words)), 0)

    def words(self, words: Sequence[bytes], span: tuple[int, int], depth: int) -> Node:
        """See Words."""
        return self._one((Words, words if depth == 0 else id(words), span, depth), Words, words, span, depth)

    def text(self, least: int, most: int | None, pending: tuple[tuple[int, int], ...] | None = ()) -> Node:
        """See Text."""
        return self._one((Text, least, most, pending), Text, least, most, pending)

    def number(
        self, bounds: tuple[int, int], places: int, written: int = 0, decimals: int | None = -1
    ) -> Node:
        """See Number."""
        return self._one(
            (Number, bounds, places, written, decimals), Number, bounds, places, written, decimals
        )

    def chain(self, first: Node, then: Node) -> Node:
        """See Chain. Chains lean to the right, so that what is written now is always the first."""
        if first.is_complete:
            return then
        if isinstance(first, Chain):
            return self.chain(first.first, self.chain(first.then, then))
        return self._one((Chain, id(first), id(then)), Chain, first, then)

    def either(self, choices: Iterable[Node]) -> Node:
        """See Either; there must be a choice."""
        flat = {
            id(one): one
            for choice in choices
            for one in (choice.choices if isinstance(choice, Either) else (choice,))
        }
        if len(flat) == 1:
            return next(iter(flat.values()))
        return self._one((Either, frozenset(flat)), Either, tuple(flat.values()))

    def times(self, item: Node, least: int, most: int | None) -> Node:
        """See Times; `item` is never empty."""
        return (
            self.nothing if most == 0 else self._one((Times, id(item), least, most), Times, item, least, most)
        )
