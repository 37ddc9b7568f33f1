"""Pretrained decoders: the model in memory, and the border between text and tokens.

decoder.py  Decoder: weights, tokenizer, window, fingerprint; text to tokens and back
plain.py    the tokenizer without control tokens, for text as data
chat.py     conversations in a model's template, contents escaped
"""

from mercer.language.decoders.decoder import Decoder

__all__ = ["Decoder"]
