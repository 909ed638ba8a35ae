"""What the routes reach through: made once when the process starts, and without waiting for any server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from app.api.health import Checks
from headrace.assistant.livepart import Rates, Windows
from headrace.assistant.pipeline import Assistant
from headrace.assistant.reconciled import Reconciled
from headrace.assistant.run import Runner
from headrace.assistant.vocabulary import Vocabulary
from headrace.contracts.model import Contract
from headrace.keys.features import Features
from headrace.keys.records import Records
from headrace.lineage.events import Event
from headrace.lineage.graph import Graph
from headrace.policy.audit import Audit
from headrace.quality.figures import Figure
from headrace.settings import Settings


class Closeable(Protocol):
    def close(self) -> None: ...


class Lineage(Protocol):
    """Where lineage is kept."""

    def keep(self, events: Iterable[Event]) -> int: ...

    def graph(self) -> Graph: ...


@dataclass(frozen=True)
class Parts:
    settings: Settings
    assistant: Assistant
    vocabulary: Callable[[], Vocabulary]
    windows: Windows
    rates: Callable[[], Rates]
    coverage: Callable[[], datetime | None]
    audit: Audit
    checks: Checks
    runner: Runner
    """Figures of any plan, live and historical joined."""
    records: Records
    features: Features
    contracts: Callable[[], Mapping[str, Contract]]
    pseudonym_key: Callable[[], str]
    second: Windows | None = None
    """Answers for live windows when the live store cannot, where a setting asks for it."""
    kept_metric: Callable[[str, int, str | None], dict[str, Any] | None] = lambda *_: None
    """The latest value of a metric over so many minutes, and by what, as the live store keeps it."""
    anomalies: Callable[[], list[dict[str, Any]]] = list
    """Open and recent incidents, as the live store holds them."""
    session: Callable[[str], dict[str, Any] | None] = lambda _: None
    """A session that may still change, by its id."""
    closed_session: Callable[[str], dict[str, Any] | None] = lambda _: None
    """A session by its id, as the lake has it."""
    activity: Callable[[str], list[dict[str, Any]]] = lambda _: []
    """A person's sessions of the last hour."""
    quality: Callable[[date, date], list[Figure]] = lambda _first, _last: []
    """Figures of quality, newest day first."""
    reconciled: Callable[[], list[Reconciled]] = list
    """Each metric from live windows and from the lake, as they were compared last."""
    lineage: Lineage | None = None
    closing: tuple[Closeable, ...] = ()
