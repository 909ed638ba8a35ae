"""One letter in full, for a person: what it is, what became of it, and what its contract says about it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.contracts.explain import Fault
from headrace.policy import Identity
from headrace.policy.audit import Audit, Entry
from headrace.policy.permit import permit
from headrace.settings import Settings
from headrace.streams.deadletters.letter import DeadLetter
from headrace.streams.deadletters.mending import CannotMend, codec_of, faults
from headrace.streams.deadletters.permit import READ, sees_persons
from headrace.streams.deadletters.reading import one
from headrace.streams.deadletters.states import State, states


@dataclass(frozen=True)
class Inspected:
    letter: DeadLetter
    state: State | None
    faults: Sequence[Fault] | None
    """By the rules of the REST door as they are now; they quote the bytes, so None where those are not for this person,
    and where no contract has the topic."""
    in_full: bool
    """Whether this person may see the bytes, which may name people."""


def inspect(settings: Settings, person: Identity, name: str, audit: Audit) -> Inspected:
    permit(person, READ, "show_letter", name, audit)
    letter = one(settings, name)
    with states(settings) as known:
        state = known.of([letter]).get(name)
    in_full = sees_persons(person)
    audit.write(Entry(person.user, "show_letter", name, True, {"in_full": in_full}))
    return Inspected(letter, state, _faults(settings, letter) if in_full else None, in_full)


def _faults(settings: Settings, letter: DeadLetter) -> Sequence[Fault] | None:
    try:
        return faults(codec_of(settings, letter), letter.value)
    except CannotMend:
        return None
