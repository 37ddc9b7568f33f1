"""What a query asks for, beside its words: filters over the catalogue's own values, and an intent.

contract.py   Filters, Understanding, and Maker, which turns a query into one
values.py     what a catalogue holds that a filter may name
facts.py      which items meet which filters
tokens.py     words, numbers and signs of a query, and where they stood
english.py    the closed classes of English words that a query is read with
amounts.py    prices and ages
intents.py    a thing, a gift, or a service
titles.py     titles read with the catalogue's own brands and values
lexicon.py    which phrases of a catalogue name which of its values
resolving.py  which meaning of a phrase holds in its query
rules.py      maker `rules`: all of these together
ranking.py    what rankers that understand queries share
ruled.py      ranker `understood-rules`
pairs.py      queries and what they ask for, written from a catalogue (pairs.yaml: how people ask)
tagging.py    word pieces and their tags
linking.py    from words to the catalogue's own value: by spelling, by meaning
tagger.py     maker `tagger`, over ONNX Runtime; tagger_training.py its training, the one module with PyTorch
tagged.py     ranker `understood-tagger`
schema.py     the answer as JSON, for makers that write it
"""

from mercer.search.understanding.contract import Filters, Intent, Maker, Understanding
from mercer.search.understanding.ranking import UnderstoodRanker
from mercer.search.understanding.values import CatalogueValues

__all__ = ["CatalogueValues", "Filters", "Intent", "Maker", "Understanding", "UnderstoodRanker"]
