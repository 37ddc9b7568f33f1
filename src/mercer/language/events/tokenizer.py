"""EventTokenizer: which row of the vocabulary means what, and logs and requests as tokens.

The vocabulary, in this order:
    text        rows of a pretrained language model, where the decoder starts from one
    special     padding, start, and what announces a text, a query and an item
    fields      kind, gap, month, weekday, ... : a range each
    item.0 ...  a range for each level of the semantic IDs, the last one for disambiguation
    amount, ... fields that are known only afterwards
    text        rows learned from the catalogue, where there are texts and no pretrained model
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Interactions, Ragged, Times
from mercer.errors import ConflictError, DataError
from mercer.language.beams import Prefixes
from mercer.language.events import storing
from mercer.language.events.columns import Columns
from mercer.language.events.fields import Codes, Field, HashedField, described
from mercer.language.events.fitting import codes_of_items, fitted
from mercer.language.events.laying import laid
from mercer.language.events.options import EventOptions
from mercer.language.events.text import TextTokens
from mercer.language.semantic_ids.vectors import texts_of

if TYPE_CHECKING:
    import pandas as pd

    from mercer.language.semantic_ids import SemanticIds

Ints = npt.NDArray[np.int64]

SPECIAL = ("padding", "start", "text", "query", "item")
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of an event, or text: its name and its rows of the vocabulary, from start to stop - 1."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class EventTokenizer:
    """Events as tokens. An event is one token for each of `event_slots`, always in that order.

    ids: the paths of the items. fields: beside the item. options: as given. text: how texts become tokens, None where
    there are none. tables: for each hashed column of the catalogue int32, shape (I,).
    Stability: experimental.
    """

    ids: SemanticIds
    fields: tuple[Field, ...]
    options: EventOptions
    text: TextTokens | None = None
    tables: Mapping[str, Codes] = field(default_factory=dict)

    @classmethod
    def build(
        cls, dataset: Dataset, ids: SemanticIds, options: EventOptions, *, text: TextTokens | None = None
    ) -> Self:
        """Fit the fields to a training log; a log is not needed where the item is the only field.

        text: of a pretrained model; left out, `options.text_tokens` are learned from the titles.
        Raises DataError naming a column that neither the log nor the catalogue has, or where gap or calendar are asked
        of a log without a clock; UsageError where the IDs are of another number of items.
        """
        if len(ids.codes) != len(dataset.vocabulary):
            raise DataError(
                f"There are IDs for {len(ids.codes):,} items; the catalogue has {len(dataset.vocabulary):,}.",
                remedy="Make the IDs from this catalogue.",
            )
        if text is None and options.text_tokens:
            text = TextTokens.learned(texts_of(dataset.items, "title"), options.text_tokens)
        fields = fitted(dataset, options)
        bare = cls(ids=ids, fields=fields, options=options, text=text)
        return bare.with_ids(ids, dataset.items)

    def with_ids(self, ids: SemanticIds, items: pd.DataFrame | None = None) -> Self:
        """The same vocabulary over a catalogue that has grown, or changed: items of other number or order.

        items: its frame; needed where a hashed column is one of the catalogue. Raises ConflictError for IDs that are
        not the old ones with items added.
        """
        if ids.base != self.ids.base:
            raise ConflictError(
                f"The IDs are {ids.base[:12]}; the tokenizer was built on {self.ids.base[:12]}.",
                remedy="Extend the old IDs to the new items, or build the tokenizer and train again.",
            )
        return replace(self, ids=ids, tables=codes_of_items(self.fields, len(ids.codes), items))

    @cached_property
    def event_slots(self) -> tuple[Slot, ...]:
        """The places of an event: fields known before, the item's levels, fields known afterwards."""
        at = len(SPECIAL) + (self.text.size if self.text is not None and self.text.leads else 0)
        named = [pair for one in self.fields if one.before for pair in one.slots]
        named += [(f"item.{level}", size) for level, size in enumerate(self.ids.sizes)]
        named += [pair for one in self.fields if not one.before for pair in one.slots]
        slots = []
        for name, size in named:
            slots.append(Slot(name, at, at + size))
            at += size
        return tuple(slots)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """All that can be foretold: the places of an event, then text where there is any."""
        if self.text is None:
            return self.event_slots
        start = 0 if self.text.leads else self.event_slots[-1].stop
        return (*self.event_slots, Slot("text", start, start + self.text.size))

    @cached_property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """Rows of the vocabulary by name: special, every place of an event, text."""
        first = self.event_slots[0].start
        named = {"special": (first - len(SPECIAL), first)}
        return named | {slot.name: (slot.start, slot.stop) for slot in self.slots}

    def special(self, name: str) -> int:
        """The token of a name of SPECIAL."""
        return self.ranges["special"][0] + SPECIAL.index(name)

    @property
    def size(self) -> int:
        """Rows of the vocabulary."""
        return max(stop for _, stop in self.ranges.values())

    @cached_property
    def n_before(self) -> int:
        """Tokens of an event that are known when its item is asked for."""
        return sum(len(one.slots) for one in self.fields if one.before)

    @property
    def n_levels(self) -> int:
        """Tokens of an item."""
        return len(self.ids.sizes)

    @property
    def n_event(self) -> int:
        """Tokens of an event."""
        return len(self.event_slots)

    @cached_property
    def item_rows(self) -> tuple[tuple[int, int], ...]:
        """Rows of the vocabulary of each level of an item: what `beams.DecoderSteps` is given."""
        levels = self.event_slots[self.n_before : self.n_before + self.n_levels]
        return tuple((slot.start, slot.stop) for slot in levels)

    @cached_property
    def paths(self) -> Codes:
        """The tokens of every item, int32, shape (I, T)."""
        starts = np.array([start for start, _ in self.item_rows], np.int32)
        found: Codes = self.ids.codes + starts
        return found

    @cached_property
    def prefixes(self) -> Prefixes:
        """The paths of all items as a tree."""
        return Prefixes.of(self.ids.codes, self.ids.sizes)

    @property
    def longest(self) -> int:
        """Tokens of the longest row: a full window, one event more, and a query where there are texts."""
        text = self.options.longest_text + 2 if self.text is not None else 0
        return 1 + (self.options.window + 1) * self.n_event + text

    @cached_property
    def vocabulary(self) -> str:
        """SHA-256 of what each row of the vocabulary means: a decoder is bound to it. Added items don't change it."""
        told = {
            "schema": SCHEMA,
            "special": SPECIAL,
            "fields": [described(one) for one in self.fields],
            "ids": self.ids.base,
            "text": None if self.text is None else [self.text.hash, self.text.size, self.text.leads],
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the vocabulary and of the catalogue with its paths: a release is bound to it."""
        return hashlib.sha256(f"{self.vocabulary} {self.ids.fingerprint}".encode()).hexdigest()

    def said(self) -> tuple[str, ...]:
        """Sentences for a reader of the results: the size, and how often hashed values share a bucket."""
        first = f"{self.size:,} tokens; an event is {', '.join(slot.name for slot in self.event_slots)}."
        return (first, *(one.said() for one in self.fields if isinstance(one, HashedField)))

    def save(self, folder: Path) -> None:
        """Write it without its IDs, which are stored by themselves. Raises OutputError."""
        storing.save_tokenizer(self, folder)

    @classmethod
    def load(cls, folder: Path, ids: SemanticIds) -> Self:
        """Read what `save` wrote. Raises ConflictError for other IDs, DamagedError for files that were changed."""
        return storing.load_tokenizer(cls, folder, ids)

    def known(self, log: Interactions) -> Interactions:
        """The events whose item has an ID; the others are left out."""
        there = (log.item >= 0) & (log.item < len(self.ids.codes))
        return log if there.all() else log.where(there)

    def tokens(self, log: Interactions) -> Codes:
        """Every event of a log whose items are all known, int32, shape (N, tokens of an event)."""
        events = Columns.of(log)
        out = np.empty((log.n_events, self.n_event), np.int32)
        out[:, : self.n_before] = self._before(events)
        out[:, self.n_before : self.n_before + self.n_levels] = self.paths[events.item]
        at = self.n_before + self.n_levels
        for one in self.fields:
            if not one.before:
                in_table = isinstance(one, HashedField) and one.of_items
                found = self.tables[one.slots[0][0]][events.item][:, None] if in_table else one.codes(events)
                out[:, at : at + found.shape[1]] = found
                at += found.shape[1]
        after = self.event_slots[self.n_before + self.n_levels :]
        out[:, self.n_before + self.n_levels :] += np.array([slot.start for slot in after], np.int32)
        return out

    def _before(self, events: Columns) -> Codes:
        parts = [one.codes(events) for one in self.fields if one.before]
        if not parts:
            return np.zeros((len(events), 0), np.int32)
        starts = np.array([slot.start for slot in self.event_slots[: self.n_before]], np.int32)
        return np.concatenate(parts, 1) + starts

    def rows(self, log: Interactions, *, window: int | None = None) -> Ragged:
        """The start token and the newest events of each user, whole events only; unknown items are left out.

        window: events at most; left out, that of the options.
        """
        return self._rows(self.known(log), window, np.zeros((log.n_users, 0), np.int32))

    def asked(
        self, history: Interactions, time: Times, *, kind: str = "purchase", window: int | None = None
    ) -> Ragged:
        """What the decoder reads before it foretells an item: a history and what is known of the event asked for.

        history: one row a request, as of its time. time: int64 microseconds, shape (n,). kind: what would be done.
        """
        history = self.known(history)
        return self._rows(history, window, self._before(Columns.asked(history, time, kind)))

    def _rows(self, log: Interactions, window: int | None, tail: Codes) -> Ragged:
        length = np.minimum(log.lengths, self.options.window if window is None else window)
        return laid(self.special("start"), self.tokens(log), log.indptr[1:] - length, length, tail)
