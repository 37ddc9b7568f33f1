"""Models of the Hugging Face hub, by name. The only place of this room that opens a connection."""

from __future__ import annotations

from pathlib import Path

from mercer.errors import NotFoundError, RemoteError
from mercer.language.decoders import folder_source
from mercer.language.decoders.card import name_from
from mercer.language.decoders.conversion import Source

_WANTED = ("*.safetensors", "*.json", "*.txt", "*.jinja", "README.md")
"""Never a pickle nor code; README.md states the licence."""


def read(repository: str, revision: str | None) -> Source:
    """The model `org/model`, fetched into the hub's own cache, or found there.

    Raises NotFoundError for a repository or revision that does not exist, is private or asks for consent,
    RemoteError when the hub does not answer and the cache does not hold it.
    """
    from huggingface_hub import errors, snapshot_download

    try:
        folder = Path(snapshot_download(repository, revision=revision, allow_patterns=list(_WANTED)))
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as fault:
        what = f"{repository} at {revision}" if revision else repository
        raise NotFoundError(
            f"The hub has no {what}, or it is not open to you.",
            remedy="Check the name; for a closed one accept its terms on the hub and set HF_TOKEN.",
        ) from fault
    except (errors.LocalEntryNotFoundError, errors.HfHubHTTPError, OSError) as fault:
        raise RemoteError(
            f"No folder {repository} is here, and as a name on the hub it is not in the hub's cache, and the hub "
            "can't be reached.",
            remedy="Check the path. Where there is no internet, copy the model's folder here and import the folder.",
        ) from fault
    return folder_source.read(
        folder, name=name_from(repository.split("/")[1]), origin=f"Hugging Face hub: {repository}",
        revision=folder.name,
    )  # fmt: skip
