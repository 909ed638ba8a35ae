"""A first look at records, in Spark's Python workers: those that are plainly right leave it judged, the others untouched.

What a worker runs is named here, apart from the job, so that it loads nothing of the job's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zipimport import zipimporter

import pyarrow as pa

from headrace.contracts.model import Contract
from headrace.streams.refining.plain import Plain, Told

RECORD = (
    "topic string, partition int, offset bigint, arrived_at timestamp, key binary, value binary, "
    "headers array<struct<key: string, value: binary>>"
)
_TEXT = ("string", pa.string())
_OTHER = {"named": ("array<string>", pa.list_(pa.string())), "late": ("boolean", pa.bool_())}
_COLUMNS = {name: _OTHER.get(name, _TEXT) for name in Told._fields}
TOLD = ", ".join(f"{name} {sql}" for name, (sql, _) in _COLUMNS.items())
_READ = ("topic", "value", "arrived_at")


class FirstLook:
    """Adds the columns of `Told` to batches of `RECORD`: null where the gate has to judge."""

    def __init__(self, contracts: Mapping[str, Contract], *, future: timedelta, lateness: timedelta) -> None:
        """Of each topic its contract."""
        self._contracts, self._future, self._lateness = dict(contracts), future, lateness

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        _leave_archives_unread()
        made = ((topic, _plain(one, self._future, self._lateness)) for topic, one in self._contracts.items())
        plain = {topic: judge for topic, judge in made if judge}
        for batch in batches:
            read = zip(*(batch.column(name).to_pylist() for name in _READ), strict=True)
            columns = _columns([_told(plain, *record) for record in read])
            yield pa.RecordBatch.from_arrays([*batch.columns, *columns], [*batch.schema.names, *Told._fields])


def _leave_archives_unread() -> None:
    """Spark's workers import from archives, whose lists of files Python would read again for each task: 100 ms of processor."""
    cached = sys.path_importer_cache
    for path in [path for path, importer in cached.items() if isinstance(importer, zipimporter)]:
        del cached[path]


def _plain(contract: Contract, future: timedelta, lateness: timedelta) -> Plain | None:
    """None for a contract that makes no codec: one that is odd may not stop all others, and the gate judges it by itself."""
    try:
        return _kept(contract, future, lateness)
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=256)
def _kept(contract: Contract, future: timedelta, lateness: timedelta) -> Plain:
    """A worker outlives the batch that it was started for."""
    return Plain(contract, future=future, lateness=lateness)


def _told(plain: dict[str, Plain], topic: str, value: bytes | None, arrived_at: datetime) -> Told | None:
    judge = plain.get(topic)
    return judge.told(value, arrived_at) if judge else None


def _columns(told: list[Told | None]) -> list[Any]:
    nothing = (None,) * len(_COLUMNS)
    rows = [nothing if one is None else one for one in told]
    values = zip(*rows, strict=True) if rows else ([] for _ in _COLUMNS)
    return [pa.array(list(column), kind) for column, (_, kind) in zip(values, _COLUMNS.values(), strict=True)]
