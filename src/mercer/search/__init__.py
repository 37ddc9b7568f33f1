"""Search of a catalogue: a query to ranked items.

words.py        text to index terms, the same for products and queries
identifiers.py  article numbers: how they are compared, which of a query's parts may be one
spelling.py     one edit or two towards a word of the catalogue
documents.py    which text of an item goes where
lexical.py      the BM25 index (tantivy)
matching.py     the half of a search by words, with its options
dense.py        the matrix of text vectors, searched exactly
meaning.py      the half of a search by meaning, with its options
ranking.py      what search rankers share: rules, blocks, saving
bm25.py         rankers `bm25` (all text in one field) and `bm25-fields` (weighted fields)
minilm.py       ranker `minilm`: meaning alone
fusion.py       rankers `bm25-minilm` and `fields-minilm`: both halves joined
features.py     what a learned order knows of a query and an item
trees.py        LambdaMART on judged pairs
ltr.py          ranker `search-ltr`: the first of a fusion in a learned order
prompted.py     ranker `prompted-search`: the first of a base, reordered by what a language model says
understanding/  what a query asks for beside its words, and rankers that heed it

Fed by `language` (vectors). Refuses the person's history: an answer depends on the query and the catalogue.
"""

from mercer.search.bm25 import Bm25, Bm25Fields
from mercer.search.fusion import Bm25Minilm, FieldsMinilm
from mercer.search.ltr import SearchLtr
from mercer.search.minilm import Minilm

DEFAULTS = ("bm25", "bm25-minilm", "search-ltr")
"""Models that compete in a search target whose brief says `models: auto`."""

__all__ = ["DEFAULTS", "Bm25", "Bm25Fields", "Bm25Minilm", "FieldsMinilm", "Minilm", "SearchLtr"]
