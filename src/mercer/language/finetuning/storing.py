"""A model that came of a fine-tuning goes into the model store, with a card that names its parent."""

from __future__ import annotations

from pathlib import Path

from mercer.language.decoders.card import checked_name, pairs_hash
from mercer.language.decoders.conversion import Loaded, Source, card_of, write
from mercer.language.decoders.decoder import Decoder
from mercer.language.decoders.store import ModelStore, StoredModel
from mercer.language.finetuning.adapters import merged


def store_model(
    decoder: Decoder, name: str, *, parent: StoredModel, store: ModelStore | None = None
) -> StoredModel:
    """Put a fine-tuned decoder into the store under a name.

    parent: the model that it was made from; its licence and notes bind the new one too. Raises UsageError for a name
    that can't be, OutputError where the store can't be written.
    """
    said = f"Fine-tuned from {parent.folder.name}; what its examples allow is for their owner to say."
    loaded = Loaded(model=decoder.model, tokenizer=decoder.tokenizer, notes=(said, *parent.card.notes))
    source = Source(
        name=checked_name(name),
        origin=f"fine-tuned from {parent.folder.name}",
        revision="",
        licence=parent.card.licence,
        files=(),
        load=lambda: loaded,
    )
    store = store or ModelStore()
    with store.work() as work:
        write(loaded, work)
        identity = pairs_hash({"parent": parent.card.hash, "model": decoder.fingerprint})
        return store.publish(work, card_of(work, source, loaded, name=source.name, source_hash=identity))


def store_merged(
    parent: StoredModel, adapter: Path, name: str, *, store: ModelStore | None = None
) -> StoredModel:
    """Merge an adapter into its model and put the result into the store. Raises what `merged` raises, too."""
    return store_model(merged(parent, adapter), name, parent=parent, store=store)
