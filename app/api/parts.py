"""What the routes reach through: made once when the process starts, and without waiting for any server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.api.health import Checks
from headrace.assistant.livepart import Rates, Windows
from headrace.assistant.pipeline import Assistant
from headrace.assistant.vocabulary import Vocabulary
from headrace.policy.audit import Audit
from headrace.settings import Settings


class Closeable(Protocol):
    def close(self) -> None: ...


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
    anomalies: Callable[[], list[dict[str, Any]]] = list
    """Open and recent incidents, as the live store holds them."""
    session: Callable[[str], dict[str, Any] | None] = lambda _: None
    """A session that may still change, by its id."""
    activity: Callable[[str], list[dict[str, Any]]] = lambda _: []
    """A person's sessions of the last hour."""
    closing: tuple[Closeable, ...] = ()
