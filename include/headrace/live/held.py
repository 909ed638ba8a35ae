"""What the live store holds for sure: whether the projector has filled it, and from when on nothing of it was freed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.live.layout import RUN
from headrace.settings import Settings
from headrace.streams.spec import LiveSpec


def filled(client: Any) -> bool:
    """False too when the server restarted and the projector has not seen it yet."""
    return bool(client.get(RUN) == client.info("server")["run_id"])


def kept(settings: Settings, spec: LiveSpec) -> timedelta:
    """How long windows stay at least. Those by person are many and small: they go sooner."""
    return timedelta(minutes=settings.live_kept_person_minutes if spec.person else settings.live_kept_minutes)


def whole_from(settings: Settings, spec: LiveSpec, since: datetime | None, now: datetime) -> datetime:
    """Windows that begin from here on are all there; `since` is the oldest one that the store has."""
    young = first_open(now - kept(settings, spec), spec) + timedelta(seconds=spec.window_seconds)
    return min(since, young) if since else young


def first_open(moment: datetime, spec: LiveSpec) -> datetime:
    """The start of the first window that is not over at this moment."""
    return datetime.fromtimestamp(moment.timestamp() // spec.window_seconds * spec.window_seconds, UTC)
