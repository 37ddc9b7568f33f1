"""Language models: encoders that turn texts into vectors, decoders that score and write texts.

exported.py     where an exported encoder lives, its manifest, and the check that it is whole
bert.py         the encoder's network in plain PyTorch (only the export and the training of a tagger import it)
onnx_export.py  the export: PyTorch weights to ONNX, checked, published atomically
export.py       the command `python -m mercer.language.export`
minilm.py       MiniLm, the encoder over ONNX Runtime
vectors.py      the cache of encoded texts on disk
decoders/       pretrained decoders (GPT-2, LLaMA, Mistral): import, the model store, tokens of texts
scoring/        log-probabilities of continuations, what is shared read once
generating/     text, free or by a JSON schema
prompts/        prompts as versioned files, and what rankers that prompt share
finetuning/     LoRA, full and by preferences, on the one training loop
beams/         constrained decoding: paths of permitted items and nothing else
judging/        a decoder that grades relevance
semantic_ids/   items of a catalogue as short paths of tokens
remote/         any OpenAI-compatible server, within a permission and a budget

Feeds `search`, `recommend` and `reporting`. Connects to nothing by itself: weights come from an installed package or a
file, or from a hub where a person names one at import; `remote` asks the server that a brief allows.
"""

from mercer.language.exported import ExportedEncoder
from mercer.language.minilm import MiniLm
from mercer.language.onnx_export import export_minilm
from mercer.language.vectors import EmbeddingCache

__all__ = ["EmbeddingCache", "ExportedEncoder", "MiniLm", "export_minilm"]
