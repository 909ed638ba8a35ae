"""Remembers the first version of each event, to tell another version with the same identity from a mere repeat.

A file of the driver, bounded in rows: the newest ids stay. What is noted twice changes nothing, so a batch that is run
again after a kill comes to the same verdict. Losing the file loses the memory and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_TABLES = """
CREATE TABLE IF NOT EXISTS firsts (
    n INTEGER PRIMARY KEY, stream TEXT, identity TEXT, says TEXT, topic TEXT, partition INTEGER, at INTEGER,
    UNIQUE (stream, identity)
);
CREATE TEMP TABLE batch (
    n INTEGER PRIMARY KEY, stream TEXT, identity TEXT, says TEXT, topic TEXT, partition INTEGER, at INTEGER
);
"""
_ADD = "INSERT INTO batch (stream, identity, says, topic, partition, at) VALUES (?, ?, ?, ?, ?, ?)"
_NOTE = """
INSERT OR IGNORE INTO firsts (stream, identity, says, topic, partition, at)
SELECT stream, identity, says, topic, partition, at FROM batch ORDER BY n
"""
_OTHERS = """
SELECT batch.stream, batch.identity, batch.says, batch.topic, batch.partition, batch.at,
       firsts.stream, firsts.identity, firsts.says, firsts.topic, firsts.partition, firsts.at
FROM batch JOIN firsts ON firsts.stream = batch.stream AND firsts.identity = batch.identity
WHERE firsts.says <> batch.says ORDER BY batch.n
"""
_FORGET = "DELETE FROM firsts WHERE n <= (SELECT max(n) FROM firsts) - ?"


class Version(NamedTuple):
    """What an event says of when and how much, and where it lies."""

    stream: str
    identity: str
    says: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Conflict:
    first: Version
    other: Version

    @property
    def reason(self) -> str:
        place = f"{self.first.topic}, partition {self.first.partition}, offset {self.first.offset}"
        return f"The first event of this identity has {self.first.says} ({place}); this one has {self.other.says}."


class Firsts:
    def __init__(self, path: Path, bound: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._bound = bound
        # Spark calls from a thread of its own, one batch at a time.
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def conflicts(self, versions: Iterable[Version]) -> list[Conflict]:
        """Notes versions that are new, in this order, and returns those that differ from the first of their identity."""
        with self._connection as connection, closing(connection.cursor()) as cursor:
            cursor.execute("DELETE FROM batch")
            cursor.executemany(_ADD, versions)
            cursor.execute(_NOTE)
            found = list(_conflicts(cursor.execute(_OTHERS)))
            cursor.execute(_FORGET, (self._bound,))
        return found

    def close(self) -> None:
        self._connection.close()


def _conflicts(rows: Iterable[tuple[object, ...]]) -> Iterator[Conflict]:
    for row in rows:
        yield Conflict(first=Version(*row[6:]), other=Version(*row[:6]))  # type: ignore[arg-type]
