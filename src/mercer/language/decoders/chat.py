"""A conversation in a model's own template, as token numbers; what is said in it is data.

The template is rendered by Transformers in its sandbox. Control tokens written inside a message are broken by a
mark before rendering, so that the only ones found afterwards are the template's; the marks are then removed and
the text between two control tokens is encoded as plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mercer.errors import UsageError
from mercer.language.decoders.plain import PlainTokenizer, clean

if TYPE_CHECKING:
    import transformers

ROLES = ("system", "user", "assistant")

DEFAULT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
"""For a model without a template: one line a message, "role: content"; an answer ends the text."""

_MARK = "\ufdd0"
"""A code point that is never a character; taken out of contents first."""


class Chat:
    """Renders and encodes conversations of one tokenizer. end: the control token after an answer."""

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerFast, plain: PlainTokenizer) -> None:
        self._tokenizer = tokenizer
        self._plain = plain
        self._template = tokenizer.chat_template or DEFAULT_TEMPLATE
        self.end = self._find_end()

    def encode(self, messages: Sequence[Mapping[str, str]], *, answer: bool) -> list[int]:
        """See `Decoder.chat`."""
        _check(messages)
        marked = [{"role": said["role"], "content": self._break(said["content"])} for said in messages]
        text = self._render(marked, answer)
        blank = self._render([{"role": said["role"], "content": "x"} for said in messages], answer)
        control = self._plain.control_pattern
        if control.findall(text) != control.findall(blank):
            raise UsageError(
                "The chat template writes other control tokens for these messages than for plain ones.",
                remedy="Use a model whose template only repeats what the messages say.",
            )
        return self._encode(text)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = []
        begin = 0
        for found in self._plain.control_pattern.finditer(text):
            ids += self._between(text[begin : found.start()], begin > 0)
            ids.append(self._plain.control[found.group()])
            begin = found.end()
        return ids + self._between(text[begin:], begin > 0)

    def _between(self, text: str, after_control: bool) -> list[int]:
        text = text.replace(_MARK, "")
        if not text:
            return []
        return self._plain.encode(text, joined=after_control and not self._plain.repeats_space)

    def _break(self, content: str) -> str:
        text = clean(content).replace(_MARK, "\ufffd")
        return self._plain.control_pattern.sub(lambda found: found[0][:1] + _MARK + found[0][1:], text)

    def _render(self, messages: list[dict[str, str]], answer: bool) -> str:
        import jinja2

        try:
            return str(
                self._tokenizer.apply_chat_template(
                    messages, chat_template=self._template, tokenize=False, add_generation_prompt=answer
                )
            )
        except jinja2.TemplateError as refused:
            roles = ", ".join(said["role"] for said in messages)
            raise UsageError(
                f"The model's chat template refuses messages with the roles: {roles}.",
                remedy="Let user and assistant take turns; put a system text into the first user message.",
            ) from refused

    def _find_end(self) -> int:
        said = "an answer"
        turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": said}]
        after = self._render(turns, False).rpartition(said)[2]
        found = self._plain.control_pattern.search(after)
        if found is not None:
            return self._plain.control[found.group()]
        if self._tokenizer.eos_token_id is None:
            raise UsageError(
                "The tokenizer has no token that ends an answer.",
                remedy="Name one as eos_token in its configuration.",
            )
        return int(self._tokenizer.eos_token_id)


def _check(messages: Sequence[Mapping[str, str]]) -> None:
    if not messages:
        raise UsageError("There are no messages.", remedy="Give at least one with role user.")
    for place, said in enumerate(messages):
        if said.get("role") not in ROLES or not isinstance(said.get("content"), str):
            raise UsageError(
                f"Message {place} has no text as content, or a role that is not known.",
                remedy=f"Give role (one of {', '.join(ROLES)}) and content.",
            )
