"""Text encoders: texts to unit vectors, without PyTorch once the weights are exported.

exported.py     where an exported encoder lives, its manifest, and the check that it is whole
bert.py         the network in plain PyTorch, pooling and normalisation inside (only the export imports it)
onnx_export.py  the export: PyTorch weights to ONNX, checked, published atomically
export.py       the command `python -m mercer.language.export`
minilm.py       MiniLm, the encoder over ONNX Runtime
vectors.py      the cache of encoded texts on disk

Feeds `search`. Refuses to fetch anything: weights come from an installed package.
"""

from mercer.language.exported import ExportedEncoder
from mercer.language.minilm import MiniLm
from mercer.language.onnx_export import export_minilm
from mercer.language.vectors import EmbeddingCache

__all__ = ["EmbeddingCache", "ExportedEncoder", "MiniLm", "export_minilm"]
