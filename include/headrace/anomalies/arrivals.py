"""Messages into the two cores: rows of live windows, and accepted transactions by person."""

from __future__ import annotations

from datetime import datetime

import msgspec

from headrace.anomalies.ring import Cell, Ring
from headrace.anomalies.users import Users
from headrace.contracts.correct import UNREADABLE
from headrace.live.rows import metric_of
from headrace.log import get_logger

_LOG = get_logger(__name__)
SPEC = "transactions_1m"
_AHEAD_MINUTES = 2


class _Quality(msgspec.Struct):
    late: bool
    topic: str
    partition: int
    offset: int


class _Transaction(msgspec.Struct):
    event_time: datetime
    user_id: str
    merchant_id: str
    transaction_type: str
    region: str
    quality: _Quality


_transaction = msgspec.json.Decoder(_Transaction).decode


def put_rows(ring: Ring, values: list[bytes], now: float) -> int:
    """The newest minute that rows of the watched windows came for; 0 where none came."""
    newest = 0
    for value in values:
        try:
            row = metric_of(value)
        except UNREADABLE as error:
            _LOG.error("not a row of a live window; left out", error=str(error))
            continue
        minute = row.window_start // 60
        if row.spec != SPEC or row.late or minute > now // 60 + _AHEAD_MINUTES:
            continue
        names = ("merchant_id", "transaction_type", "currency", "region")
        cell = Cell(*(str(row.keys.get(name) or "") for name in names))
        last = (row.last_event_ms or row.window_start * 1000) / 1000
        total, largest = (float(row.values.get(name) or 0) for name in ("sum_amount", "max_amount"))
        ring.put(cell, minute, row.n, total, largest, last)
        newest = max(newest, minute)
    return newest


class People:
    """A repeated write of the lake job is told by the place in the change topic that the event came from."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._seen: dict[tuple[str, int], _Window] = {}

    def put(self, values: list[bytes], now: float) -> None:
        for value in values:
            try:
                event = _transaction(value)
            except UNREADABLE as error:
                _LOG.error("not an accepted transaction; left out", error=str(error))
                continue
            quality, minute = event.quality, int(event.event_time.timestamp() // 60)
            window = self._seen.setdefault((quality.topic, quality.partition), _Window())
            if window.is_new(quality.offset) and not quality.late and minute <= now // 60 + _AHEAD_MINUTES:
                self._users.put(event.user_id, minute, event.merchant_id, event.transaction_type, event.region)


class _Window:
    """Which of the newest offsets of a partition were seen, a bit each; older ones count as seen."""

    _SIZE = 1 << 20

    def __init__(self) -> None:
        self._top = -1
        self._bits = bytearray(self._SIZE // 8)

    def is_new(self, offset: int) -> bool:
        if offset <= self._top - self._SIZE:
            return False
        begin = offset if self._top < 0 else max(self._top + 1, offset - self._SIZE + 1)
        for passed in range(begin, offset + 1):
            self._bits[passed % self._SIZE // 8] &= ~(1 << passed % 8) & 0xFF
        self._top = max(self._top, offset)
        place, bit = offset % self._SIZE // 8, 1 << offset % 8
        new = not self._bits[place] & bit
        self._bits[place] |= bit
        return new
