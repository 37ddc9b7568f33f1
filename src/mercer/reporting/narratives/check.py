"""The machine check: does every claim of a sentence follow from the facts that it cites? In doubt it does not.

A sentence is read into names of facts, numbers and words (`reading`). It passes when every name is of a cited fact,
every number follows from the fact beside which it stands, every other word is in the `lexicon`, every cue word, every
direction and every comparison has its fact, and every cited fact is said. So what the check doesn't know it refuses.

Limits. It knows English alone, and the words of the lexicon. It reads words and places, not grammar: a false sentence
made only of true names, their own numbers and permitted words in an unforeseen order can pass. It takes the facts as
true, and a name that is itself an instruction or a lie is a name to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mercer.reporting.narratives.binding import (
    comparison_faults,
    direction_faults,
    moved_reasons,
    number_faults,
    numbered,
)
from mercer.reporting.narratives.fact import Fact, by_id
from mercer.reporting.narratives.lexicon import (
    ADVICE,
    BOUGHT,
    CARRIERS,
    CUES,
    DIRECTIONS,
    FRAME,
    LESS_THAN,
    NAMED,
    NEGATIONS,
    OVER,
    PROTECTED,
    SCALE,
    SHOWN,
    THAN,
    UNDER,
    stem,
)
from mercer.reporting.narratives.narrative import Check, Fault, Sentence
from mercer.reporting.narratives.reading import Token, normal, read
from mercer.reporting.narratives.relations import relation_faults

LONGEST = 600
"""Characters of a sentence; longer ones are refused unread."""

_MARKS = frozenset(",.;:()\"'")
_KNOWN = frozenset({"ago", stem("days")}).union(
    FRAME, BOUGHT, SHOWN, CARRIERS, SCALE, OVER, UNDER, THAN, LESS_THAN, CUES, DIRECTIONS, *NAMED.values()
)


def check(sentences: Sequence[Sentence], facts: Sequence[Fact]) -> tuple[Fault, ...]:
    """Every fault of a narrative, those of single sentences first; empty when it passes."""
    faults = [
        fault for place, one in enumerate(sentences, 1) for fault in check_sentence(one, facts, place=place)
    ]
    left = [
        fact for fact in facts if fact.required and not any(_tells(one, fact, facts) for one in sentences)
    ]
    return (*faults, *(Fault(check="incomplete", fact=fact.id) for fact in left))


def _tells(sentence: Sentence, fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether the sentence cites the fact and says all of it: of a reason its value and its direction too."""
    if fact.id not in sentence.facts:
        return False
    if fact.kind != "reason":
        return True
    tokens = read(sentence.text, facts)
    cited = [one for one in facts if one.id in sentence.facts]
    moved = not fact.direction or fact.id in moved_reasons(tokens, cited)
    return moved and (not isinstance(fact.value, float) or fact.id in numbered(tokens, cited))


def check_sentence(sentence: Sentence, facts: Sequence[Fact], *, place: int = 1) -> tuple[Fault, ...]:
    """Faults of one sentence held against the facts that it cites; `facts` are all that the narrative may use."""
    known = by_id(facts)
    if not sentence.text.strip() or len(sentence.text) > LONGEST or not normal(sentence.text).isprintable():
        return (Fault(check="form", sentence=place),)
    if not sentence.facts or not set(sentence.facts) <= set(known):
        return (Fault(check="citation", sentence=place),)
    cited = [fact for fact in facts if fact.id in sentence.facts]
    tokens = read(sentence.text, facts)
    found: list[tuple[Check, str]] = [*_word_faults(tokens), *_name_faults(tokens, cited)]
    numbers, said = number_faults(tokens, cited)
    found += [*numbers, *direction_faults(tokens, cited, facts), *comparison_faults(tokens, cited)]
    found += relation_faults(tokens, cited, facts)
    found += [("citation", fact.id) for fact in cited if fact.id not in said]
    return tuple(Fault(check=name, sentence=place, fact=fact) for name, fact in dict.fromkeys(found))


def _word_faults(tokens: Sequence[Token]) -> Iterator[tuple[Check, str]]:
    for place, token in enumerate(tokens):
        low = token.text.lower()
        if token.form == "mark" and token.text not in _MARKS:
            yield "word", ""
        elif token.form == "word":
            if low in NEGATIONS or low.endswith("n't"):
                yield "negation", ""
            elif low in ADVICE:
                yield "advice", ""
            elif low in PROTECTED:
                yield "protected", ""
            elif token.stem not in _KNOWN or (
                token.stem == stem("days") and not _after_number(tokens, place)
            ):
                yield "word", ""


def _after_number(tokens: Sequence[Token], place: int) -> bool:
    return place > 0 and tokens[place - 1].form == "number"


def _name_faults(tokens: Sequence[Token], cited: Sequence[Fact]) -> Iterator[tuple[Check, str]]:
    ids = {fact.id for fact in cited}
    for token in tokens:
        if token.form == "name" and not ids & set(token.facts):
            yield "citation", token.facts[0]
