"""Text written by a decoder, free or bound by a JSON schema.

generator.py    LocalGenerator: conversations answered; greedy or drawn, one or many
constrained.py  ConstrainedDecoder: the engine that writes by a grammar, for callers without conversations
choice.py       one token chosen among scores
grammar/        from a JSON schema to the tokens that may come next
"""

from mercer.language.generating.constrained import Answer, ConstrainedDecoder, Prefix
from mercer.language.generating.generator import LocalGenerator
from mercer.language.generating.grammar import Grammar

__all__ = ["Answer", "ConstrainedDecoder", "Grammar", "LocalGenerator", "Prefix"]
