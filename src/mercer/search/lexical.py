"""The BM25 index: tantivy files in one folder.

Queries are built from terms, never parsed, so no character of a query is an operator. The index works in a
private folder: opening one makes tantivy create a lock file, and a saved model must stay as it was written,
readable from a read-only disk and by many processes at once. Files of a saved index are linked, not copied.
Source: Robertson and Zaragoza, Foundations and Trends in IR 3(4), 2009 (BM25; tantivy fixes k1 1.2, b 0.75).
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32
from mercer.errors import DamagedError
from mercer.search.documents import FIELDS, Document
from mercer.search.words import terms

Codes64 = npt.NDArray[np.int64]

MAX_QUERY_TERMS = 64
"""Different terms of a query that are looked up; a longer query is cut there."""

ALL = "all"
"""The field that holds several texts of an item together."""
WORDS = "words.txt"
"""File of the words of the catalogue, a line each: word and number of items."""
LEAST_LETTERS = 4
"""Shorter words are not kept in it."""

_CODE, _IDENTIFIER = "code", "identifier"
# One writer thread and a large buffer: one segment for any catalogue that fits, the same bytes every time.
_BUFFER_BYTES = 1_000_000_000


class LexicalIndex:
    """Documents numbered by item code. Build with `build`, read with `open`."""

    def __init__(self, folder: tempfile.TemporaryDirectory[str]) -> None:
        import tantivy

        self._working = folder
        try:
            self._index: Any = tantivy.Index.open(folder.name)
            self._searcher: Any = self._index.searcher()
        except ValueError as fault:
            raise DamagedError(
                "The search index is damaged or not whole.", remedy="Run mercer again to build it."
            ) from fault
        self.n_items: int = self._searcher.num_docs

    @classmethod
    def build(
        cls,
        documents: Iterable[Document],
        *,
        plurals: bool,
        together: Sequence[str] = FIELDS,
        apart: Sequence[str] = ("title",),
    ) -> Self:
        """Index the documents, the n-th as item code n.

        together: the texts that make up the field `all`; apart: those that get a field of their own too.
        """
        import tantivy

        folder = _folder()
        writer = tantivy.Index(_schema(apart), folder.name).writer(_BUFFER_BYTES, 1)
        counts: Counter[str] = Counter()
        for code, document in enumerate(documents):
            words = {
                name: " ".join(terms(text, plurals=plurals))
                for name, text in document.texts.items()
                if name in together or name in apart
            }
            entry = tantivy.Document()
            entry.add_unsigned(_CODE, code)
            entry.add_text(ALL, " ".join(words[name] for name in together if name in words))
            for name in apart:
                entry.add_text(name, words.get(name, ""))
            for identifier in document.identifiers:
                entry.add_text(_IDENTIFIER, identifier)
            writer.add_document(entry)
            counts.update({word for text in words.values() for word in text.split() if _is_word(word)})
        writer.commit()
        writer.wait_merging_threads()
        _number_segments(Path(folder.name))
        lines = [f"{word} {count}\n" for word, count in sorted(counts.items())]
        (Path(folder.name) / WORDS).write_text("".join(lines), "utf-8")
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read a saved index. Raises DamagedError when files are missing or can't be read."""
        working = _folder()
        for path in _files(folder):
            _link(path, Path(working.name) / path.name)
        return cls(working)

    def save(self, folder: Path) -> None:
        """Write the index files into `folder`, which is created."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in _files(Path(self._working.name)):
            target = folder / path.name
            if not (target.exists() and target.samefile(path)):
                shutil.copyfile(path, target)

    @cached_property
    def words(self) -> dict[str, int]:
        """Words of letters alone that the catalogue holds, and in how many items."""
        try:
            lines = (Path(self._working.name) / WORDS).read_text("utf-8").splitlines()
            return {word: int(count) for word, count in (line.split(" ") for line in lines)}
        except (OSError, ValueError) as fault:
            raise DamagedError(
                f"{WORDS} is damaged or missing.", remedy="Run mercer again to build the search index."
            ) from fault

    def held(self, query_terms: Sequence[str]) -> tuple[Codes64, Floats32]:
        """Item codes that hold any of the terms in the field `all`, and how many different ones; by code."""
        import tantivy

        chosen = list(dict.fromkeys(query_terms))[:MAX_QUERY_TERMS]
        if not chosen:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        parts = [tantivy.Query.const_score_query(self._term(ALL, term), 1.0) for term in chosen]
        return self._search(tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts]))

    def matches(
        self, query_terms: Sequence[str], weights: Mapping[str, float], *, tie: float = 1.0
    ) -> tuple[Codes64, Floats32]:
        """Item codes that hold any of the terms, and their scores, all above 0; by code.

        A score is a sum over terms: of a term's weighted BM25 in each field, the best counts in full and the
        others count `tie` times (1: their sum; 0: the best alone). weights: by field, those above 0 count.
        """
        import tantivy

        chosen = list(dict.fromkeys(query_terms))[:MAX_QUERY_TERMS]
        fields = [name for name, weight in weights.items() if weight > 0]
        if not chosen or not fields:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        found = [[self._weighted(name, term, weights[name]) for name in fields] for term in chosen]
        if tie < 1 and len(fields) > 1:
            found = [[tantivy.Query.disjunction_max_query(parts, tie)] for parts in found]
        flat = [(tantivy.Occur.Should, part) for parts in found for part in parts]
        return self._search(tantivy.Query.boolean_query(flat))

    def identified(self, identifiers: Sequence[str]) -> Codes64:
        """Item codes that have one of the normalised identifiers, ascending."""
        import tantivy

        if not identifiers:
            return np.zeros(0, np.int64)
        parts = [(tantivy.Occur.Should, self._term(_IDENTIFIER, key)) for key in identifiers]
        return self._search(tantivy.Query.boolean_query(parts))[0]

    def _weighted(self, field: str, term: str, weight: float) -> Any:
        import tantivy

        query = self._term(field, term)
        return query if weight == 1 else tantivy.Query.boost_query(query, weight)

    def _term(self, field: str, term: str) -> Any:
        import tantivy

        return tantivy.Query.term_query(self._index.schema, field, term, _recorded(field))

    def _search(self, query: Any) -> tuple[Codes64, Floats32]:
        hits = self._searcher.search(query, limit=max(1, self.n_items), count=False).hits
        codes = np.array(self._searcher.fast_field_values(_CODE, [at for _, at in hits]), np.int64)
        scores = np.array([score for score, _ in hits], np.float32)
        order = np.argsort(codes)
        return codes[order], scores[order]


def _schema(apart: Sequence[str]) -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field(_CODE, fast=True)
    for field in (*apart, ALL):
        # Terms come ready made, joined by spaces.
        builder.add_text_field(field, tokenizer_name="whitespace", index_option=_recorded(field))
    builder.add_text_field(_IDENTIFIER, tokenizer_name="raw", index_option=_recorded(_IDENTIFIER))
    return builder.build()


def _is_word(term: str) -> bool:
    return len(term) >= LEAST_LETTERS and term.isalpha()


def _recorded(field: str) -> str:
    return "basic" if field == _IDENTIFIER else "freq"


def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that goes with its index, whose threads may still be closing files then: what they leave is no fault."""
    return tempfile.TemporaryDirectory(prefix="mercer-index-", ignore_cleanup_errors=True)


def _files(folder: Path) -> list[Path]:
    """The index files without tantivy's locks."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock")


def _link(path: Path, at: Path) -> None:
    try:
        at.symlink_to(path.resolve())
    except OSError:
        # A system without links.
        shutil.copyfile(path, at)


def _number_segments(folder: Path) -> None:
    """Name segments 1, 2, ... instead of at random, so that the same catalogue gives the same files."""
    meta = folder / "meta.json"
    text = meta.read_text("utf-8")
    renamed: dict[str, str] = {}
    for number, segment in enumerate(json.loads(text)["segments"], start=1):
        old, new = uuid.UUID(segment["segment_id"]), uuid.UUID(int=number)
        text = text.replace(str(old), str(new))
        renamed[old.hex] = new.hex
    names = []
    for path in _files(folder):
        stem = path.name.split(".")[0]
        name = path.name.replace(stem, renamed.get(stem, stem))
        path.rename(folder / name)
        if name != ".managed.json":
            names.append(name)
    meta.write_text(text, "utf-8")
    (folder / ".managed.json").write_text(json.dumps(sorted(names)), "utf-8")
