"""Decoder: a pretrained causal language model with its tokenizer, read from a folder of safetensors.

GPT-2, LLaMA and Mistral through Transformers' own classes with PyTorch's scaled dot-product attention. Owns the
border between text and tokens: text is data, and no text becomes a control token. Refuses pickled weights, code
inside a model's folder, other families, and an adapter that was trained on another base or tokenizer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from mercer.errors import UnsupportedError, UsageError
from mercer.language.decoders.card import TOKENIZER, file_sha256
from mercer.language.decoders.chat import Chat
from mercer.language.decoders.loading import (
    ADAPTER_CARD,
    Precision,
    Stored,
    check_adapter,
    check_folder,
    folder_hash,
    libraries,
    resolve_precision,
    with_adapter,
    without_bars,
)
from mercer.language.decoders.plain import PlainTokenizer

if TYPE_CHECKING:
    import transformers

__all__ = ["ADAPTER_CARD", "Decoder", "Precision", "Stored"]


class Decoder:
    """A causal language model that is ready to answer.

    model: in evaluation mode, on its device. tokenizer: Transformers' fast one; prefer `encode`, which treats
    control tokens in text as text. family: gpt2, llama or mistral. window: tokens of prompt and answer together.
    precision: fp32 or bf16, as resolved. fingerprint: equal for equal weights, adapter and precision.
    base: hash of the model without its adapter. tokenizer_hash: SHA-256 of the base's tokenizer.json.

    Stability: caller stable.
    """

    def __init__(
        self,
        model: transformers.PreTrainedModel,
        tokenizer: transformers.PreTrainedTokenizerFast,
        *,
        base: str,
        tokenizer_hash: str,
        adapter: str = "",
        precision: Literal["fp32", "bf16"] = "fp32",
    ) -> None:
        ready: Any = model
        self.model: transformers.PreTrainedModel = ready.eval()
        self.tokenizer = tokenizer
        self.base = base
        self.tokenizer_hash = tokenizer_hash
        self.precision = precision
        self.family: str = model.config.model_type
        self.window: int = int(model.config.max_position_embeddings)
        self._adapter = adapter
        ends = getattr(model.generation_config, "eos_token_id", None)
        named = "\n".join(("decoder 1", base, adapter, precision, str(ends)))
        self.fingerprint: str = hashlib.sha256(named.encode()).hexdigest()

    @classmethod
    def load(
        cls,
        source: Path | Stored,
        *,
        adapter: Path | None = None,
        precision: Precision = "auto",
        device: str = "cpu",
    ) -> Self:
        """Read a model.

        source: a folder in Hugging Face format, or a model of the store. adapter: a folder that peft wrote, with
        `mercer_adapter.json`; it may bring a tokenizer with more tokens. precision: auto is bf16 where the device
        computes in it and fp32 elsewhere. device: as PyTorch names it.
        Raises NotFoundError without a model in the folder, UnsupportedError for another family, for weights that
        are not safetensors and for the adapter of another model, MissingExtraError without the libraries.
        """
        folder = source if isinstance(source, Path) else source.folder
        check_folder(folder)
        torch, transformers = libraries()
        base = folder_hash(folder) if isinstance(source, Path) else source.card.hash
        tokenizer_hash = file_sha256(folder / TOKENIZER)
        resolved = resolve_precision(precision, device)
        with without_bars(transformers):
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=torch.bfloat16 if resolved == "bf16" else torch.float32,
                attn_implementation="sdpa",
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        words = folder
        adapter_hash = ""
        if adapter is not None:
            adapter_hash = check_adapter(adapter, base, tokenizer_hash)
            words = adapter if (adapter / TOKENIZER).exists() else folder
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(words, local_files_only=True)
        if adapter is not None:
            model = with_adapter(model, adapter, len(tokenizer))
        return cls(
            model.to(device),
            tokenizer,
            base=base,
            tokenizer_hash=tokenizer_hash,
            adapter=adapter_hash,
            precision=resolved,
        )

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer and chat template in Hugging Face format; the folder is made where absent.

        Raises UnsupportedError for a decoder with an adapter, whose files lie in its own folder.
        """
        if self._adapter:
            raise UnsupportedError(
                "A decoder with an adapter has no folder of its own.",
                remedy="Merge the adapter into the model.",
            )
        _, transformers = libraries()
        folder.mkdir(parents=True, exist_ok=True)
        with without_bars(transformers):
            self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    @cached_property
    def plain(self) -> PlainTokenizer:
        """The tokenizer as text sees it: without control tokens."""
        return PlainTokenizer(self.tokenizer)

    @cached_property
    def _chat(self) -> Chat:
        return Chat(self.tokenizer, self.plain)

    @property
    def start(self) -> list[int]:
        """What the model expects before any text: its first token, or nothing."""
        return self.plain.start

    @property
    def end(self) -> int:
        """The control token after an answer, as the chat template writes it (else the end of the text)."""
        return self._chat.end

    @cached_property
    def stops(self) -> frozenset[int]:
        """Tokens that end an answer."""
        told = getattr(self.model.generation_config, "eos_token_id", None)
        several = told if isinstance(told, list) else [told]
        every = [*several, self.tokenizer.eos_token_id, self.end]
        return frozenset(int(token) for token in every if token is not None)

    def encode(self, text: str, *, joined: bool = False) -> list[int]:
        """Token numbers of a text, without the first token.

        Control tokens written in the text stay text; lone surrogates become "?". joined: the text goes on where
        another ended, so that no space is put before it (LLaMA and Mistral put one before a first word).
        """
        return self.plain.encode(text, joined=joined)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token numbers; control tokens are left out, bytes that are no UTF-8 become U+FFFD."""
        return str(
            self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def cut(self, text: str, tokens: int) -> str:
        """The beginning of a text that takes at most so many tokens, whole characters only."""
        return self.plain.cut(text, tokens)

    def chat(self, messages: Sequence[Mapping[str, str]], *, answer: bool = True) -> list[int]:
        """Token numbers of a conversation in the model's own template; contents are data and stay text.

        messages: each with role (system, user or assistant) and content. answer: end where the assistant
        begins to speak. A model without a template gets `chat.DEFAULT_TEMPLATE`.
        Raises UsageError for no messages, another role, or an order of roles that the template refuses.
        """
        return self._chat.encode(messages, answer=answer)

    def check_window(self, tokens: int, answer: int = 0) -> None:
        """Raises UsageError where a prompt and its answer do not fit into the window."""
        if tokens + answer > self.window:
            raise UsageError(
                f"The prompt has {tokens:,} tokens and {answer:,} more are asked for, but the model's window "
                f"has {self.window:,}.",
                remedy="Shorten the longest text of the prompt (Decoder.cut), or ask for fewer tokens.",
            )
