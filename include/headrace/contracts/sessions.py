"""What a contract says of sessions: whose they are, which pause ends one, and by what its events are told apart.

The custom property `sessions` of a stream: `{by: user_id, gap_seconds: 30, count: event_type}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

_REQUIRED, _KEYS = {"by", "gap_seconds"}, {"by", "gap_seconds", "count"}


@dataclass(frozen=True)
class Sessions:
    by: str
    gap_seconds: int
    count: str | None = None
    """A field with listed values: a session says how many events it has of each."""

    @property
    def gap(self) -> timedelta:
        return timedelta(seconds=self.gap_seconds)


def sessions_of(raw: Mapping[str, Any] | None) -> Sessions | None:
    """ValueError where the property says something else than this module knows."""
    if raw is None:
        return None
    if not isinstance(raw, Mapping) or set(raw) - _KEYS or not set(raw) >= _REQUIRED:
        raise ValueError("sessions is such as {by: user_id, gap_seconds: 30, count: event_type}; count may be left out")
    gap = raw["gap_seconds"]
    if not isinstance(gap, int) or isinstance(gap, bool) or gap < 1:
        raise ValueError(f"sessions: gap_seconds is {gap!r}, not a whole number of seconds from 1")
    return Sessions(str(raw["by"]), gap, raw.get("count"))
