"""Semantic IDs: every item of a catalogue as a short path of tokens that near items share from the left.

    options.py          how IDs are made: VectorOptions, IdOptions
    cooccurrence.py     what is bought near what, from a training log: the collaborative part
    vectors.py          ItemVectors: what an item's text says and what its buyers say, as one vector
    codebook.py         the protocol Codebook, and how one is stored
    kmeans.py           k-means with an even share where wanted
    residual_kmeans.py  ResidualKmeans: k-means of what the levels before left over
    rqvae.py            RqVae: the same inside a small autoencoder, trained on the one loop
    network.py          its network, in PyTorch for training alone
    ids.py              SemanticIds: a path of its own for every item; new items without changing an old path
    catalogue.py        SemanticCatalogue: all of it together, from a dataset to IDs, stored as one folder
    report.py           collisions, balance, reconstruction

Source of the idea: Rajput et al., Recommender Systems with Generative Retrieval (TIGER), NeurIPS 2023.
PyTorch is imported inside `RqVae.fit` alone. Feeds the event tokenizer. Stability: experimental.
"""

from mercer.language.semantic_ids.catalogue import SemanticCatalogue
from mercer.language.semantic_ids.codebook import Codebook
from mercer.language.semantic_ids.ids import SemanticIds, random_ids
from mercer.language.semantic_ids.options import IdOptions, VectorOptions
from mercer.language.semantic_ids.report import CodebookReport, report
from mercer.language.semantic_ids.residual_kmeans import ResidualKmeans
from mercer.language.semantic_ids.rqvae import RqVae
from mercer.language.semantic_ids.vectors import ItemVectors, VectorSpace

__all__ = [
    "Codebook",
    "CodebookReport",
    "IdOptions",
    "ItemVectors",
    "ResidualKmeans",
    "RqVae",
    "SemanticCatalogue",
    "SemanticIds",
    "VectorOptions",
    "VectorSpace",
    "random_ids",
    "report",
]
