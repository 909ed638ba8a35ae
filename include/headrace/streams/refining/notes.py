"""What other records tell of an accepted one: that it contradicts the first of its identity, and what it names in vain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from headrace.contracts.model import Contract
from headrace.streams.refining.firsts import Firsts, Version
from headrace.streams.refining.known import Known, Named, unresolved

ASKED = ("arrived_at", "topic", "partition", "offset", "stream", "memory", "identity", "says", "entity_key", "named")
"""What is asked of a record."""
Record = Mapping[str, Any]
Place = tuple[str, int, int]


class Note(NamedTuple):
    topic: str
    partition: int
    offset: int
    conflict: str | None
    unresolved: list[str]


class Notes:
    def __init__(self, contracts: Mapping[str, Contract], firsts: Firsts, known: Known) -> None:
        self._references = {name: contract.references for name, contract in contracts.items()}
        self._firsts, self._known = firsts, known

    def of(self, accepted: Iterable[Record]) -> list[Note]:
        """Only records of which there is something to tell."""
        # In the order in which the lake decides which of two events is the first.
        ordered = sorted(accepted, key=lambda record: (record["arrived_at"], *_place(record)))
        compared = (Version(r["memory"], r["identity"], r["says"], *_place(r)) for r in ordered if r["memory"])
        conflicts = {_place_of(found.other): found.reason for found in self._firsts.conflicts(compared)}
        self._known.note((r["stream"], r["entity_key"]) for r in ordered if r["entity_key"] is not None)
        missing = self._known.missing(named for record in ordered for named in self._named(record))
        notes = (self._note(record, conflicts, missing) for record in ordered)
        return [note for note in notes if note.conflict or note.unresolved]

    def _note(self, record: Record, conflicts: Mapping[Place, str], missing: set[Named]) -> Note:
        place, references = _place(record), self._references[record["stream"]]
        return Note(*place, conflicts.get(place), unresolved(references, record["named"], missing))

    def _named(self, record: Record) -> Iterable[Named]:
        named = zip(self._references[record["stream"]].values(), record["named"], strict=True)
        return ((entity, key) for entity, key in named if key is not None)


def _place(record: Record) -> Place:
    return record["topic"], record["partition"], record["offset"]


def _place_of(version: Version) -> Place:
    return version.topic, version.partition, version.offset
