"""Constrained decoding: beams that can reach a permitted item and nothing else.

    prefixes.py   Prefixes: the catalogue as a tree of token paths, in flat arrays
    permitted.py  Permitted: what each request may be answered with, and which nodes still lead there
    masses.py     Masses: what is known of items beforehand, a term of every step
    steps.py      StepModel: what the search asks of a model
    decoder.py    DecoderSteps: GPT-2, LLaMA and Mistral of Transformers, the prompt read once for all beams
    states.py     keys and values of prompts and of beams side by side, and the mask between them
    growing.py    Beams: children of beams, and the best of them
    search.py     beam_search: batches of requests, exact log-probabilities

    prefixes = Prefixes.of(ids.codes, ids.sizes)
    steps = DecoderSteps(model, rows=((8, 264), (264, 520), (520, 776), (776, 780)))
    rules = prefixes.permitted(len(prompts), available=in_stock, allow=[requests.allow], deny=[requests.deny])
    found = beam_search(steps, prompts, prefixes, width=20, k=10, permitted=rules)

Feeds `recommend`. It knows nothing of events, histories or semantic IDs: a path is T numbers of an item.
Stability: experimental.
"""

from mercer.language.beams.decoder import DecoderSteps
from mercer.language.beams.permitted import Permitted
from mercer.language.beams.prefixes import Prefixes
from mercer.language.beams.search import Found, beam_search
from mercer.language.beams.steps import StepModel

__all__ = ["DecoderSteps", "Found", "Permitted", "Prefixes", "StepModel", "beam_search"]
