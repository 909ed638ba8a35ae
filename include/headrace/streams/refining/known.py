"""The entities that events may name: their keys, as the entity topics bring them and as raw holds them.

A file of the driver, as large as the entities are many. Losing it costs one reading of the raw entity tables.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS known (entity TEXT, key TEXT, PRIMARY KEY (entity, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read_from_raw (entity TEXT PRIMARY KEY, at TEXT);
CREATE TEMP TABLE asked (entity TEXT, key TEXT);
"""
_MISSING = """
SELECT entity, key FROM asked
WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.entity = asked.entity AND known.key = asked.key)
"""
_OVERLAP = timedelta(minutes=30)
"""A batch is stamped when it begins and seen when it is committed."""
_SECONDS = 60.0
Named = tuple[str, str]
"""An entity and a key of it."""
ReadRaw = Callable[[str, datetime], Iterable[str]]
"""The keys of an entity that landed in raw since a moment."""


class Known:
    def __init__(self, path: Path, read_raw: ReadRaw) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._read_raw = read_raw
        self._asked_raw: dict[str, float] = {}
        # Spark calls from a thread of its own, one batch at a time.
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def note(self, named: Iterable[Named]) -> None:
        with self._connection as connection:
            connection.executemany("INSERT OR IGNORE INTO known VALUES (?, ?)", named)

    def missing(self, named: Iterable[Named]) -> set[Named]:
        """Those that nobody has told of so far; raw is asked for them, but not more than once a minute."""
        asked = set(named)
        found = self._missing(asked)
        stale = {entity for entity, _ in found if time.monotonic() - self._asked_raw.get(entity, -_SECONDS) >= _SECONDS}
        for entity in sorted(stale):
            self._refresh(entity)
        return self._missing(found) if stale else found

    def _missing(self, asked: set[Named]) -> set[Named]:
        with self._connection as connection, closing(connection.cursor()) as cursor:
            cursor.execute("DELETE FROM asked")
            cursor.executemany("INSERT INTO asked VALUES (?, ?)", asked)
            return set(cursor.execute(_MISSING))

    def _refresh(self, entity: str) -> None:
        began = datetime.now(UTC)
        row = self._connection.execute("SELECT at FROM read_from_raw WHERE entity = ?", (entity,)).fetchone()
        since = datetime.fromisoformat(row[0]) - _OVERLAP if row else datetime(1970, 1, 1, tzinfo=UTC)
        self.note((entity, key) for key in self._read_raw(entity, since))
        with self._connection as connection:
            connection.execute("INSERT OR REPLACE INTO read_from_raw VALUES (?, ?)", (entity, began.isoformat()))
        self._asked_raw[entity] = time.monotonic()


def unresolved(references: Mapping[str, str], keys: Iterable[str | None], missing: set[Named]) -> list[str]:
    """The fields, of those that refer to an entity, that name one which is missing."""
    named = zip(references.items(), keys, strict=True)
    return [field for (field, entity), key in named if key is not None and (entity, key) in missing]
