"""Search of a catalogue: a query to ranked items.

words.py        text to index terms, the same for products and queries
identifiers.py  article numbers: how they are compared, which of a query's parts may be one
documents.py    which text of an item goes where
lexical.py      the BM25 index (tantivy)
dense.py        the matrix of text vectors, searched exactly
ranking.py      what search rankers share: rules, blocks, saving
bm25.py         ranker `bm25`
fusion.py       ranker `bm25-minilm`: BM25 and MiniLM by reciprocal rank

Fed by `language` (vectors). Refuses the person's history: an answer depends on the query and the catalogue.
"""

from mercer.search.bm25 import Bm25
from mercer.search.fusion import Bm25Minilm

DEFAULTS = ("bm25", "bm25-minilm")
"""Models that compete in a search target whose brief says `models: auto`."""

__all__ = ["DEFAULTS", "Bm25", "Bm25Minilm"]
