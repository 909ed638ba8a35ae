"""Which windows are the lake's: PostgreSQL knows since when live holds them (`live_since`), which the store itself forgets."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psycopg

from headrace.live.rows import Row
from headrace.log import get_logger
from headrace.settings import MissingSecret, Settings

log = get_logger(__name__)
_LOOK_SECONDS = 60.0


class Freed:
    """As last known while PostgreSQL cannot be reached: too much in the store is better than no store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._since: dict[str, float] = {}
        self._looked: float | None = None

    def look(self, *, now: bool = False) -> None:
        if not now and self._looked is not None and time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        try:
            with _connect(self._settings) as connection:
                found = connection.execute("select spec, since from live_since").fetchall()
            self._since = {spec: since.timestamp() for spec, since in found}
        except (psycopg.Error, OSError, MissingSecret) as error:
            log.warning("which windows were freed is not known anew", error=str(error)[:200])
        self._looked = time.monotonic()

    def kept(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of windows that were not freed. A late one of an older window is left to the lake as well."""
        return [row for row in rows if row.start >= self._since.get(row.spec, row.start)]


def _connect(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(
        settings.postgres_dsn("headrace"), connect_timeout=2, options="-c statement_timeout=3000", tcp_user_timeout=3000
    )
