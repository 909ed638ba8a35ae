"""Live windows as the live job would have made them of some events, written as the projector writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import redis

from headrace.live.layout import WRITE
from headrace.live.rows import row_of
from headrace.streams.spec import LiveSpec
from tests.parts.traffic_oracle import bucket

Event = dict[str, Any]
_FOLDS: dict[str, Any] = {"sum": sum, "min": min, "max": max}


def project(client: redis.Redis, specs: Iterable[LiveSpec], events: Iterable[tuple[Event, bool]]) -> None:
    """Events of one stream, each with whether it came late."""
    events = list(events)
    arguments = [item for spec in specs for row in rows(spec, events) for item in row_of(row).arguments()]
    client.register_script(WRITE)(args=arguments)


def rows(spec: LiveSpec, events: list[tuple[Event, bool]]) -> list[bytes]:
    windows: dict[tuple[int, bool, tuple[str | None, ...]], list[Decimal]] = {}
    for made, late in events:
        start = int(datetime.fromisoformat(made["event_time"]).timestamp()) // 60 * 60
        keys = tuple(_key(made, key) for key in spec.keys)
        windows.setdefault((start, late, keys), []).append(_amount(made))
    return [json.dumps(_message(spec, *place, amounts)).encode() for place, amounts in windows.items()]


def _message(
    spec: LiveSpec, start: int, late: bool, keys: tuple[str | None, ...], amounts: list[Decimal]
) -> dict[str, Any]:
    values = {a.name: len(amounts) if a.agg == "count" else str(_FOLDS[a.agg](amounts)) for a in spec.accumulators}
    return {
        "spec": spec.name, "window_start": start, "window_seconds": 60, "late": late, "generation": 1, "n": len(amounts),
        "keys": dict(zip(spec.keys, keys, strict=True)), "values": values, "last_event_ms": start * 1000, "emitted_ms": 0,
    }  # fmt: skip


def _key(made: Event, key: str) -> str | None:
    if key != "amount_bucket":
        return str(made[key])
    amount = _amount(made)
    return str(bucket(amount)) if amount else None


def _amount(made: Event) -> Decimal:
    return Decimal(str(made.get("amount", 0))).quantize(Decimal("0.01"))
