"""Up to which broker time everything is in raw: what the lake may rely on when it builds."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

# The broker stamps a record a moment before it shows it.
MARGIN = timedelta(seconds=1)


def moment(text: str) -> datetime:
    """Spark's spelling of a trigger's start."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def caught_up(sources: list[Any]) -> bool:
    """Whether a finished trigger ended at the newest offsets that it saw when it began."""
    ends = [(_offsets(source.endOffset), _offsets(source.latestOffset)) for source in sources]
    return bool(ends) and all(end is not None and end == latest for end, latest in ends)


def _offsets(text: Any) -> Any:
    """None where a source tells nothing: one of files has no newest offset, or says it in words."""
    if not isinstance(text, str):
        return text or None
    try:
        return json.loads(text)
    except ValueError:
        return None


@dataclass
class Signs:
    """What Spark's listener says of the queries, gathered on its thread and read on the main one."""

    landing: str
    through: datetime | None = None
    batches: dict[str, int] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)
    lags: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def progressed(self, query: str, progress: Any) -> None:
        with self._lock:
            self.seen[query] = datetime.now(UTC)
            self.batches[query] = progress.batchId
            self.lags[query] = sum(_behind(source) for source in progress.sources)
            if query == self.landing and caught_up(progress.sources):
                self._reached(moment(progress.timestamp))

    def idle(self, query: str, at: str) -> None:
        """A trigger that found nothing new: all that was there when it began has landed."""
        with self._lock:
            self.seen[query] = datetime.now(UTC)
            self.lags[query] = 0
            if query == self.landing:
                self._reached(moment(at))

    def oldest_sign(self) -> datetime | None:
        with self._lock:
            return min(self.seen.values(), default=None)

    def forget(self) -> None:
        """The clock went back: what was said by the later one is not true of what still comes."""
        with self._lock:
            self.through = None

    def _reached(self, began: datetime) -> None:
        """Goes back with the clock; a trigger that began under a later one says nothing."""
        if began <= datetime.now(UTC):
            self.through = began - MARGIN


def _behind(source: Any) -> int:
    end, latest = _offsets(source.endOffset), _offsets(source.latestOffset)
    if not isinstance(end, dict) or not isinstance(latest, dict):
        return 0
    pairs = ((latest[t][p], end.get(t, {}).get(p, 0)) for t in latest if isinstance(latest[t], dict) for p in latest[t])
    return sum(max(0, newest - reached) for newest, reached in pairs)
