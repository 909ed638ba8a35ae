"""The window job on Quix Streams: what a Python library does with the same topic; run in the `bench` environment.

The gate is the project's compiled decoder. The library keeps its state in RocksDB with a changelog topic, and needs the
events once more through Kafka to bring those of one window together.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.window_job.job import SPEC
from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec, RefusedEvent
from headrace.settings import get_settings

_IDLE_SECONDS = 8.0


def cents(amount: Any) -> int:
    return round(float(amount) * 100)


def money(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"


def shown(value: dict[str, int], key: Any, *_: Any) -> dict[str, Any]:
    """A row as the live job writes it."""
    late, *keys = json.loads(key)
    sums = {f"amount_{name}": money(value[name]) for name in ("sum", "min", "max")}
    return {
        "spec": SPEC.name,
        "window_start": value["start"] // 1000,
        "late": late,
        "keys": dict(zip(SPEC.keys, keys, strict=True)),
        "n": value["n"],
        "values": {"transactions": value["n"], **sums},
    }


def main() -> None:
    from quixstreams import Application, State
    from quixstreams.dataframe.windows.aggregations import Count, Max, Min, Sum

    given, settings = json.loads(sys.argv[1]), get_settings()
    codec = EventCodec(
        load_contracts(settings.contracts)[SPEC.stream], future=timedelta(minutes=settings.future_minutes)
    )
    lateness = settings.lateness_minutes * 60_000
    last = [0.0]

    def accepted(value: bytes, _: Any, arrived_ms: int, __: Any) -> dict[str, Any] | None:
        try:
            event = codec.decode(value, datetime.fromtimestamp(arrived_ms / 1000, UTC))
        except (msgspec.DecodeError, UnicodeDecodeError, RefusedEvent):
            return None
        moment = int(event.event_time.timestamp() * 1000)
        place = [arrived_ms > moment + lateness, *(getattr(event, name) for name in SPEC.keys)]
        return {"id": event.event_id, "moment": moment, "place": json.dumps(place), "cents": cents(event.amount)}

    def first(event: dict[str, Any], state: State) -> bool:
        if state.exists(event["id"]):
            return False
        state.set(event["id"], 1)
        return True

    app = Application(
        settings.kafka, consumer_group=given["output"], auto_offset_reset="earliest", state_dir=given["checkpoint"],
        commit_interval=given["checkpoint_seconds"], loglevel="ERROR",
        on_message_processed=lambda *_: last.__setitem__(0, time.monotonic()),
    )  # fmt: skip
    events = app.dataframe(app.topic(given["topic"], value_deserializer="bytes", key_deserializer="str"))
    events = events.apply(accepted, metadata=True).filter(lambda event: event is not None)
    if given["dedupe"]:
        events = events.filter(first, stateful=True)
    events = events.set_timestamp(lambda event, *_: event["moment"])
    events = events.group_by(lambda event: event["place"], "place", key_serializer="str", key_deserializer="str")
    window = events.tumbling_window(
        timedelta(seconds=SPEC.window_seconds), timedelta(minutes=settings.live_state_minutes)
    )
    rows = window.agg(n=Count(), sum=Sum("cents"), min=Min("cents"), max=Max("cents")).current()
    rows.apply(shown, metadata=True).to_topic(app.topic(given["output"], value_serializer="json", key_serializer="str"))
    began = time.monotonic()
    app.run(timeout=_IDLE_SECONDS)
    seconds = last[0] - began
    report = {"seconds": seconds, "checkpoints": int(seconds // given["checkpoint_seconds"])}
    Path(given["report"]).write_text(json.dumps(report))


if __name__ == "__main__":
    main()
