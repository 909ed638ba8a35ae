"""Says, before a job is started or takes something up, what becomes of its state and of its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.contracts.model import Contract, load_contracts
from headrace.contracts.sessions import Sessions
from headrace.live import counting
from headrace.semantics import live_specs
from headrace.settings import Settings
from headrace.streams import generation, published
from headrace.streams.landing.resume import held_topics


@dataclass(frozen=True)
class Told:
    job: str
    streams: tuple[str, ...]
    keeps: bool
    sentence: str

    def __str__(self) -> str:
        return f"{self.job} \u00b7 {', '.join(self.streams)}: {self.sentence}"


def restarted(settings: Settings, job: str) -> list[Told]:
    """What runs is published already; a job that never ran has nothing to lose."""
    if job == "lake":
        return _lake(settings, published.read(settings))
    if not _ran(settings) or not published.live_specs_path(settings).is_file():
        return []
    return _live(settings, published.live_streams(settings))


def brought_up(settings: Settings) -> list[Told]:
    """What `up` is about to publish from the repository, and the jobs then take up."""
    if not _ran(settings):
        return []
    contracts = load_contracts(settings.contracts)
    found = live_specs.declared(settings)
    return _all(settings, contracts, found)


def applied(settings: Settings, contracts: Mapping[str, Contract], found: live_specs.Declared) -> list[Told]:
    """What `stream apply` is about to publish."""
    return _all(settings, contracts, found)


def _all(settings: Settings, contracts: Mapping[str, Contract], found: live_specs.Declared) -> list[Told]:
    live = _live(settings, published.counted(contracts, found.specs))
    return [*live, *_lake(settings, contracts), *_sessions(settings, contracts)]


def _ran(settings: Settings) -> bool:
    return bool(generation.counted(counting.folder(settings)))


def _live(settings: Settings, streams: list[published.Counted]) -> list[Told]:
    """Streams of which the same is to be said, together."""
    found: dict[tuple[bool, str], list[str]] = {}
    for one in counting.foretold(settings, streams):
        found.setdefault((one.keeps, one.sentence), []).append(one.stream)
    return [Told("live", tuple(names), keeps, sentence) for (keeps, sentence), names in found.items()]


def _lake(settings: Settings, contracts: Mapping[str, Contract]) -> list[Told]:
    """Its state is where it is in each topic, so no change of a contract takes it away."""
    held = held_topics(settings.checkpoints / "lake" / "land")
    if not held:
        return []
    known = tuple(name for name, contract in contracts.items() if contract.topic in held)
    new = tuple(name for name in contracts if name not in known)
    told = [Told("lake", known, True, "goes on where it was.")]
    return told + ([Told("lake", new, True, "begins at the earliest record of its topic.")] if new else [])


def _sessions(settings: Settings, contracts: Mapping[str, Contract]) -> list[Told]:
    """No job, but they too begin anew when what they are made of changes: the rule of each stream's sessions."""
    if not published.path(settings).is_file():
        return []
    rules = {name: contract.sessions for name, contract in published.read(settings).items()}
    told = []
    for name in sorted(rules.keys() | contracts.keys()):
        before, now = rules.get(name), contracts[name].sessions if name in contracts else None
        if before or now:
            told.append(Told("sessions", (name,), before == now, _of_rules(before, now)))
    return told


def _of_rules(before: Sessions | None, now: Sessions | None) -> str:
    if before == now:
        return "open ones go on."
    if now is None:
        return "none are found any more; open ones are never closed."
    if before is None:
        return "they are found from the earliest record of its topic."
    return "open ones are found anew in its topic, because their rule changed; closed ones stay as they were told."
