"""Messages of `metrics_realtime` as rows to write, the newest of a key only.

What a message may say is bounded here, once for all who read the topic or the rows that were made of it: no store, no
calendar and no array of theirs may stumble over a row that was let through.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from headrace.live.layout import field_of

_FIRST, _LAST = -(2**35), 2**36
"""Seconds: from the year 881 to 4147, which every calendar here knows."""
_LARGEST = 1e38
"""Of a figure: what a decimal of 38 digits holds, and a small float too."""
Second = Annotated[int, msgspec.Meta(ge=_FIRST, le=_LAST)]
Millisecond = Annotated[int, msgspec.Meta(ge=_FIRST * 1000, le=_LAST * 1000)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Metric(msgspec.Struct):
    """One version of a row of a window. Other members are left aside."""

    spec: str
    window_start: Second
    late: bool
    keys: dict[str, str | Whole | float | bool | None]
    generation: Annotated[int, msgspec.Meta(ge=0, le=_LAST)]
    n: Number
    values: dict[str, str | Whole]
    """A decimal is text."""
    last_event_ms: Millisecond | None = None
    last_arrived_ms: Millisecond = 0
    emitted_ms: Millisecond | None = None

    def __post_init__(self) -> None:
        if not "".join((self.spec, *self.keys, *self.values)).isprintable():
            raise ValueError("a name has characters that no store keeps")
        if not sum(map(abs, map(float, self.values.values()))) < _LARGEST:
            raise ValueError("a figure is no number, or too large")

    @property
    def field(self) -> str:
        return field_of(self.late, self.keys.values())

    @property
    def place(self) -> Hashable:
        return self.spec, self.window_start, self.field

    @property
    def version(self) -> tuple[int, int]:
        return self.generation, self.n

    @property
    def present(self) -> bool:
        """Whether its counting has met an event that arrived after it began: then it has caught up."""
        return self.last_arrived_ms >= self.generation * 1000


metric_of = msgspec.json.Decoder(Metric).decode
"""Raises one of UNREADABLE for what is not such a message."""
_encode = msgspec.json.encode


@dataclass(frozen=True)
class Row:
    spec: str
    start: int
    field: str
    version: tuple[int, int]
    present: bool
    text: bytes

    @property
    def place(self) -> Hashable:
        """Two countings of the same window do not take each other's place."""
        return self.spec, self.start, self.field, self.version[0]

    def arguments(self) -> tuple[Any, ...]:
        return self.spec, self.start, self.field, *self.version, int(self.present), self.text


class Versioned(Protocol):
    @property
    def place(self) -> Hashable: ...
    @property
    def version(self) -> tuple[int, int]: ...


V = TypeVar("V", bound=Versioned)


def row_of(value: bytes) -> Row:
    """Its text holds what was examined and nothing else. Raises one of UNREADABLE for what is not such a message."""
    metric = metric_of(value)
    return Row(metric.spec, metric.window_start, metric.field, metric.version, metric.present, _encode(metric))


def newest(rows: Iterable[V]) -> list[V]:
    """One row a place: most updates of a busy window never need to travel."""
    kept: dict[Hashable, V] = {}
    for row in rows:
        known = kept.get(row.place)
        if known is None or row.version > known.version:
            kept[row.place] = row
    return list(kept.values())
