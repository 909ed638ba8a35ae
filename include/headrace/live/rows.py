"""Messages of `metrics_realtime` as rows to write, the newest of a key only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


def row_of(value: bytes) -> Row:
    """Raises msgspec.MsgspecError for what is not such a message."""
    metric = _decode(value)
    keys = (None if key is None else str(key) for key in metric.keys.values())
    return Row(metric.spec, metric.window_start, field_of(metric.late, keys), (metric.generation, metric.n), value)


def newest(rows: Iterable[Row]) -> list[Row]:
    """One row a place: most updates of a busy window never need to travel."""
    kept: dict[tuple[str, int, str], Row] = {}
    for row in rows:
        known = kept.get(row.place)
        if known is None or row.version > known.version:
            kept[row.place] = row
    return list(kept.values())
