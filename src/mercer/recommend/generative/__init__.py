"""`generative`: a decoder writes the next item token by token, and can write nothing but items that may be shown.

    options.py    what a person may choose
    catalogue.py  from a dataset to semantic IDs, within a limit of time
    lessons.py    what the log teaches: lines of tokens, each event's weight
    parts.py      IDs, tokenizer and decoder as one, saved and loaded whole
    search.py     beams under the rules of requests
    ranker.py     Generative

PyTorch and Transformers train and serve, and are imported inside functions (`pip install 'mercer[decoder]'`).
Stability: experimental.
"""

from mercer.recommend.generative.options import GenerativeOptions
from mercer.recommend.generative.ranker import Generative

__all__ = ["Generative", "GenerativeOptions"]
