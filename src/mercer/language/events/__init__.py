"""Events as tokens, and a small decoder that foretells them: items, their fields, and texts in one vocabulary.

options.py     which fields an event has; the shape of the decoder; which tasks it learns
fields.py      one small class a field: kind, gap, calendar, amount, hashed columns
fitting.py     the fields of a training log
columns.py     events as the columns that fields read, known or asked for
tokenizer.py   EventTokenizer: which row of the vocabulary means what; logs and requests as tokens
laying.py      events laid into rows
text.py        free text as tokens: a byte-level BPE of the catalogue, or the language model's own
lines.py       Lines: rows of tokens with what is foretold at each place
tasks.py       what is learned: the next event, and the tasks with texts
texts.py       text to item, item to text, query to item
queries.py     queries with the items that were meant
paths.py       which tokens go on from a prefix of a path
storing.py     tokenizer and decoder at rest
dropout.py     dropout on what attention and the layers between give back
starting.py    the model at its start: from a config, or from a pretrained one of the store
grown.py       a pretrained vocabulary with rows that learn beside rows that do not
decoder.py     EventDecoder: a Transformers causal language model over these tokens
trainee.py     what the training loop asks
embeddings.py  histories as vectors: last-token and mean-pooled states, a table for any cut-off

The probability of a token is the softmax over the rows of its own field: the order of fields is fixed, so what may
stand at a place is always known. That holds in training and in decoding, so log-probabilities are exact.
PyTorch and Transformers are imported inside functions or in modules that are imported late.
Stability: experimental.
"""

from mercer.language.events.lines import Lines
from mercer.language.events.options import EventOptions, ShapeOptions, TaskOptions
from mercer.language.events.tokenizer import EventTokenizer

__all__ = ["EventOptions", "EventTokenizer", "Lines", "ShapeOptions", "TaskOptions"]
