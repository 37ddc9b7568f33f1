"""From a JSON schema to the tokens that may come next.

nodes.py       an automaton over bytes that is built while it is walked
schema.py      a subset of JSON Schema as such an automaton: Grammar
vocabulary.py  tokens as bytes, and which of them a state of the automaton lets through
"""

from mercer.language.generating.grammar.schema import Grammar
from mercer.language.generating.grammar.vocabulary import Vocabulary

__all__ = ["Grammar", "Vocabulary"]
