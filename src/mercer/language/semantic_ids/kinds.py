"""The codebooks by kind: made from options, stored, and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mercer.errors import BriefError, DamagedError, nearest
from mercer.language.semantic_ids.codebook import Codebook
from mercer.language.semantic_ids.files import Part, read_part, refuse_other, write_part
from mercer.language.semantic_ids.options import IdOptions
from mercer.language.semantic_ids.random_codes import RandomCodes
from mercer.language.semantic_ids.residual_kmeans import ResidualKmeans
from mercer.language.semantic_ids.rqvae import RqVae

PART = "codebook"

KINDS: dict[str, type[ResidualKmeans] | type[RqVae] | type[RandomCodes]] = {
    "residual-kmeans": ResidualKmeans,
    "rqvae": RqVae,
    "random": RandomCodes,
}


def make_codebook(options: IdOptions) -> Codebook:
    """A codebook to be fitted. Raises BriefError naming an option that it does not have or that is out of range."""
    cls = KINDS[options.kind]
    known = cls.Options.model_fields
    for name in options.codebook:
        if name not in known:
            raise BriefError(
                f"The codebook {options.kind} has no option {name!r}.", remedy=nearest(name, known)
            )
    try:
        return cls(cls.Options(**options.codebook))
    except ValidationError as fault:
        [first, *_] = fault.errors()
        raise BriefError(
            f"The option {'.'.join(map(str, first['loc']))} of the codebook {options.kind}: {first['msg']}.",
            remedy="See docs/reference/semantic-ids.md.",
        ) from fault


def save_codebook(folder: Path, codebook: Codebook, *, space: str) -> None:
    """Write codebook.safetensors and codebook.json. space: fingerprint of the vectors it was fitted on."""
    facts: dict[str, Any] = {
        "kind": codebook.kind,
        "options": codebook.options.model_dump(mode="json"),
        "fingerprint": codebook.fingerprint,
        "space": space,
    }
    write_part(folder, PART, codebook.arrays(), facts)


def load_codebook(folder: Path, *, space: str | None = None) -> Codebook:
    """Read what `save_codebook` wrote. Raises DamagedError, or ConflictError where it belongs to other vectors."""
    part = read_part(folder, PART)
    found = _codebook(folder, part)
    if found.fingerprint != part.facts.get("fingerprint"):
        raise DamagedError(
            f"The codebook in {folder.name} is not the one that its JSON describes.", remedy="Make it again."
        )
    refuse_other("vectors", str(part.facts.get("space")), space)
    return found


def _codebook(folder: Path, part: Part) -> Codebook:
    try:
        cls = KINDS[part.facts["kind"]]
        return cls.of(part.arrays, cls.Options(**part.facts["options"]))
    except (KeyError, TypeError, ValueError) as fault:
        raise DamagedError(f"{folder.name} holds no codebook ({fault}).", remedy="Make it again.") from fault
