"""Reads live windows; nothing here writes what the projector writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from headrace.live.layout import PUNCTUAL, generations_key, index_key, window_key
from headrace.live.rows import Metric, metric_of

_PAGE = 20


@dataclass(frozen=True)
class WindowRow:
    window_start: datetime
    keys: dict[str, str | None]
    n: int
    """Distinct events folded in."""
    values: dict[str, Decimal | int]
    generation: int


class LiveStore:
    """Over a Valkey client that decodes or not, as the caller likes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> list[WindowRow]:
        """Rows of the windows that begin in [start, end), oldest first."""
        starts = self._client.zrangebyscore(index_key(spec), start.timestamp(), f"({end.timestamp()}")
        pipeline = self._client.pipeline(transaction=False)
        for moment in starts:
            pipeline.hvals(window_key(spec, int(moment)))
        documents = (metric_of(text) for texts in pipeline.execute() for text in texts)
        return [_row(document) for document in documents if document.late is late]

    def rows(self, spec: str, fields: Sequence[str], start: datetime, end: datetime) -> list[WindowRow]:
        """Only these rows of the windows that begin in [start, end): the way to one key without reading the others."""
        starts = self._client.zrangebyscore(index_key(spec), start.timestamp(), f"({end.timestamp()}")
        pipeline = self._client.pipeline(transaction=False)
        for moment in starts:
            pipeline.hmget(window_key(spec, int(moment)), fields)
        return [_row(metric_of(text)) for texts in pipeline.execute() for text in texts if text is not None]

    def sizes(self, spec: str, start: datetime, end: datetime) -> dict[datetime, int]:
        """How many rows each of the windows has that begin in [start, end): what reading them would cost."""
        starts = self._client.zrangebyscore(index_key(spec), start.timestamp(), f"({end.timestamp()}")
        pipeline = self._client.pipeline(transaction=False)
        for moment in starts:
            pipeline.hlen(window_key(spec, int(moment)))
        return {datetime.fromtimestamp(int(m), UTC): n for m, n in zip(starts, pipeline.execute(), strict=True)}

    def newest(self, spec: str) -> datetime | None:
        """The start of the newest window."""
        found = self._client.zrevrange(index_key(spec), 0, 0)
        return datetime.fromtimestamp(int(found[0]), UTC) if found else None

    def since(self, spec: str) -> datetime | None:
        """The start of the oldest window with events in time: from there on nothing was freed. Late ones may be older."""
        place = 0
        while starts := self._client.zrange(index_key(spec), place, place + _PAGE - 1):
            for moment in starts:
                if any(
                    _text(field).startswith(PUNCTUAL) for field in self._client.hkeys(window_key(spec, int(moment)))
                ):
                    return datetime.fromtimestamp(int(moment), UTC)
            place += _PAGE
        return None

    def prune(self, spec: str, before: datetime) -> int:
        """Removes windows that begin earlier, once the lake answers for them; how many."""
        starts = self._client.zrangebyscore(index_key(spec), "-inf", f"({before.timestamp()}")
        if not starts:
            return 0
        pipeline = self._client.pipeline(transaction=False)
        pipeline.unlink(*(window_key(spec, int(moment)) for moment in starts))
        pipeline.zrem(index_key(spec), *starts)
        pipeline.hdel(generations_key(spec), *starts)
        pipeline.execute()
        return len(starts)


def _row(metric: Metric) -> WindowRow:
    return WindowRow(
        window_start=datetime.fromtimestamp(metric.window_start, UTC),
        keys={name: None if key is None else str(key) for name, key in metric.keys.items()},
        n=metric.n,
        values={name: _value(value) for name, value in metric.values.items()},
        generation=metric.generation,
    )


def _value(value: str | int) -> Decimal | int:
    return Decimal(value) if isinstance(value, str) else value


def _text(field: str | bytes) -> str:
    return field.decode() if isinstance(field, bytes) else field
