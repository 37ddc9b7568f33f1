"""A tiny LLaMA that has learned one answer to three chats, and babbles at others: what the test servers run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mercer.language.remote.structured import Schema
from mercer.testing.decoders import tiny_decoder

ANSWER = '{"intent": "buy", "count": 3}'
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "intent": {"enum": ["buy", "look"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["intent", "count"],
    "additionalProperties": False,
}
_SHOES = {"role": "user", "content": "running shoes"}
_MUG = {"role": "user", "content": "a mug, please"}
_ASKED = {"role": "system", "content": Schema(SCHEMA).instruction()}
CHATS = ([_SHOES], [_MUG], [_ASKED, _SHOES], [_ASKED, _MUG])


def make_model(folder: Path) -> None:
    """Save a decoder that answers CHATS with ANSWER, asked for JSON or not."""
    import torch

    decoder = tiny_decoder("llama", window=1024, folder=folder)
    answer = [*decoder.encode(ANSWER), decoder.end]
    optimizer = torch.optim.AdamW(decoder.model.parameters(), lr=1e-2)
    for step in range(60):
        prompt = decoder.chat(CHATS[step % len(CHATS)])
        ids = torch.tensor([[*prompt, *answer]])
        labels = ids.clone()
        labels[:, : len(prompt)] = -100
        decoder.model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    decoder.model.generation_config.eos_token_id = decoder.end
    decoder.save(folder)
