"""From a JSON schema to the tokens that may come next.

node.py        a state of an automaton over bytes that is built while it is walked
leaves.py      given texts, the inside of a string, a number within bounds
nodes.py       nodes made of others, and the maker of all nodes
schema.py      a subset of JSON Schema as such an automaton: Grammar
vocabulary.py  tokens as bytes, and which of them a state of the automaton lets through
"""

from mercer.language.generating.grammar.schema import Grammar
from mercer.language.generating.grammar.vocabulary import Vocabulary

__all__ = ["Grammar", "Vocabulary"]
