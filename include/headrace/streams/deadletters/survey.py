"""How many dead letters there are, by stream and rule, and the newest of them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from headrace.policy import Identity
from headrace.policy.audit import Audit
from headrace.policy.permit import permit
from headrace.settings import Settings
from headrace.streams.deadletters.letter import DeadLetter
from headrace.streams.deadletters.permit import READ
from headrace.streams.deadletters.reading import select
from headrace.streams.deadletters.selection import Selection
from headrace.streams.deadletters.states import OPEN, State, States, states

_CHUNK = 500
Known = tuple[DeadLetter, State | None]


@dataclass
class Survey:
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(stream, rule) -> letters."""
    newest: list[Known] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.counts.total()


def with_states(known: States, letters: Iterable[DeadLetter]) -> Iterator[Known]:
    """The letters with what became of them, asked for many at a time."""
    source = iter(letters)
    while chunk := list(islice(source, _CHUNK)):
        found = known.of(chunk)
        yield from ((letter, found.get(letter.name)) for letter in chunk)


def is_open(state: State | None) -> bool:
    """An interrupted replay leaves its letters open: the next one takes them up."""
    return state is None or not state.settled


def survey(
    settings: Settings, person: Identity, selection: Selection, audit: Audit, *, state: str = OPEN, limit: int = 20
) -> Survey:
    """Counts all that the selection takes in this state ("all": in any) and keeps the newest."""
    permit(person, READ, "list_letters", str(selection), audit)
    found = Survey()

    def counted(pairs: Iterable[Known]) -> Iterator[Known]:
        for letter, became in pairs:
            if state == "all" or (is_open(became) if state == OPEN else became is not None and became.state == state):
                found.counts[letter.stream, letter.rule] += 1
                yield letter, became

    with states(settings) as known:
        pairs = counted(with_states(known, select(settings, selection)))
        found.newest = heapq.nlargest(limit, pairs, key=lambda pair: pair[0].refused_at)
    return found
