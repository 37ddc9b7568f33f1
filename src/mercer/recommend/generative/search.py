"""Beams under the rules of requests: what may not be answered is not decoded at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Interactions, Ragged, Requests
from mercer.language.beams import DecoderSteps, Found, Permitted, Prefixes, beam_search
from mercer.language.events import EventTokenizer
from mercer.language.events.decoder import EventDecoder
from mercer.recommend.generative.options import GenerativeOptions
from mercer.recommend.signals import signals

_LEAST_SHARE = 1e-12
"""Of the probability, what at least is left for items that no beam reached."""


@dataclass(frozen=True)
class Search:
    """A decoder over a catalogue, ready to answer."""

    decoder: EventDecoder
    tokenizer: EventTokenizer
    options: GenerativeOptions

    def found(
        self,
        requests: Requests,
        *,
        width: int,
        k: int,
        within: Ragged | None = None,
        mass: Floats32 | None = None,
    ) -> Found:
        """The k likeliest items of each request among those that its rules permit; k at most `width`.

        requests: hold only what may be used. within: only these items, besides the rules. mass: as in `beam_search`.
        """
        model, prefixes = self.decoder.model, self.tokenizer.prefixes
        steps = DecoderSteps(model, self.tokenizer.item_rows, beside=self.decoder.meaning)
        return beam_search(
            steps,
            self.prompts(requests),
            prefixes,
            width=width,
            k=k,
            permitted=permitted(prefixes, requests, within),
            among_children=self.options.tasks.normalised == "children",
            mass=mass,
        )

    def prompts(self, requests: Requests) -> list[npt.NDArray[np.int32]]:
        """The tokens of each history, and what is known of the event that is asked for."""
        heard = self.heard(requests.history)
        asked = self.tokenizer.asked(heard, requests.time, kind=self.options.answers[0])
        return [asked[row] for row in range(len(asked))]

    def heard(self, history: Interactions) -> Interactions:
        """The events of histories that are read."""
        return signals(history, self.options)[0]


def permitted(prefixes: Prefixes, requests: Requests, within: Ragged | None) -> Permitted:
    """What each request may be answered with: candidates, allow, deny and masked history, as `Requests.eligible`."""
    deny = [requests.deny]
    if not requests.repeats:
        held = requests.masked_history
        deny.append(held.where((held.item >= 0) & (held.item < prefixes.n_items)).item_rows)
    return prefixes.permitted(len(requests), allow=[requests.candidates, requests.allow, within], deny=deny)


def spread(found: Found, n_items: int) -> Floats32:
    """Log-probabilities of the whole catalogue, float32, shape (n, I).

    Items that no beam reached are tied: they share evenly the probability that is left, and lie below the least that
    was reached.
    """
    reached = found.items >= 0
    left = np.maximum(1 - np.exp(found.log_probability.astype(np.float64)).sum(axis=1), _LEAST_SHARE)
    even = np.log(left / np.maximum(1, n_items - reached.sum(axis=1))).astype(np.float32)
    least = np.where(reached, found.log_probability, np.float32(np.inf)).min(
        axis=1, initial=np.float32(np.inf)
    )
    below = np.minimum(even, np.nextafter(least, np.float32(-np.inf)))
    out = np.repeat(below[:, None], n_items, axis=1)
    row, place = np.nonzero(reached)
    out[row, found.items[row, place]] = found.log_probability[row, place]
    return out
