"""What the state of a stream's live count is made of: when any of it changes, the stream is counted anew.

The job asks when it starts; the command line asks before, so that a person knows what a restart will do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams import generation, published
from headrace.streams.generation import Decision
from headrace.streams.spec import LiveSpec

LAYOUT = 2
"""Raised when the query keeps its state otherwise: other operators, other columns, another store."""

_WORDS = {
    "specs": "its windows add up something else",
    "contract": "its contract says otherwise what an event is",
    "late": "lateness_minutes changed",
    "kept": "live_state_minutes changed",
    "shuffle": "live_partitions changed",
    "layout": "this version of Headrace keeps its state otherwise",
}


@dataclass(frozen=True)
class Foretold:
    """What the next start of the live job does with the count of a stream."""

    stream: str
    keeps: bool
    sentence: str


def folder(settings: Settings) -> Path:
    return settings.checkpoints / "live"


def made_of(specs: Iterable[LiveSpec], contract: Contract, settings: Settings) -> dict[str, Any]:
    return {
        "specs": [spec.to_json() for spec in specs],
        "contract": published.shape(contract),
        "late": settings.lateness_minutes,
        "kept": settings.live_state_minutes,
        "shuffle": settings.live_partitions,
        "layout": LAYOUT,
    }


def foretold(settings: Settings, streams: Iterable[published.Counted]) -> list[Foretold]:
    """For each stream that is or was counted; reads only."""
    before, found = generation.counted(folder(settings)), []
    for contract, specs in streams:
        decision = generation.decide(folder(settings) / contract.name, made_of(specs, contract, settings))
        found.append(Foretold(contract.name, decision.state == "keeps", _sentence(decision)))
    known = {one.stream for one in found}
    gone = "is counted no more: its figures stay as long as their windows are kept."
    return found + [Foretold(name, False, gone) for name in before if name not in known]


def _sentence(decision: Decision) -> str:
    if decision.state == "keeps":
        return "keeps its state and goes on."
    if decision.state == "first":
        return "is counted for the first time, from the earliest record of its topic."
    why = "its checkpoint is lost" if decision.state == "lost" else ", ".join(_WORDS[name] for name in decision.changed)
    because = f", because {why}" if why else ""
    return f"is counted anew from its topic{because}; the old figures stay until the new count has reached the present."
