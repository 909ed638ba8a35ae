"""Messages of `metrics_realtime` as rows to write, the newest of a key only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from headrace.live.layout import field_of


class Metric(msgspec.Struct):
    """The part of a message that decides where it goes and whether it is newer."""

    spec: str
    window_start: int
    late: bool
    keys: dict[str, str | int | float | bool | None]
    generation: int
    n: int
    last_arrived_ms: int | None = None

    @property
    def place(self) -> tuple[str, int, str]:
        keys = (None if key is None else str(key) for key in self.keys.values())
        return self.spec, self.window_start, field_of(self.late, keys)

    @property
    def version(self) -> tuple[int, int]:
        return self.generation, self.n


_decode = msgspec.json.Decoder(Metric).decode


@dataclass(frozen=True)
class Row:
    spec: str
    start: int
    field: str
    version: tuple[int, int]
    text: bytes

    @property
    def place(self) -> tuple[str, int, str]:
        return self.spec, self.start, self.field

    def arguments(self) -> tuple[str | int | bytes, ...]:
        return self.spec, self.start, self.field, *self.version, self.text


class Versioned(Protocol):
    @property
    def place(self) -> tuple[str, int, str]: ...
    @property
    def version(self) -> tuple[int, int]: ...


V = TypeVar("V", bound=Versioned)


def row_of(value: bytes) -> Row:
    """Raises one of UNREADABLE for what is not such a message."""
    metric = _decode(value)
    return Row(*metric.place, metric.version, value)


def newest(rows: Iterable[V]) -> list[V]:
    """One row a place: most updates of a busy window never need to travel."""
    kept: dict[tuple[str, int, str], V] = {}
    for row in rows:
        known = kept.get(row.place)
        if known is None or row.version > known.version:
            kept[row.place] = row
    return list(kept.values())
