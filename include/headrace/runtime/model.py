"""What a part is: the one description that the laptop, compose and Kubernetes all start it from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headrace.settings import Settings


@dataclass(frozen=True)
class Command:
    """How a part's own process is started, after `prepare`."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


def nothing(_: Settings) -> None:
    """For parts that need no preparation or no settling."""


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    command: Callable[[Settings], Command]
    healthy: Callable[[Settings], bool]
    needs: tuple[str, ...] = ()
    prepare: Callable[[Settings], None] = nothing
    """Before each start, idempotent: folders, configuration, repair of what a crash left."""
    settle: Callable[[Settings], None] = nothing
    """Once healthy, idempotent: databases, topics, subjects."""
    ports: tuple[str, ...] = ()
    page: str | None = None
    """The path of the page a person opens, when there is one."""
    scheme: str = "http"
    start_seconds: int = 120
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    can_wait: bool = False
    """Whether the live path goes first where there are too few cores."""

    def url(self, settings: Settings) -> str | None:
        if self.page is None:
            return None
        return f"{self.scheme}://{settings.bind}:{getattr(settings.ports, self.ports[0])}{self.page}"
