"""Pretrained decoders: the store of imported models, the model in memory, and the border between text and tokens.

card.py           what is known of an imported model, and its hash
store.py          ModelStore: one folder a model, written once, checked on reading
importing.py      import_model: the one door for foreign weights
folder_source.py  sources: folders in Hugging Face format
hub.py            sources: names on the hub, the only part that opens a connection
gguf_file.py      sources: GGUF files, dequantised
conversion.py     from a loaded model to the files of the store
decoder.py        Decoder: weights, tokenizer, window, fingerprint; text to tokens and back
loading.py        what is looked at before weights are read: the folder, the adapter, the processor
states.py         what a decoder has read, kept to go on from
plain.py          the tokenizer without control tokens, for text as data
chat.py           conversations in a model's template, contents escaped
"""

from mercer.language.decoders.card import Card
from mercer.language.decoders.decoder import Decoder
from mercer.language.decoders.importing import import_model
from mercer.language.decoders.store import ModelStore, StoredModel, hash_of_named

__all__ = ["Card", "Decoder", "ModelStore", "StoredModel", "hash_of_named", "import_model"]
