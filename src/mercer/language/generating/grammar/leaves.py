"""Nodes that hold no others: given texts, the inside of a string, a number within bounds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mercer.language.generating.grammar.node import Node

if TYPE_CHECKING:
    from mercer.language.generating.grammar.nodes import Nodes

QUOTE, BACKSLASH = 0x22, 0x5C
_ESCAPED = b'"/\\bfnrt'
_TAIL = (0x80, 0xBF)
# What may follow the first byte of a character in UTF-8 without overlong forms and surrogates (RFC 3629).
_FOLLOWING: dict[int, tuple[tuple[int, int], ...]] = {
    **dict.fromkeys(range(0xC2, 0xE0), (_TAIL,)),
    **dict.fromkeys(range(0xE0, 0xF0), (_TAIL, _TAIL)),
    **dict.fromkeys(range(0xF0, 0xF5), (_TAIL, _TAIL, _TAIL)),
    0xE0: ((0xA0, 0xBF), _TAIL),
    0xED: ((0x80, 0x9F), _TAIL),
    0xF0: ((0x90, 0xBF), _TAIL, _TAIL),
    0xF4: ((0x80, 0x8F), _TAIL, _TAIL),
}
_PLAIN = bytes(byte for byte in range(0x20, 0x80) if byte not in (QUOTE, BACKSLASH))
_CONTENT = bytes(sorted({*_PLAIN, BACKSLASH, *_FOLLOWING}))
_DIGITS = b"0123456789"


class Words(Node):
    """Some given texts from a common beginning on: a range of a sorted list, so that thousands cost little."""

    def __init__(self, made: Nodes, words: Sequence[bytes], span: tuple[int, int], depth: int) -> None:
        super().__init__(made)
        self._words, self._span, self._depth = words, span, depth

    @property
    def ends(self) -> bool:
        """Whether the shortest word is over."""
        return len(self._words[self._span[0]]) == self._depth

    @cached_property
    def options(self) -> bytes:
        """The next byte of each word."""
        found = bytearray()
        place, end = self._span[0] + self.ends, self._span[1]
        while place < end:
            byte = self._words[place][self._depth]
            found.append(byte)
            place = self._edge(byte + 1, place)
        return bytes(found)

    @cached_property
    def shortest(self) -> bytes:
        """The rest of the shortest word."""
        return min(self._words[slice(*self._span)], key=len)[self._depth :]

    def _edge(self, byte: int, begin: int) -> int:
        """The first place from `begin` on whose next byte is not below `byte`."""
        return bisect_left(self._words, byte, begin, self._span[1], key=lambda word: word[self._depth])

    def _step(self, byte: int) -> Node | None:
        begin = self._edge(byte, self._span[0] + self.ends)
        end = self._edge(byte + 1, begin)
        return self.made.words(self._words, (begin, end), self._depth + 1) if begin < end else None


class Text(Node):
    """The inside of a JSON string: so many characters, each plain UTF-8 or a short escape.

    least, most: characters still to come; most None sets no limit. pending: what the character begun still needs
    (ranges of its bytes), None inside an escape.
    """

    def __init__(
        self, made: Nodes, least: int, most: int | None, pending: tuple[tuple[int, int], ...] | None
    ) -> None:
        super().__init__(made)
        self.least, self.most, self.pending = least, most, pending

    @property
    def ends(self) -> bool:
        """Whether enough characters are there."""
        return self.least == 0 and self.pending == ()

    @cached_property
    def options(self) -> bytes:
        """Bytes that go on with a character or begin one."""
        if self.pending is None:
            return _ESCAPED
        if self.pending:
            low, high = self.pending[0]
            return bytes(range(low, high + 1))
        return b"" if self.most == 0 else _CONTENT

    @cached_property
    def shortest(self) -> bytes:
        """The smallest bytes that the character begun needs, then as many letters as are still needed."""
        begun = b"n" if self.pending is None else bytes(low for low, _ in self.pending)
        return begun + b"x" * self.least

    def less(self, characters: int) -> Node:
        """What may follow after so many whole characters."""
        most = None if self.most is None else self.most - characters
        return self.made.text(max(0, self.least - characters), most)

    def _step(self, byte: int) -> Node | None:
        if byte not in self.options:
            return None
        if self.pending is None:
            return self.made.text(self.least, self.most)
        if self.pending:
            return self.made.text(self.least, self.most, self.pending[1:])
        least, most = max(0, self.least - 1), None if self.most is None else self.most - 1
        return self.made.text(least, most, None if byte == BACKSLASH else _FOLLOWING.get(byte, ()))


class Number(Node):
    """Decimal numbers from `low` to `high`, both in units of the last of `places` decimals and not negative.

    written: the digits so far as a number. decimals: how many of them stand after the point; None before it,
    -1 before the first digit.
    """

    def __init__(
        self, made: Nodes, bounds: tuple[int, int], places: int, written: int, decimals: int | None
    ) -> None:
        super().__init__(made)
        self._low, self._high = bounds
        self._places, self._written, self._decimals = places, written, decimals

    @property
    def ends(self) -> bool:
        """Whether the number as written is within the bounds."""
        if self._decimals == -1 or self._decimals == 0:
            return False
        value: int = self._written * 10 ** (self._places - (self._decimals or 0))
        return self._low <= value <= self._high

    @cached_property
    def options(self) -> bytes:
        """Digits and the point, where a number within the bounds can still come of it."""
        return bytes(byte for byte in b"." + _DIGITS if self.after(byte) is not None)

    @cached_property
    def shortest(self) -> bytes:
        """The fewest digits that reach the bounds."""
        written = self._text(self._written, self._decimals) if self._decimals != -1 else ""
        found = [text for span in self._spans() for text in self._within(*span)]
        return min(found, key=len)[len(written) :].encode()

    def _spans(self) -> Iterator[tuple[int, int, int]]:
        """Numbers that begin as written, from and to, for each number of digits; and the fewest decimals."""
        scale = 10**self._places
        if self._decimals is not None and self._decimals >= 0:
            unit = 10 ** (self._places - self._decimals)
            yield self._written * unit, (self._written + 1) * unit - 1, max(1, self._decimals)
        elif self._decimals == -1:
            yield 0, 10 * scale - 1, 0
            for digits in range(1, len(str(self._high))):
                yield 10**digits * scale, 10 ** (digits + 1) * scale - 1, 0
        else:
            for digits in range(len(str(self._high)) if self._written else 1):
                yield self._written * 10**digits * scale, (self._written + 1) * 10**digits * scale - 1, 0

    def _within(self, low: int, high: int, decimals: int) -> Iterator[str]:
        """The smallest number from `low` to `high` within the bounds, for each number of decimals."""
        for number in range(decimals, self._places + 1):
            unit = 10 ** (self._places - number)
            value = -(-max(low, self._low) // unit)
            if value * unit <= min(high, self._high):
                yield self._text(value, number or None)

    @staticmethod
    def _text(written: int, decimals: int | None) -> str:
        if decimals is None:
            return str(written)
        whole, part = divmod(written, 10**decimals)
        return f"{whole}." + (f"{part:0{decimals}d}" if decimals else "")

    def _step(self, byte: int) -> Node | None:
        if byte == 0x2E:
            return self._point()
        if byte not in _DIGITS:
            return None
        digit = byte - 0x30
        if self._decimals == -1:
            return self._reachable(digit, None)
        if self._decimals is None:
            # A number that begins with 0 has no further digit before the point.
            return self._reachable(self._written * 10 + digit, None) if self._written else None
        if self._decimals == self._places:
            return None
        return self._reachable(self._written * 10 + digit, self._decimals + 1)

    def _point(self) -> Node | None:
        if self._decimals is not None or self._places == 0:
            return None
        return self._reachable(self._written, 0)

    def _reachable(self, written: int, decimals: int | None) -> Node | None:
        """The node for these digits, where some number that begins with them lies within the bounds."""
        unit = 10 ** (self._places - (decimals or 0))
        low, high = written * unit, (written + 1) * unit - 1
        grows = decimals is None and written > 0
        while grows and high < self._low:
            low, high = low * 10, high * 10 + 9
        if high < self._low or low > self._high:
            return None
        return self.made.number((self._low, self._high), self._places, written, decimals)
