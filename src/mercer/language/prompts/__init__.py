"""Prompts as models: versioned files, values as data, candidates on the leaderboard like any other.

templates.py   {name} in a text, and nothing more
values.py      values as one line of visible text
prompt.py      what a prompt file holds, and its hash
library.py     prompts that come with mercer, by name; a shop's own, by path
library/       the files
rendering.py   a prompt and its values as messages
examples.py    few-shot examples from training data alone
models.py      the language model of the store, and its twin with random weights
scoring.py     what a prompt says of candidates
joining.py     its word and the base ranker's order, joined
options.py     what can be chosen
base.py        the ranker whose first items are put in a new order
reordering.py  base and prompt together
spread.py      how much wordings, and orders of a list, move a metric
"""

from mercer.language.prompts.examples import Examples
from mercer.language.prompts.library import load_prompt, prompt_names, read_prompt, write_prompt
from mercer.language.prompts.options import PromptOptions
from mercer.language.prompts.prompt import Prompt
from mercer.language.prompts.rendering import Renderer
from mercer.language.prompts.reordering import Reordering
from mercer.language.prompts.scoring import PromptScorer

__all__ = [
    "Examples",
    "Prompt",
    "PromptOptions",
    "PromptScorer",
    "Renderer",
    "Reordering",
    "load_prompt",
    "prompt_names",
    "read_prompt",
    "write_prompt",
]
